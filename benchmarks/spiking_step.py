"""
Spiking networks beside snnTorch's, 784-400-10 over 100 steps: samples a second in training
(forward, backward, Adam) and in use. Both are given the same spikes, about as many as MNIST has,
the same initial weights, and the same loss on firing counts.
"""

from typing import Callable, Dict, List, Tuple

import torch
from allennlp.common import Lazy
from torch import LongTensor, Tensor

from benchmarks.figures import Figure
from benchmarks.goals import RATIO
from benchmarks.timing import Clock, race
from spigot_allennlp.modules.count_loss import CountLoss
from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_gradient.hm2_bp import HM2BP
from spigot_allennlp.modules.spiking_layer.fully_connected import FullyConnected
from spigot_allennlp.modules.spiking_network import SpikingNetwork

SIZES, THRESHOLDS = [784, 400, 10], [10.0, 4.0]
BATCH_SIZE, STEPS = 32, 100
# Of the pixels of a digit about a fifth are not white; the strongest spike at this rate.
ACTIVE, RATE = 0.19, 0.3


def spiking_steps(
    now: Clock, budget: float, batch_size: int = BATCH_SIZE, steps: int = STEPS
) -> List[Figure]:
    """
    How many times as many samples ours take in a second.

    # Raises

    `ImportError` if snnTorch is not installed.
    """
    from benchmarks.peers import snntorch

    torch.manual_seed(1)
    ours, theirs = our_network(), snntorch.Perceptron(SIZES, THRESHOLDS, 64.0, 8.0)
    with torch.no_grad():
        for linear, layer in zip(theirs.weights, ours.layers, strict=True):
            linear.weight.copy_(layer.weight.t())
    spikes, label = problem(batch_size, steps)
    dense = spikes.float()  # they multiply; so this is not part of what is measured
    runs: Dict[str, Callable[[], Tensor]] = {
        "ours": lambda: ours(SpikeTrains.of(spikes))[-1].counts,
        "snnTorch": lambda: theirs(dense),
    }
    models = {"ours": ours, "snnTorch": theirs}
    rows = {
        "training step": {name: step_of(models[name], run, label) for name, run in runs.items()},
        "inference": {name: without_gradient(run) for name, run in runs.items()},
    }
    return [
        compare(row, calls, batch_size, snntorch.VERSION, now, budget)
        for row, calls in rows.items()
    ]


def compare(
    row: str, calls: Dict[str, Callable], batch_size: int, version: str, now: Clock, budget: float
) -> Figure:
    """The ratio of samples a second."""
    for call in calls.values():
        call()
    timings = race(calls, budget, now)
    rates = {name: batch_size / timing.seconds for name, timing in timings.items()}
    detail = ", ".join(f"{name} {rate:.0f} samples/s" for name, rate in rates.items())
    ratio = rates["ours"] / rates["snnTorch"]
    detail = f"{detail}; snnTorch {version}, batches of {batch_size}"
    return Figure("spiking_step", row, ratio, RATIO, detail)


def our_network() -> SpikingNetwork:
    layers = [
        Lazy(FullyConnected, constructor_extras={"units": units, "threshold": threshold})
        for units, threshold in zip(SIZES[1:], THRESHOLDS, strict=True)
    ]
    return SpikingNetwork(SIZES[:1], layers, HM2BP())  # type: ignore[arg-type]


def problem(batch_size: int, steps: int) -> Tuple[Tensor, LongTensor]:
    """Spikes `(batch_size, steps, inputs)`, each input with a rate of its own, and labels."""
    shape = batch_size, 1, SIZES[0]
    rates = RATE * torch.rand(shape) * (torch.rand(shape) < ACTIVE)
    spikes = torch.rand(batch_size, steps, SIZES[0]) < rates
    return spikes, torch.randint(SIZES[-1], (batch_size,))


def step_of(
    model: torch.nn.Module, counts_of: Callable[[], Tensor], label: LongTensor
) -> Callable[[], None]:
    """A training step: forward, backward, and update."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    loss = CountLoss(desired=15, undesired=2, margin=2)

    def step() -> None:
        optimizer.zero_grad()
        loss(counts_of(), label).mean().backward()
        optimizer.step()

    return step


def without_gradient(counts_of: Callable[[], Tensor]) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.no_grad():
            return counts_of()

    return run
