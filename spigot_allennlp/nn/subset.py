"""
Subsets of exactly k of n parts: the best one, sums over all, samples, and projections onto the
hull.

The sum over all subsets is the elementary symmetric polynomial of degree k in the exponentials of
the scores. Its recurrence, `e_j(x_1 .. x_i) = e_j(x_1 .. x_{i-1}) + x_i e_{j-1}(x_1 .. x_{i-1})`,
runs over the parts, on the logarithms of all degrees up to k and all instances at once, in double
precision, so scores may have any size. The marginals and their derivative follow from the sums over
the parts before and after each part ([Ahmed et al., 2023](https://arxiv.org/abs/2210.01941)).

The hull is `{0 <= z <= 1, sum z = k}`, the hypersimplex. All parts of an instance count as one row,
whatever their dimensions. An instance with legal parts, but fewer than k, has no subset. One
without legal parts is padding, and has only the empty subset. Everything is computed in torch, on
any device.
"""

from dataclasses import dataclass
from typing import NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import closed_form_autograd
from spigot_allennlp.nn.instances import at_least_single, flatten_parts
from spigot_allennlp.nn.tensor_checks import PARTS, check_pair, check_scores

# The sum of an origin in the hull may differ from k by this many rounding units, times k.
ROUNDING = 4


def best_subset(scores: Tensor, mask: BoolTensor, k: int) -> Tensor:
    """
    Returns the k best legal parts of each instance as zeros and ones, in the shape and type of
    `scores`, `(batch_size, *parts)`; all zero if fewer than k legal parts are finite.
    """
    check_scores(PARTS, scores, mask)
    legal = flatten_parts(at_least_single(scores.detach()).masked_fill(~mask, -torch.inf))
    best = torch.zeros_like(legal)
    if k <= legal.size(1):
        highest = legal.topk(k, dim=1)
        is_possible = highest.values[:, -1:] > -torch.inf
        best.scatter_(1, highest.indices, is_possible.to(best.dtype).expand(-1, k))
    return best.reshape(scores.shape).to(scores.dtype)


def subset_log_partition(scores: Tensor, mask: BoolTensor, k: int) -> Tensor:
    """
    Returns the logarithm, in nats, of the sum over all subsets of the exponentials of their scores:
    shape `(batch_size,)`, in at least single precision, twice differentiable. Minus infinity if
    there is no subset.
    """
    check_scores(PARTS, scores, mask)
    flat = flatten_parts(scores), flatten_parts(mask)
    return closed_form_autograd.log_partition(*flat, _SubsetSums(k))


def subset_log_partition_and_marginals(
    scores: Tensor, mask: BoolTensor, k: int
) -> Tuple[Tensor, Tensor]:
    """
    Returns the log-partition, and the probability of each part to be in a subset, in the shape and
    type of `scores`, differentiable once.
    """
    check_scores(PARTS, scores, mask)
    flat = flatten_parts(scores), flatten_parts(mask)
    total, marginals = closed_form_autograd.log_partition_and_marginals(*flat, _SubsetSums(k))
    return total, marginals.reshape(scores.shape)


def sample_subset(scores: Tensor, mask: BoolTensor, k: int) -> Tensor:
    """
    Returns an exact sample, a subset with a probability proportional to the exponential of its
    score, as zeros and ones like `best_subset`; not differentiable.

    It decides part by part: with j parts still to choose, the probability of a part is its share in
    the sum over all choices of j among it and the later parts.
    """
    check_scores(PARTS, scores, mask)
    legal, size = _legal_scores(scores, mask), flatten_parts(mask).size(1)
    sample = torch.zeros_like(legal)
    if k > size:
        return sample.reshape(scores.shape).to(scores.dtype)
    # (batch_size, size + 1, k + 1): of the parts from a position on
    later = _polynomials(legal.flip(1), k).logarithms.flip(1)
    uniforms = legal.new_empty(legal.shape).uniform_()
    # (batch_size, 1): the number of parts still to choose
    remaining = (later[:, 0, k:] > -torch.inf).long() * k
    for part in range(size):
        everything = later[:, part].gather(1, remaining)
        one_fewer = later[:, part + 1].gather(1, (remaining - 1).clamp(min=0))
        probability = (legal[:, part, None] + one_fewer - everything).exp()
        is_chosen = (remaining > 0) & (uniforms[:, part, None] < probability)
        sample[:, part, None] = is_chosen.to(sample.dtype)
        remaining = remaining - is_chosen.long()
    return sample.reshape(scores.shape).to(scores.dtype)


@dataclass(frozen=True)
class _SubsetSums(closed_form_autograd.Inference):
    """Sums over the subsets of `k` parts, from scores of shape `(batch_size, size)`."""

    k: int

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        legal = _legal_scores(scores, mask)
        sums = _sums(legal, self.k)
        is_padding = ~mask.any(dim=1)
        total = sums.total.squeeze(1).masked_fill(is_padding, 0)
        marginals = sums.shares.sum(dim=2)
        return total.to(at_least_single(scores).dtype), marginals.to(scores.dtype)

    def marginals_jvp(self, scores: Tensor, mask: BoolTensor, direction: Tensor) -> Tensor:
        legal = _legal_scores(scores, mask)
        is_impossible = legal == -torch.inf
        sums = _sums(legal, self.k, direction.detach().double().masked_fill(is_impossible, 0))
        # zero off the mask, even if the direction is not finite
        change = (sums.shares * sums.slopes).sum(dim=2).masked_fill(is_impossible, 0)
        return change.to(scores.dtype)


class _Polynomials(NamedTuple):
    """
    The elementary symmetric polynomials of the exponentials of the first 0, 1, .. scores.

    # Parameters

    logarithms : `Tensor`
        Shape `(batch_size, size + 1, k + 1)`: by the number of scores and by degree 0, 1, .. k.
    slopes : `Tensor`
        Of the same shape: the derivatives of the logarithms along a direction, zero where the
        polynomial is zero; empty if there is no direction.
    """

    logarithms: Tensor
    slopes: Tensor


class _Sums(NamedTuple):
    """
    The components of the marginals.

    # Parameters

    total : `Tensor`
        Shape `(batch_size, 1)`: the log-partition; minus infinity if there is no subset.
    shares : `Tensor`
        Shape `(batch_size, size, k)`: the probability that a part is in the subset, and that 0, 1,
        .. k - 1 of those before it are.
    slopes : `Tensor`
        Of the same shape: the derivatives of the logarithms of the shares along a direction; empty
        if there is no direction.
    """

    total: Tensor
    shares: Tensor
    slopes: Tensor


def _sums(legal: Tensor, k: int, direction: Optional[Tensor] = None) -> _Sums:
    """
    Computes the sums from scores of shape `(batch_size, size)`, minus infinity for illegal parts,
    and their derivatives along a `direction` of this shape, if given.
    """
    k = min(k, legal.size(1) + 1)  # there is no subset of this many parts either
    before = _polynomials(legal, k, direction)
    backwards = _polynomials(legal.flip(1), k, None if direction is None else direction.flip(1))
    # (batch_size, size + 1, k + 1): of the parts from a position on
    after = _Polynomials(backwards.logarithms.flip(1), backwards.slopes.flip(1))
    total = before.logarithms[:, -1, k:]
    of_others = before.logarithms[:, :-1, :k] + after.logarithms[:, 1:, :k].flip(2)
    shares = (of_others + legal.unsqueeze(2) - total.unsqueeze(2)).exp()
    shares = shares.masked_fill(total.unsqueeze(2) == -torch.inf, 0)
    if direction is None:
        return _Sums(total, shares, before.slopes)
    slopes = before.slopes[:, :-1, :k] + after.slopes[:, 1:, :k].flip(2)
    slopes = slopes + direction.unsqueeze(2) - before.slopes[:, -1:, k:]
    return _Sums(total, shares, slopes)


def _legal_scores(scores: Tensor, mask: BoolTensor) -> Tensor:
    """
    Returns the scores in double precision, shape `(batch_size, size)`, minus infinity for illegal
    parts.
    """
    return flatten_parts(scores.detach().double().masked_fill(~mask, -torch.inf))


def _polynomials(legal: Tensor, k: int, direction: Optional[Tensor] = None) -> _Polynomials:
    """
    Computes the polynomials up to degree `k` of scores, shape `(batch_size, size)`, and their
    derivatives along a `direction` of this shape, if given.
    """
    batch_size, size = legal.shape
    logarithm = legal.new_full((batch_size, k + 1), -torch.inf)
    logarithm[:, 0] = 0
    slope = torch.zeros_like(logarithm)
    logarithms, slopes = [logarithm], [slope]
    for part in range(size):
        with_part = legal[:, part, None] + logarithm[:, :-1]
        longer = torch.logaddexp(logarithm[:, 1:], with_part)
        if direction is not None:
            # NaN where both are zero
            share = (with_part - longer).exp().nan_to_num(nan=0.0)
            change = direction[:, part, None] + slope[:, :-1] - slope[:, 1:]
            slope = torch.cat([slope[:, :1], slope[:, 1:] + share * change], dim=1)
            slopes.append(slope)
        logarithm = torch.cat([logarithm[:, :1], longer], dim=1)
        logarithms.append(logarithm)
    return _Polynomials(
        torch.stack(logarithms, dim=1),
        legal.new_empty(0, 0, 0) if direction is None else torch.stack(slopes, dim=1),
    )


def hypersimplex_step(origin: Tensor, step: Tensor, mask: BoolTensor, k: int) -> Tensor:
    """
    Returns `origin - argmin ||z - (origin - step)||` over `{0 <= z <= 1, sum z = k}` for each
    instance, in a form that does not lose small steps (see `nn/simplex/simplex.py`).

    The projection is `clip(origin - step - tau, 0, 1)` with a `tau` that makes it sum to k. Hence
    the step is `clip(step + tau, origin - 1, origin)`. Its sum grows with tau, linearly between
    points where an entry starts or stops moving. A binary search among these sorted points shows
    which entries move with tau, and their sum gives tau. Adding a constant to the steps changes
    nothing, so the step of the k-th largest entry is subtracted, and large steps cost no precision.

    # Parameters

    origin, step : `Tensor`
        Shape `(batch_size, *parts)`, any origin (a point of the hull, or zero). A step of plus
        infinity excludes a part.
    mask : `BoolTensor`
        Of the same shape: parts outside are zero in the result. If fewer than k can be reached, the
        projection is zero.
    k : `int`
    """
    check_pair(("origin", "step"), PARTS, origin, step, mask)
    dtype = torch.promote_types(origin.dtype, step.dtype)
    inside = torch.promote_types(dtype, torch.float32)
    legal_origin = flatten_parts(origin.detach().to(inside).masked_fill(~mask, 0))
    legal_step = flatten_parts(step.detach().to(inside).masked_fill(~mask, torch.inf))
    if k > legal_origin.size(1):
        return legal_origin.reshape(origin.shape).to(dtype)
    return _step(legal_origin, legal_step, k).reshape(origin.shape).to(dtype)


def _step(origin: Tensor, step: Tensor, k: int) -> Tensor:
    """Returns the step above, shape `(batch_size, size)`, for at least k parts, all legal."""
    is_lost = (step < torch.inf).sum(dim=1, keepdim=True) < k
    kth = (origin - step).topk(k, dim=1).indices[:, -1:]
    step = step - step.gather(1, kth).masked_fill(is_lost, 0)
    # The values of tau between which an entry moves. The interval of the k-th largest contains the
    # solution, up to rounding; others are not needed.
    begins, ends = origin - 1 - step, origin - step
    nearby = origin.gather(1, kth)
    points = torch.cat([begins, ends], dim=1).clamp(nearby - 2, nearby + 1).sort(dim=1).values
    excess = origin.sum(dim=1, keepdim=True) - k
    excess = excess.masked_fill(excess.abs() <= k * ROUNDING * torch.finfo(excess.dtype).eps, 0)
    # the last point where the sum is not too large, among the points from `first` to `last`
    first = torch.zeros_like(kth)
    last = torch.full_like(kth, points.size(1) - 1)
    for _ in range(points.size(1).bit_length()):
        middle = (first + last + 1) // 2
        moved = _clip(step + points.gather(1, middle), origin)
        fits = moved.sum(dim=1, keepdim=True) <= excess
        first, last = torch.where(fits, middle, first), torch.where(fits, last, middle - 1)
    first = first.clamp(max=points.size(1) - 2)
    left, right = points.gather(1, first), points.gather(1, first + 1)
    is_moving = (begins <= left) & (ends >= right)
    at_bound = torch.where(ends < right, origin, origin - 1).masked_fill(is_moving, 0)
    number = is_moving.sum(dim=1, keepdim=True)
    remaining = excess - at_bound.sum(dim=1, keepdim=True)
    of_moving = step.masked_fill(~is_moving, 0).sum(dim=1, keepdim=True)
    tau = torch.where(number > 0, (remaining - of_moving) / number.clamp(min=1), left)
    return torch.where(is_lost, origin, _clip(step + tau, origin))


def _clip(moved: Tensor, origin: Tensor) -> Tensor:
    """Clips a step from `origin` to the unit cube."""
    return torch.minimum(torch.maximum(moved, origin - 1), origin)


def hypersimplex_jvp(point: Tensor, direction: Tensor) -> Tensor:
    """
    Returns the Jacobian of the projection onto `{0 <= z <= 1, sum z = k}`, at the projection
    `point`, times `direction`, both `(batch_size, *parts)`: `direction` without its mean, among the
    entries between zero and one. The Jacobian is symmetric.
    """
    check_pair(("point", "direction"), PARTS, point, direction)
    is_inside = flatten_parts((point > 0) & (point < 1))
    moved = flatten_parts(direction).masked_fill(~is_inside, 0)
    mean = moved.sum(dim=1, keepdim=True) / is_inside.sum(dim=1, keepdim=True).clamp(min=1)
    return (moved - mean).masked_fill(~is_inside, 0).reshape(point.shape)
