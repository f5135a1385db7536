"""
Spiking networks beside those of snnTorch, 784-400-10 over 100 steps: samples a second in training
(forward, backward, Adam), by HM2-BP and by our surrogate gradient, and in inference. All have the
same spikes, about as many as MNIST has, the same initial weights, and the same loss on firing
counts.

snnTorch ([Eshraghian et al., 2023](https://arxiv.org/abs/2109.12894)) unrolls its neurons, with a
synapse each, in time by autograd.
"""

from typing import Any, Callable, Dict, List, Tuple

import torch
from allennlp.common import Lazy
from torch import LongTensor, Tensor

from benchmarks.goals import RATIO, SHARE
from benchmarks.measurement import Clock, race
from benchmarks.results import Metric
from spigot_allennlp.modules.spiking_gradient import HM2BP, Surrogate
from spigot_allennlp.modules.spiking_layer import FullyConnected, SpikeTrains
from spigot_allennlp.modules.spiking_network import SpikingNetwork
from spigot_allennlp.modules.spiking_objective import SquaredCountLoss

_SIZES, _THRESHOLDS = [784, 400, 10], [10.0, 4.0]
# The share of the pixels of a digit that are not white, and the rate of the strongest spike train.
_ACTIVE, _RATE = 0.19, 0.3


def spiking_steps(
    now: Clock, budget: float, batch_size: int = 32, steps: int = 100
) -> List[Metric]:
    """
    Measures how many times as many samples a second ours processes.

    # Raises

    `ImportError` if snnTorch is not installed.
    """
    import snntorch

    torch.manual_seed(1)
    ours, with_surrogate = _our_network(_SIZES), _our_network(_SIZES)
    with_surrogate.gradient = Surrogate()
    with_surrogate.load_state_dict(ours.state_dict())
    theirs = SnnTorchNetwork(_SIZES, _THRESHOLDS, 64.0, 8.0)
    with torch.no_grad():
        for linear, layer in zip(theirs.weights, ours.layers, strict=True):
            linear.weight.copy_(layer.weight.t())
    spikes, label = _sample_spikes(batch_size, steps)
    dense = spikes.float()  # for multiplication; converted beforehand, so this is not measured
    runs: Dict[str, Callable[[], Tensor]] = {
        "ours": lambda: ours(SpikeTrains.of(spikes))[-1].counts,
        "snnTorch": lambda: theirs(dense),
    }
    training = {
        "ours": _training_step(ours, runs["ours"], label),
        "snnTorch": _training_step(theirs, runs["snnTorch"], label),
    }
    run_surrogate = lambda: with_surrogate(SpikeTrains.of(spikes))[-1].counts  # noqa: E731
    rows: Dict[str, Dict[str, Callable[[], Any]]] = {
        "training step": training,
        "training step, surrogate gradient": {
            **training,
            "ours": _training_step(with_surrogate, run_surrogate, label),
        },
        "inference": {name: _without_gradient(run) for name, run in runs.items()},
    }
    metrics = []
    for row, calls in rows.items():
        for call in calls.values():
            call()
        timings = race(calls, budget, now)
        rates = {name: batch_size / timing.seconds for name, timing in timings.items()}
        detail = ", ".join(f"{name} {rate:.0f} samples/s" for name, rate in rates.items())
        detail = f"{detail}; snnTorch {snntorch.__version__}, batches of {batch_size}"
        ratio = rates["ours"] / rates["snnTorch"]
        metrics.append(Metric("spiking_step", row, ratio, RATIO, detail))
    return metrics


def spiking_limit(
    now: Clock, budget: float, batch_size: int = 32, steps: int = 400
) -> List[Metric]:
    """
    Measures which share of the machine's limit a training step of 784-800-10 with HM2-BP reaches.
    The limit is a multiply-add for each accumulation that the spikes make necessary, as fast as
    torch multiplies matrices of 512 rows and columns in the same run.
    """
    torch.manual_seed(1)
    sizes = [784, 800, 10]
    network = _our_network(sizes)
    spikes, label = _sample_spikes(batch_size, steps)
    with torch.no_grad():
        hidden = network(SpikeTrains.of(spikes))[-2].fired
    # weights and S-PSPs of the hidden layer's inputs, both gradients of inputs that spike at all,
    # then weights and S-PSPs of the output layer's inputs
    accumulations = 2 * sizes[1] * (int(spikes.sum()) + int(spikes.any(1).sum()))
    accumulations += 2 * sizes[2] * int(hidden.sum())
    matrix = torch.randn(512, 512)
    run = lambda: network(SpikeTrains.of(spikes))[-1].counts  # noqa: E731
    calls: Dict[str, Callable[[], Any]] = {
        "ours": _training_step(network, run, label, fused=True),
        "product": lambda: matrix @ matrix,
    }
    for call in calls.values():
        call()
    timings = race(calls, budget, now)
    limit = accumulations * timings["product"].seconds / 512**3
    seconds = timings["ours"].seconds
    detail = (
        f"{1000 * seconds / batch_size:.2f} ms a sample, limit {1000 * limit / batch_size:.2f} ms: "
        f"{accumulations / batch_size / 1e6:.1f} million accumulations, batches of {batch_size}"
    )
    return [Metric("spiking_limit", "training step", limit / seconds, SHARE, detail)]


class SnnTorchNetwork(torch.nn.Module):
    """
    Fully connected layers of snnTorch's neurons.

    # Parameters

    sizes : `List[int]`
        The number of inputs, and of the neurons of each layer.
    thresholds : `List[float]`
        The threshold of each layer.
    membrane_time, synapse_time : `float`
        The time constants of the decay of membranes and synapses, in steps.
    slope : `float`, optional (default = `25.0`)
        Of the surrogate gradient, a fast sigmoid of the distance to the threshold.
    """

    def __init__(
        self,
        sizes: List[int],
        thresholds: List[float],
        membrane_time: float,
        synapse_time: float,
        slope: float = 25.0,
    ) -> None:
        import snntorch
        from snntorch import surrogate

        super().__init__()
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.weights = torch.nn.ModuleList(torch.nn.Linear(*pair, bias=False) for pair in pairs)
        self.neurons = torch.nn.ModuleList(
            snntorch.Synaptic(
                alpha=1 - 1 / synapse_time,
                beta=1 - 1 / membrane_time,
                threshold=threshold * synapse_time,  # a spike adds all of its weight at once
                spike_grad=surrogate.fast_sigmoid(slope),
                reset_mechanism="zero",
            )
            for threshold in thresholds
        )

    def forward(self, spikes: Tensor) -> Tensor:
        """Returns firing counts `(batch_size, classes)` of spikes `(batch_size, steps, inputs)`."""
        states = [neurons.init_synaptic() for neurons in self.neurons]
        counts = torch.zeros(())
        for step in range(spikes.size(1)):
            fired = spikes[:, step]
            for layer, (weights, neurons) in enumerate(
                zip(self.weights, self.neurons, strict=True)
            ):
                fired, *states[layer] = neurons(weights(fired), *states[layer])
            counts = counts + fired
        return counts


def _our_network(sizes: List[int]) -> SpikingNetwork:
    layers = [
        Lazy(FullyConnected, constructor_extras={"units": units, "threshold": threshold})
        for units, threshold in zip(sizes[1:], _THRESHOLDS, strict=True)
    ]
    return SpikingNetwork(sizes[:1], layers, HM2BP())  # type: ignore[arg-type]


def _sample_spikes(batch_size: int, steps: int) -> Tuple[Tensor, LongTensor]:
    """Returns spikes `(batch_size, steps, inputs)`, at another rate for each input, and labels."""
    shape = batch_size, 1, _SIZES[0]
    rates = _RATE * torch.rand(shape) * (torch.rand(shape) < _ACTIVE)
    spikes = torch.rand(batch_size, steps, _SIZES[0]) < rates
    return spikes, torch.randint(_SIZES[-1], (batch_size,))


def _training_step(
    model: torch.nn.Module, counts_of: Callable[[], Tensor], label: LongTensor, fused: bool = False
) -> Callable[[], None]:
    """Returns a training step: forward, backward, and update."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=fused)
    loss = SquaredCountLoss(desired=15, undesired=2, margin=2)

    def step() -> None:
        optimizer.zero_grad()
        loss(counts_of(), label).mean().backward()
        optimizer.step()

    return step


def _without_gradient(counts_of: Callable[[], Tensor]) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.no_grad():
            return counts_of()

    return run
