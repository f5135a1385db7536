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
from spigot_allennlp.nn.spiking_neurons import Neurons, decays_of


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
    if has_kernels(fired.device):
        from spigot_allennlp.nn import spike_processor  # numba takes its time to be imported

        return spike_processor.spike_effects(fired, neurons, dtype)
    return effects_by_steps(fired, neurons, dtype)


def potentials(spikes: BoolTensor, fired: BoolTensor, neurons: Neurons) -> Tensor:
    """
    The S-PSP of each input at each neuron, if all are connected: shape `(batch_size, num_inputs,
    num_neurons)`, single precision. `spikes` and `fired` are those of inputs and neurons, of shape
    `(batch_size, steps, ...)`.
    """
    effects = spike_effects(fired, neurons, torch.float)
    return spikes.to(effects.dtype).transpose(1, 2) @ effects


def effects_by_steps(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    """
    As `spike_effects`, in vectorised torch, step by step. `slow` and `quick` are the exponentials
    of the time until a neuron's next spike, as long as that is not beyond the spike before; `rest`
    is what came in earlier, and waits as synaptic current.
    """
    decays = decays_of(neurons)
    steps, refractory = fired.size(1), neurons.refractory
    effects = torch.zeros(fired.shape, dtype=dtype, device=fired.device)
    leaving = torch.zeros_like(effects)  # of each spike, what is left of it beyond the window
    slow, quick, rest = (torch.zeros_like(effects[:, 0]) for _ in range(3))
    coming = torch.zeros_like(slow, dtype=torch.long)
    for arrival in range(steps - 1, refractory - 1, -1):
        slow, quick, rest = slow * decays.membrane, quick * decays.synapse, rest * decays.synapse
        last = arrival + decays.window - refractory + 1
        if last < steps:
            cut = fired[:, last] & (coming == last) & (slow > 0)
            rest = rest - torch.where(fired[:, last] & ~cut, leaving[:, last], 0)
            slow, quick = slow.masked_fill(cut, 0), quick.masked_fill(cut, 0)
        ready = slow > 0 if arrival == 1 else (slow > 0) & fired[:, arrival - refractory]
        waiting = decays.factor * (slow - quick) * ready
        rest = rest + waiting
        to_go = (arrival - coming + decays.window - refractory + 1).clamp(min=0)
        left = waiting * decays.synapse ** to_go.to(dtype)
        place = coming.unsqueeze(1)
        leaving.scatter_(1, place, torch.where(ready, left, leaving.gather(1, place)[:, 0])[:, None])
        slow, quick = slow.masked_fill(ready, 0), quick.masked_fill(ready, 0)
        here = fired[:, arrival]
        slow, quick = slow.masked_fill(here, 1), quick.masked_fill(here, 1)
        coming = coming.masked_fill(here, arrival)
        effects[:, arrival - refractory] = decays.factor * (slow - quick) + rest
    return effects
