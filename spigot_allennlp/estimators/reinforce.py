"""The score function estimator: a sampled object becomes likelier if it beats a baseline."""

from collections import deque
from typing import Deque, List, NamedTuple

import torch
from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_interval
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, RunningNumbers
from spigot_allennlp.estimators.problem import ArgmaxProblem, check_losses
from spigot_allennlp.nn.transforms import is_in_backward_pass, uncompiled

# `torch.utils.checkpoint` may compute this many of the latest batches again.
NUM_REMEMBERED = 100


class Baseline(NamedTuple):
    """
    The baseline of a batch.

    # Parameters

    losses : `Tensor`
        Shape `(batch_size,)`.
    mean : `Tensor`
        A scalar: the running mean before these losses.
    """

    losses: Tensor
    mean: Tensor

    def is_of(self, losses: Tensor) -> bool:
        """Tells whether it is the baseline of these `losses`."""
        return (
            self.losses.device == losses.device
            and self.losses.dtype == losses.dtype
            and torch.equal(self.losses, losses)
        )


@GradientEstimator.register("reinforce")
class Reinforce(RunningNumbers, GradientEstimator):
    """
    Samples an object exactly from `p(z) ∝ exp <scores, z>`. The estimate of the gradient of the
    expected loss is unbiased ([Williams, 1992](https://doi.org/10.1007/BF00992696), section 4):
    `dL/ds = (L(z) - baseline) * d log p(z) / ds`. No gradient passes through the object itself; the
    estimate is the gradient of `auxiliary_loss`. At test time the value is the argmax.

    With one sample the baseline is a running mean of the losses, in which a batch counts once, even
    if `torch.utils.checkpoint` computes it twice. With several it is the mean loss of the other
    samples ([Kool et al., 2019](https://openreview.net/forum?id=r1lgTGL5DE)); the rest
    of the model is then trained on the first sample alone.

    Registered as a `GradientEstimator` with name "reinforce". Needs `log_partition` and `sample` of
    its structure.

    # Parameters

    num_samples : `int`, optional (default = `1`)
        For every further sample the rest of the model runs once more, without a gradient.
    decay : `float`, optional (default = `0.99`)
        The decay of the running mean; with 1 the baseline stays zero.
    """

    requires = frozenset({"log_partition", "sample"})
    # Archives use these names. The running mean is `_usual / _weight`.
    _usual: Tensor
    _weight: Tensor

    def __init__(self, num_samples: int = 1, decay: float = 0.99) -> None:
        super().__init__()
        check_counts(num_samples=num_samples)
        check_interval("[0, 1]", decay=decay)
        self._num_samples = num_samples
        self._decay = decay
        self.register_buffer("_usual", torch.zeros(()))
        self.register_buffer("_weight", torch.zeros(()))
        self._remembered: Deque[Baseline] = deque(maxlen=NUM_REMEMBERED)

    @property
    def reevaluates(self) -> bool:
        return self._num_samples > 1

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        return problem.sample()

    @uncompiled  # what it remembers would need a graph for each batch
    def auxiliary_loss(self, problem: ArgmaxProblem, value: Tensor, losses: Tensor) -> Tensor:
        """Returns zero, with the gradient above, so the reported loss does not change."""
        check_losses("auxiliary_loss needs", losses, len(value))
        seen = losses.detach()
        if self._num_samples == 1:
            advantages = [(value, seen - self._running_mean(seen))]
        else:
            vertices = [value, *(problem.sample() for _ in range(self._num_samples - 1))]
            results = [seen, *(problem.repeated_losses(vertex) for vertex in vertices[1:])]
            baselines = _means_of_others(results)
            advantages = [
                (vertex, result - baseline)
                for vertex, result, baseline in zip(vertices, results, baselines, strict=True)
            ]
        terms = [advantage * problem.log_prob(vertex) for vertex, advantage in advantages]
        parts = torch.stack(terms)
        total = parts.mean() if parts.numel() else parts.sum()  # the mean of no losses is NaN
        return total - total.detach()

    def _running_mean(self, losses: Tensor) -> Tensor:
        """
        Returns the mean of the previous losses, and then adds these to it, if they are finite.

        In a backward pass, `torch.utils.checkpoint` computes a batch again: then the mean is that
        of the first time, and stays as it is.
        """
        mean = self._usual / self._weight if self._weight > 0 else self._usual.clone()
        if is_in_backward_pass():
            known = [baseline for baseline in self._remembered if baseline.is_of(losses)]
            return known[-1].mean if known else mean
        self._remembered.append(Baseline(losses.clone(), mean))
        finite = losses[losses.isfinite()]
        if len(finite):
            self._usual.lerp_(finite.mean().to(self._usual.dtype), 1 - self._decay)
            self._weight.lerp_(torch.ones_like(self._weight), 1 - self._decay)
        return mean


def _means_of_others(results: List[Tensor]) -> List[Tensor]:
    total = torch.stack(results).sum(dim=0)
    return [(total - result) / (len(results) - 1) for result in results]
