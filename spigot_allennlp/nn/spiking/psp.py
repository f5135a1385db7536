"""
The spike-train-level postsynaptic potential (S-PSP): the micro level of HM2-BP.

The S-PSP `e_ij` of input j at neuron i is the sum, over all pairs of a spike of i and a spike of j,
of

    eps(s, t) = (exp(-min(s, t) / m) - exp(-min(s, t) / c)) * exp(-max(t - s, 0) / c) / (1 - c / m)

where m and c are the times of membrane and synapse, t is the time since the spike of j arrived,
`refractory` steps after it was sent, and s is the time since i was ready again, `refractory` steps
after its previous spike (since step 1 for its first). Only spikes of j count that have arrived, and
were sent at most `4 * m` steps before. (Jin, Zhang & Li, 2018, section 3.2; the arrival and the
window as in the authors' code.)

Here, the sum over the spikes of i comes first: it depends on j only through the step of its spike,
and is the *PSP per spike*. Since `eps` consists of exponentials, this sum takes a single pass from
the last step to the first. The S-PSP is its inner product with the spikes of j.
"""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels, without_autocast
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import uncompiled

_FIRED = Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons"))
_SPIKES = Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs"))
_NEURONS, _INPUTS_AND_NEURONS = Signature(_FIRED), Signature(_SPIKES, _FIRED)


@uncompiled
def spike_train_psp(spikes: BoolTensor, fired: BoolTensor, neurons: Neurons) -> Tensor:
    """
    Computes the S-PSP of each input at each neuron, if all are connected.

    # Parameters

    spikes : `BoolTensor`
        The spikes of the inputs, shape `(batch_size, steps, num_inputs)`.
    fired : `BoolTensor`
        The spikes of the neurons, shape `(batch_size, steps, num_neurons)`.
    neurons : `Neurons`

    # Returns

    `Tensor`
        Shape `(batch_size, num_inputs, num_neurons)`, single precision.
    """
    _INPUTS_AND_NEURONS.check(spikes, fired)
    per_spike = psp_per_spike(fired, neurons, torch.float)
    with without_autocast(spikes.device):
        return spikes.to(per_spike.dtype).transpose(1, 2) @ per_spike


@uncompiled
def psp_per_spike(fired: BoolTensor, neurons: Neurons, dtype: torch.dtype) -> Tensor:
    """
    Computes how much one more spike of an input, at a given step, adds to its S-PSP at each neuron.

    # Parameters

    fired : `BoolTensor`
        The spikes of the neurons, shape `(batch_size, steps, num_neurons)`.
    neurons : `Neurons`
    dtype : `torch.dtype`
        Of the result.

    # Returns

    `Tensor`
        Shape `(batch_size, steps, num_neurons)`, by the step of the input's spike.
    """
    _NEURONS.check(fired)
    if has_kernels(fired.device):
        from spigot_allennlp.nn.spiking import cpu  # numba is slow to import

        return cpu.psp_per_spike(fired, neurons, dtype)
    return torch_fallback.psp_per_spike(fired, neurons, dtype)
