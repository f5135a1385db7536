"""Norm clipping, an instance at a time."""

from torch import Tensor

from spigot_allennlp.nn.masking import flatten_parts, per_instance
from spigot_allennlp.nn.tensor_checks import FLOATS, Argument, Signature

_GRADIENT = Signature(Argument("tensor", FLOATS, ("...",)))


def clip_norm(tensor: Tensor, max_norm: float) -> Tensor:
    """
    Each instance of `tensor`, shape `(batch_size, *parts)`, scaled down to Euclidean norm
    `max_norm` where it is longer; unchanged where it is not. The norm runs over all parts of the
    instance, as in the gradient clipping of Peng et al. (2018), not over the batch.
    """
    _GRADIENT.check(tensor)
    # (batch_size,)
    norms = flatten_parts(tensor).norm(dim=-1)
    scale = (max_norm / norms.clamp(min=max_norm)).to(tensor.dtype)
    return tensor * per_instance(scale, tensor)
