"""
What a spike that comes in contributes to the spikes that go out: the micro level of HM2-BP.

The spike-train-level postsynaptic potential (S-PSP) of input j at neuron i is a sum over the spikes
of i, and for each over those of j, of

    eps(s, t) = (exp(-min(s, t) / m) - exp(-min(s, t) / c)) * exp(-max(t - s, 0) / c) / (1 - c / m)

where m and c are the times of membrane and synapse, t is the time since the spike of j arrived,
`refractory` steps after it was sent, and s the time since i was ready again, `refractory` steps
after its spike before (at step 1, for its first). Spikes of j count that have arrived, and were
sent at most `4 * m` steps before. (Jin, Zhang & Li, 2018, section 3.2; the arrival and the window
as in the authors' code.)

Here the sum over the spikes of i comes first: it depends on j through the step of its spike alone.
As `eps` is made of exponentials, that sum is one sweep from the last step to the first, and the
S-PSP is the inner product of the result, the *effects*, with the spikes of j.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.spiking.neurons import Decays, Neurons, decays_of
from spigot_allennlp.nn.tensor_checks import TRUTH_VALUES, Argument, Signature

_FIRED = Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons"))
_SPIKES = Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs"))
_ONE_LAYER, _TWO_LAYERS = Signature(_FIRED), Signature(_SPIKES, _FIRED)


def spike_effects(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    """
    By how much an input that spikes once more, at a certain step, raises its S-PSP at a neuron.

    # Parameters

    fired : `BoolTensor`
        The spikes of the neurons, shape `(batch_size, steps, num_neurons)`.
    neurons : `Neurons`
    dtype : `torch.dtype`
        Of the result.

    # Returns

    `Tensor`
        Shape `(batch_size, steps, num_neurons)`, of the step in which the input spikes.
    """
    _ONE_LAYER.check(fired)
    if has_kernels(fired.device):
        from spigot_allennlp.nn.spiking import processor  # numba takes its time to be imported

        return processor.spike_effects(fired, neurons, dtype)
    return effects_by_steps(fired, neurons, dtype)


def potentials(spikes: BoolTensor, fired: BoolTensor, neurons: Neurons) -> Tensor:
    """
    The S-PSP of each input at each neuron, if all are connected: shape `(batch_size, num_inputs,
    num_neurons)`, single precision. `spikes` and `fired` are those of inputs and neurons, of shape
    `(batch_size, steps, ...)`.
    """
    _TWO_LAYERS.check(spikes, fired)
    effects = spike_effects(fired, neurons, torch.float)
    return spikes.to(effects.dtype).transpose(1, 2) @ effects


def effects_by_steps(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    """As `spike_effects`, in vectorised torch, step by step."""
    _ONE_LAYER.check(fired)
    decays = decays_of(neurons)
    steps, refractory = fired.size(1), decays.refractory
    effects = torch.zeros(fired.shape, dtype=dtype, device=fired.device)
    if steps == 0:
        return effects
    sweep = _Sweep(effects, decays)
    for arrival in range(steps - 1, refractory - 1, -1):
        sweep.go_back()
        last = arrival + decays.window - refractory + 1
        if last < steps:
            sweep.leave(fired[:, last], last)
        all_wait = torch.ones_like(fired[:, 0])
        sweep.wait(all_wait if arrival == 1 else fired[:, arrival - refractory], arrival)
        sweep.come(fired[:, arrival], arrival)
        effects[:, arrival - refractory] = sweep.effect()
    return effects


class _Sweep:
    """
    From the last step to the first. `coming` is the step of each neuron's next spike; `slow` and
    `quick` are the exponentials of the time until then, as long as what arrives counts towards that
    spike at once; `rest` is what arrives too early for that, and waits as synaptic current.
    """

    def __init__(self, like: Tensor, decays: Decays) -> None:
        self._decays = decays
        self._slow, self._quick, self._rest = (torch.zeros_like(like[:, 0]) for _ in range(3))
        self._coming = torch.zeros_like(self._slow, dtype=torch.long)
        # of each spike, what is left of the current when it leaves the window
        self._leaving = torch.zeros_like(like)

    def go_back(self) -> None:
        """By one step."""
        self._slow = self._slow * self._decays.membrane
        self._quick = self._quick * self._decays.synapse
        self._rest = self._rest * self._decays.synapse

    def leave(self, spiking: BoolTensor, last: int) -> None:
        """From here on nothing counts towards the spikes at step `last`: it came too early."""
        direct = spiking & (self._coming == last) & (self._slow > 0)
        self._rest = self._rest - torch.where(spiking & ~direct, self._leaving[:, last], 0)
        self._end(direct)

    def wait(self, ready: BoolTensor, arrival: int) -> None:
        """What arrives before this step finds neurons not ready that are so from here on."""
        ready = ready & (self._slow > 0)
        waiting = torch.where(ready, self._decays.factor * (self._slow - self._quick), 0)
        self._rest = self._rest + waiting
        rest_of_window = arrival - self._coming + self._decays.window - self._decays.refractory + 1
        left = waiting * self._decays.synapse ** rest_of_window.clamp(min=0).to(waiting.dtype)
        place = self._coming.unsqueeze(1)
        known = self._leaving.gather(1, place).squeeze(1)
        self._leaving.scatter_(1, place, torch.where(ready, left, known).unsqueeze(1))
        self._end(ready)

    def come(self, spiking: BoolTensor, arrival: int) -> None:
        self._slow = self._slow.masked_fill(spiking, 1)
        self._quick = self._quick.masked_fill(spiking, 1)
        self._coming = self._coming.masked_fill(spiking, arrival)

    def effect(self) -> Tensor:
        return self._decays.factor * (self._slow - self._quick) + self._rest

    def _end(self, chosen: BoolTensor) -> None:
        self._slow = self._slow.masked_fill(chosen, 0)
        self._quick = self._quick.masked_fill(chosen, 0)
