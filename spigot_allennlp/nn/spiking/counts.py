"""How often each neuron fired."""

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.tensor_checks import TRUTH_VALUES, Argument, Signature

_SPIKES = Signature(Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons")))


def firing_counts(fired: BoolTensor, dtype: torch.dtype) -> Tensor:
    """
    Shape `(batch_size, num_neurons)`, given spikes `(batch_size, steps, num_neurons)`. (What torch
    needs to add up truth values is a good part of what the simulation takes.)
    """
    _SPIKES.check(fired)
    if has_kernels(fired.device):
        from spigot_allennlp.nn.spiking import processor  # numba takes its time to be imported

        return processor.firing_counts(fired).to(dtype)
    return fired.sum(dim=1).to(dtype)
