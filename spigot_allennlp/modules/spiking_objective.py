"""
The objective of a spiking classifier: a loss of firing counts, weighted by sample, and a penalty on
weights, all as in the code of [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866).
"""

import logging
import math

import torch
import torch.distributed
from allennlp.common import FromParams, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.nn.regularizers import Regularizer
from torch import LongTensor, Tensor
from torch.nn.functional import cross_entropy

from spigot_allennlp.config_checks import check_least, check_positive

logger = logging.getLogger(__name__)


class CountLoss(torch.nn.Module, Registrable):
    """
    Computes a loss from the firing counts of the output neurons; by default "squared".

    `lowers_zero_counts` says whether the loss may keep lowering a count that is already zero. The
    gradient of the network then guards against that (`SpikingGradient.guard_silent_neurons`).
    """

    default_implementation = "squared"
    lowers_zero_counts = True

    def forward(self, counts: Tensor, label: LongTensor) -> Tensor:
        """Returns the loss of each sample, `(batch_size,)`, given `(batch_size, num_classes)`."""
        raise NotImplementedError


@CountLoss.register("squared")
class SquaredCountLoss(CountLoss):
    """
    Computes half the squared distance between the counts of the output neurons and the desired
    counts; neurons that are close enough cost nothing. The defaults are for 400 steps.

    Registered as a `CountLoss` with name "squared", the default.

    # Parameters

    desired : `float`, optional (default = `35.0`)
        The desired count of the neuron of the right class.
    undesired : `float`, optional (default = `5.0`)
        The desired count of all other neurons.
    margin : `float`, optional (default = `5.0`)
        The error up to which a neuron is close enough.
    """

    lowers_zero_counts = False  # no count that is desired is below zero

    def __init__(self, desired: float = 35.0, undesired: float = 5.0, margin: float = 5.0) -> None:
        super().__init__()
        if not desired > undesired >= 0:
            raise ConfigurationError(
                f"desired must be more than undesired, and both counts, but found {desired} and "
                f"{undesired}."
            )
        check_least(0, margin=margin)
        if not desired - margin > undesired + margin:
            raise ConfigurationError(
                f"margin must be less than half of what desired is above undesired, but found "
                f"margin {margin}, desired {desired} and undesired {undesired}: a wrong neuron "
                "could fire as often as the right one, and cost nothing."
            )
        self._desired = desired
        self._undesired = undesired
        self._margin = margin

    def forward(self, counts: Tensor, label: LongTensor) -> Tensor:
        wanted = torch.full_like(counts, self._undesired)
        wanted = wanted.scatter(1, label.unsqueeze(1), self._desired)
        error = counts - wanted
        return torch.where(error.abs() > self._margin, error**2 / 2, 0).sum(dim=1)


@CountLoss.register("softmax")
class SoftmaxCountLoss(CountLoss):
    """
    Computes the cross-entropy of a softmax of the counts. It depends only on differences of counts,
    and sets no target for them. With the default temperature it is nearly flat once the right
    neuron is some ten spikes ahead of all others. For several hundred steps, try a higher
    temperature, such as 5.

    Registered as a `CountLoss` with name "softmax".

    # Parameters

    temperature : `float`, optional (default = `1.0`)
        The counts are divided by it.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self._temperature = temperature

    def forward(self, counts: Tensor, label: LongTensor) -> Tensor:
        return cross_entropy(counts / self._temperature, label, reduction="none")


class SampleBoosting(torch.nn.Module, FromParams):
    """
    Gives hard training samples more weight from epoch to epoch. After each epoch the weight of a
    misclassified sample is multiplied by `exp(rate * error)`, where `error` is the misclassified
    share of its class, by weight. Needs the callback "boosting", which signals the end of an epoch.

    In distributed training the processes exchange the results of their samples in each batch, so
    the weights are the same as in a single process.

    # Parameters

    num_samples : `int`
        At least the highest number that the reader gives a training sample, plus one.
    rate : `float`, optional (default = `0.05`)
    """

    weights: Tensor
    wrong: Tensor
    labels: Tensor

    def __init__(self, num_samples: int, rate: float = 0.05) -> None:
        super().__init__()
        check_least(0, rate=rate)
        check_least(1, num_samples=num_samples)
        self._rate = rate
        # since an epoch ended
        self._num_seen = 0
        self.register_buffer("weights", torch.ones(num_samples))
        self.register_buffer("wrong", torch.zeros(num_samples, dtype=torch.bool))
        # -1 for samples that have not been seen
        self.register_buffer("labels", torch.full((num_samples,), -1))

    def forward(self, samples: LongTensor, label: LongTensor, predicted: LongTensor) -> Tensor:
        """
        Returns the weights of these samples, and records which were classified correctly; all
        tensors have shape `(batch_size,)`.
        """
        if len(samples) and int(samples.min()) < 0:
            raise ConfigurationError(
                f"There is a sample number {int(samples.min())}, but the boosting counts samples "
                "from 0. Let the reader number them so."
            )
        if len(samples) and int(samples.max()) >= len(self.weights):
            raise ConfigurationError(
                f"num_samples of the boosting is {len(self.weights)}, but there is a sample number "
                f"{int(samples.max())}. Raise num_samples."
            )
        self._warn_without_callback(len(samples))
        if is_distributed():
            self._share(samples, label, predicted)
        else:
            self.labels[samples] = label
            self.wrong[samples] = predicted != label
        return self.weights[samples]

    def _warn_without_callback(self, num_samples: int) -> None:
        """Warns, once, if so many samples have been seen that an epoch must have ended."""
        enough = 2 * len(self.weights)
        before, self._num_seen = self._num_seen, self._num_seen + num_samples
        if before <= enough < self._num_seen:
            logger.warning(
                "The boosting has seen more than %d samples since an epoch ended, twice its "
                "num_samples: nothing tells it when one does, so that all samples weigh the same. "
                'Add {"type": "boosting"} to the callbacks of the trainer.',
                enough,
            )

    def _share(self, samples: LongTensor, label: LongTensor, predicted: LongTensor) -> None:
        """Records the samples of all processes, whose batches may differ in size."""
        # Label and error in one number; -1 for samples in none of the batches.
        seen = torch.full_like(self.labels, -1)
        seen[samples] = 2 * label + (predicted != label)
        torch.distributed.all_reduce(seen, op=torch.distributed.ReduceOp.MAX)
        self.labels.copy_(torch.where(seen >= 0, seen // 2, self.labels))
        self.wrong.copy_(torch.where(seen >= 0, seen % 2 == 1, self.wrong))

    def end_epoch(self) -> None:
        """Raises the weights of the samples that were misclassified when last seen."""
        self._num_seen = 0
        seen = self.labels >= 0
        labels, weights, wrong = self.labels[seen], self.weights[seen], self.wrong[seen]
        if len(labels):
            total = torch.bincount(labels, weights)
            error = torch.bincount(labels, weights * wrong, minlength=len(total)) / total
            grown = weights * torch.exp(self._rate * error[labels] * wrong).to(weights.dtype)
            self.weights[seen] = grown


@Regularizer.register("exponential")
class ExponentialPenalty(Regularizer):
    """
    A penalty that grows exponentially with the mean square of a neuron's weights. The gradient for
    weight `w_ij` of neuron i is
    `strength * rate * w_ij / limit * exp(rate * (mean_j (w_ij / limit) ** 2 - 1))`. It is zero
    where all weights are zero.

    Registered as a `Regularizer` with name "exponential".

    # Parameters

    strength : `float`, optional (default = `10.0`)
    rate : `float`, optional (default = `0.04`)
        0.04 for MNIST, 0.01 for N-MNIST.
    limit : `float`, optional (default = `8.0`)
    """

    def __init__(self, strength: float = 10.0, rate: float = 0.04, limit: float = 8.0) -> None:
        check_least(0, strength=strength, rate=rate)
        check_positive(limit=limit)
        self._strength = strength
        self._rate = rate
        self._limit = limit

    def __call__(self, parameter: Tensor) -> Tensor:
        """Returns a scalar, given weights of shape `(num_inputs, num_neurons)`."""
        mean = (parameter / self._limit).square().mean(dim=0)
        excess = torch.expm1(self._rate * mean) * math.exp(-self._rate)
        return self._strength * self._limit * len(parameter) / 2 * excess.sum()
