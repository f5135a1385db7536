"""
What a recurrence over the scores of all objects of a batch can be made to give.

Wherever a recurrence has a choice it calls `reduce`, which takes away the last dimension. With the
maximum it gives the score of the best object, with `logsumexp` the log-partition; and the gradient
of what it gives marks the parts of the best object, or holds the marginals. If the choices are
drawn in advance, each as probable as it would be on the way back, the gradient marks the parts of a
draw.
"""

from typing import Callable

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.masking import flatten_parts, per_instance
from spigot_allennlp.nn.precision import at_least_single

Reduce = Callable[[Tensor], Tensor]
# From scores `(batch_size, *parts)`, those that are impossible being `IMPOSSIBLE`, to one number
# for each instance.
Recurrence = Callable[[Tensor, Reduce], Tensor]

# Stands for the score of an impossible part. Finite, so that no `inf - inf` arises; so large that
# nothing a network computes comes near it, and that its exponential is exactly zero.
IMPOSSIBLE = -1e30


def best(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """The best object, as zeros and ones in the type of `scores`; nothing if none is possible."""
    return _chosen(at_least_single(scores.detach()), mask, recurrence, _maximum).to(scores.dtype)


def draw(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """A draw from the distribution over objects, like `best`."""
    return _chosen(scores.detach().double(), mask, recurrence, _one_at_random).to(scores.dtype)


def log_partition(scores: Tensor, mask: BoolTensor, recurrence: Recurrence) -> Tensor:
    """The log-partition in double precision, differentiable as often as one likes."""
    exact = _with_impossible(scores.double(), mask)
    total = recurrence(exact, _log_sum_exp)
    return total.masked_fill(total < IMPOSSIBLE / 2, -torch.inf)


def no_choice(scores: Tensor) -> Tensor:
    """
    What a recurrence gives without any part: zero, shape `(batch_size,)`, and differentiable twice.
    """
    everywhere = torch.ones_like(scores, dtype=torch.bool)
    return flatten_parts(scores.masked_fill(everywhere, 0) ** 2).sum(dim=-1)


def _chosen(scores: Tensor, mask: BoolTensor, recurrence: Recurrence, reduce: Reduce) -> Tensor:
    with torch.enable_grad():
        leaf = _with_impossible(scores, mask).requires_grad_()
        total = recurrence(leaf, reduce)
        (parts,) = torch.autograd.grad(total.sum(), leaf)
    return parts * per_instance(total > IMPOSSIBLE / 2, parts)


def _with_impossible(scores: Tensor, mask: BoolTensor) -> Tensor:
    return scores.masked_fill(~mask | (scores == -torch.inf), IMPOSSIBLE)


def _maximum(values: Tensor) -> Tensor:
    return values.max(dim=-1).values  # one way through a tie, where amax would share it


def _log_sum_exp(values: Tensor) -> Tensor:
    return values.logsumexp(dim=-1)


def _one_at_random(values: Tensor) -> Tensor:
    """`logsumexp`, whose gradient is that of one value: drawn in proportion to its exponential."""
    noise = torch.empty_like(values).exponential_().log()  # -log of an exponential is Gumbel
    index = (values.detach() - noise).argmax(dim=-1, keepdim=True)
    chosen = values.gather(-1, index).squeeze(-1)
    return chosen + (values.detach().logsumexp(dim=-1) - chosen.detach())
