"""What firing counts cost: the squared distance from those that are desired."""

import torch
from allennlp.common import FromParams
from allennlp.common.checks import ConfigurationError
from torch import LongTensor, Tensor


class CountLoss(torch.nn.Module, FromParams):
    """
    Half the squared distance between the counts of the output neurons and those desired; neurons
    that are near enough cost nothing. (Jin, Zhang & Li, 2018; the defaults are those of their code
    for 400 steps.)

    # Parameters

    desired : `float`, optional (default = `35.0`)
        The count of the neuron of the right class.
    undesired : `float`, optional (default = `5.0`)
        That of the others.
    margin : `float`, optional (default = `5.0`)
        The error up to which a neuron is near enough.
    """

    def __init__(self, desired: float = 35.0, undesired: float = 5.0, margin: float = 5.0) -> None:
        super().__init__()
        if not desired > undesired >= 0:
            raise ConfigurationError(
                f"desired must be more than undesired, and both counts, but found {desired} and "
                f"{undesired}."
            )
        if margin < 0:
            raise ConfigurationError(f"margin must not be negative but found {margin}.")
        self._desired = desired
        self._undesired = undesired
        self._margin = margin

    def forward(self, counts: Tensor, label: LongTensor) -> Tensor:
        """Of each sample, `(batch_size,)`, given counts `(batch_size, num_classes)`."""
        wanted = torch.full_like(counts, self._undesired)
        wanted = wanted.scatter(1, label.unsqueeze(1), self._desired)
        error = counts - wanted
        return torch.where(error.abs() > self._margin, error**2 / 2, 0).sum(dim=1)
