"""
Computes the best object, samples and the log-partition from one recurrence in torch.

For every choice, a recurrence calls `reduce`, which removes the last dimension. With the maximum,
it computes the score of the best object, and with `logsumexp` the log-partition. The gradient of
the result marks the parts of the best object, or holds the marginals. If each choice is sampled in
proportion to its weight, the gradient marks the parts of a sample.
"""

from typing import Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance

Reduce = Callable[[Tensor], Tensor]
# Computes one number per instance from scores `(batch_size, *parts)`, which are `IMPOSSIBLE` for
# impossible parts. It prepares its mask each time, since autograd cannot use a tensor that was made
# in inference mode.
Recurrence = Callable[[Tensor, Reduce], Tensor]

# The score of an impossible part. It is finite, to avoid `inf - inf`, but so low that no network
# score comes near it, and that its exponential is exactly zero.
IMPOSSIBLE = -1e30


def best(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """
    Returns the best object, as zeros and ones in the shape and type of `scores`; all zero if none
    is possible.
    """
    return _parts_by_gradient(at_least_single(scores.detach()), mask, recurrence, _maximum).to(
        scores.dtype
    )


def sample(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """Returns a random object `z`, with probability proportional to `exp <scores, z>`."""
    return _parts_by_gradient(scores.detach().double(), mask, recurrence, _sampled).to(scores.dtype)


def log_partition(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """
    Returns the log-partition in nats, shape `(batch_size,)`, in double precision, differentiable
    any number of times.
    """
    total = recurrence(_with_impossible(scores.double(), mask), _log_sum_exp)
    return total.masked_fill(total < IMPOSSIBLE / 2, -torch.inf)


def no_choice(scores: Tensor) -> Tensor:
    """
    Returns the result of a recurrence over no parts: zero, shape `(batch_size,)`, twice
    differentiable.
    """
    everywhere = torch.ones_like(scores, dtype=torch.bool)
    return flatten_parts(scores.masked_fill(everywhere, 0) ** 2).sum(dim=-1)


def _parts_by_gradient(
    scores: Tensor, mask: BoolTensor, recurrence: Recurrence, reduce: Reduce
) -> Tensor:
    """Returns the gradient of the recurrence, which marks parts; zero if none is possible."""
    # There is no autograd in inference mode.
    with torch.inference_mode(False), torch.enable_grad():
        leaf = _with_impossible(scores, mask).requires_grad_()
        total = recurrence(leaf, reduce)
        (parts,) = torch.autograd.grad(total.sum(), leaf)
    return parts * per_instance(total > IMPOSSIBLE / 2, parts)


def _with_impossible(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns scores that are `IMPOSSIBLE` off the mask, and where they are minus infinity."""
    return scores.masked_fill(~mask | (scores == -torch.inf), IMPOSSIBLE)


def _maximum(values: Tensor) -> Tensor:
    return values.max(dim=-1).values  # its gradient chooses one of several maxima; amax shares it


def _log_sum_exp(values: Tensor) -> Tensor:
    return values.logsumexp(dim=-1)


def _sampled(values: Tensor) -> Tensor:
    """
    Returns `logsumexp`, but with the gradient of a single value, sampled in proportion to its
    exponential.
    """
    noise = torch.empty_like(values).exponential_().log()  # -log of an exponential is Gumbel
    index = (values.detach() - noise).argmax(dim=-1, keepdim=True)
    sampled = values.gather(-1, index).squeeze(-1)
    return sampled + (values.detach().logsumexp(dim=-1) - sampled.detach())
