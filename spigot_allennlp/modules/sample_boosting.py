"""Training samples that are hard weigh more from epoch to epoch."""

import torch
from allennlp.common import FromParams
from allennlp.common.checks import ConfigurationError
from torch import LongTensor, Tensor


class SampleBoosting(torch.nn.Module, FromParams):
    """
    After each epoch the weight of a sample that was not recognized is multiplied by
    `exp(rate * error)`, where `error` is the share of its class, by weight, that was not. As in the
    code of Jin, Zhang & Li (2018). Needs the callback "boosting", which says when an epoch ends.

    # Parameters

    num_samples : `int`
        At least the number of the last training sample plus one, as its reader counts.
    rate : `float`, optional (default = `0.05`)
    """

    weights: Tensor
    wrong: Tensor
    labels: Tensor

    def __init__(self, num_samples: int, rate: float = 0.05) -> None:
        super().__init__()
        if rate < 0:
            raise ConfigurationError(f"rate must not be negative but found {rate}.")
        self._rate = rate
        self.register_buffer("weights", torch.ones(num_samples))
        self.register_buffer("wrong", torch.zeros(num_samples, dtype=torch.bool))
        # of samples that have been seen
        self.register_buffer("labels", torch.full((num_samples,), -1))

    def forward(self, samples: LongTensor, label: LongTensor, predicted: LongTensor) -> Tensor:
        """The weights of these samples, `(batch_size,)`, as all arguments are."""
        if int(samples.max()) >= len(self.weights):
            raise ConfigurationError(
                f"num_samples of the boosting is {len(self.weights)}, but there is a sample number "
                f"{int(samples.max())}. Raise num_samples."
            )
        self.labels[samples] = label
        self.wrong[samples] = predicted != label
        return self.weights[samples]

    def end_epoch(self) -> None:
        seen = self.labels >= 0
        labels, weights, wrong = self.labels[seen], self.weights[seen], self.wrong[seen]
        if len(labels):
            total = torch.bincount(labels, weights)
            error = torch.bincount(labels, weights * wrong, minlength=len(total)) / total
            grown = weights * torch.exp(self._rate * error[labels] * wrong).to(weights.dtype)
            self.weights[seen] = grown
