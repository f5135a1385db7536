"""Bias and variance of gradient estimators, where the exact gradient can be computed by listing."""

from typing import Iterator, List, NamedTuple, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from studies.gradients.exact import (
    Listed,
    exact_gradient,
    listed_structures,
    random_losses,
)
from studies.gradients.rivals import RANDOM, make_estimator, names_for, score_gradients


class Comparison(NamedTuple):
    """
    Compares a gradient with the exact one, over many problems with their own scores and losses.

    All but `cosine_alone` are computed from the concatenated gradients of all problems. The
    variance of the mean over the samples is subtracted from its squared norm and distance.

    # Parameters

    structure, estimator : `str`
    scale : `float`
        The standard deviation of the scores.
    cosine : `float`
        Between the mean gradient and the exact one. Since the norm is an estimate, the quotient may
        be outside of [-1, 1], and is clamped to it; NaN if the estimated norm is zero.
    cosine_alone : `float`
        The mean of the cosines for single problems; zero where there is no gradient.
    norm : `float`
        The norm of the mean gradient, relative to the exact one.
    bias : `float`
        The distance between the mean gradient and the exact one, relative to the exact norm.
    spread : `float`
        The standard deviation of a sample, relative to the exact norm. The variance is its square.
    """

    structure: str
    estimator: str
    scale: float
    cosine: float
    cosine_alone: float
    norm: float
    bias: float
    spread: float


def comparisons(
    num_problems: int, num_samples: int, scales: Sequence[float], seed: int
) -> Iterator[Comparison]:
    """Yields a comparison for each structure, scale and estimator."""
    for listed in listed_structures():
        for scale in scales:
            for estimator in names_for(listed.structure):
                torch.manual_seed(seed)
                samples = num_samples if estimator in RANDOM else 1
                yield _compare(listed, scale, estimator, num_problems, samples)


def _compare(
    listed: Listed, scale: float, name: str, num_problems: int, num_samples: int
) -> Comparison:
    parts = listed.mask.shape
    losses = random_losses(num_problems, listed.mask)
    scores = scale * torch.randn(num_problems, *parts, dtype=torch.double) * listed.mask
    exact = exact_gradient(listed.objects, scores, losses.of(listed.objects.unsqueeze(1)))
    repeated = scores.expand(num_samples, *scores.shape).flatten(0, 1)

    def downstream(values: Tensor) -> Tensor:
        return losses.of(values.view(num_samples, num_problems, *parts)).flatten()

    estimator = make_estimator(name, listed.structure)
    if name == "reinforce":  # before its first batch, its running mean of the losses is zero
        score_gradients(estimator, listed.structure, repeated, listed.mask, downstream)
    samples = score_gradients(estimator, listed.structure, repeated, listed.mask, downstream)
    samples = samples.view(num_samples, -1)
    mean, unit = samples.mean(dim=0), float(exact.norm())
    variance = float(((samples - mean) ** 2).sum()) / max(num_samples - 1, 1)
    norm = max(float(mean.norm()) ** 2 - variance / num_samples, 0.0) ** 0.5
    distance = max(float((mean - exact.flatten()).norm()) ** 2 - variance / num_samples, 0.0) ** 0.5
    return Comparison(
        listed.name,
        name,
        scale,
        estimated_cosine(float(mean @ exact.flatten()), norm, unit),
        float(cosine_similarity(mean.view(exact.shape).flatten(1), exact.flatten(1)).mean()),
        norm / unit,
        distance / unit,
        variance**0.5 / unit,
    )


def estimated_cosine(product: float, norm: float, exact_norm: float) -> float:
    """
    Returns the cosine of two vectors with this inner product, clamped to [-1, 1] in case an
    estimated `norm` is too small; NaN if a norm is zero.
    """
    if norm == 0 or exact_norm == 0:
        return float("nan")
    return min(max(product / (norm * exact_norm), -1.0), 1.0)


class Averaged(NamedTuple):
    """
    The cosine of the exact gradient and the mean over `num_instances` instances with equal scores.

    # Parameters

    structure, estimator : `str`
    num_instances : `int`
    cosine : `float`
    """

    structure: str
    estimator: str
    num_instances: int
    cosine: float


def averages(
    estimators: Sequence[str], num_repeats: int, counts: Sequence[int], noise: float, seed: int
) -> Iterator[Averaged]:
    """
    Yields cosines of means over more and more instances. They share their scores, as words of one
    kind would, but not their losses. The losses are linear, with the same signal plus noise of
    `noise` times its size. The exact gradient is that of the expected loss without noise.
    """
    for listed in listed_structures()[2:]:
        for name in estimators:
            torch.manual_seed(seed)
            cosines = [_averaged(listed, name, counts, noise) for _ in range(num_repeats)]
            for count, values in zip(counts, zip(*cosines, strict=True), strict=True):
                yield Averaged(listed.name, name, count, sum(values) / num_repeats)


def _averaged(listed: Listed, name: str, counts: Sequence[int], noise: float) -> List[float]:
    scores, signal = torch.randn(2, *listed.mask.shape, dtype=torch.double) * listed.mask
    costs = signal + noise * torch.randn(max(counts), *signal.shape, dtype=torch.double)
    linear = (listed.objects * signal).flatten(1).sum(dim=1, keepdim=True)
    exact = exact_gradient(listed.objects, scores.unsqueeze(0), linear).flatten()
    estimator = make_estimator(name, listed.structure)
    repeated = scores.expand(max(counts), *scores.shape)
    gradients = score_gradients(
        estimator,
        listed.structure,
        repeated,
        listed.mask,
        lambda value: (value * costs).flatten(1).sum(dim=1),
    )
    means = (gradients[:count].mean(dim=0).flatten() for count in counts)
    return [float(mean @ exact / (mean.norm() * exact.norm()).clamp(min=1e-30)) for mean in means]
