"""The loss of scores against a gold object of a structure."""

from typing import FrozenSet

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, Tensor

from spigot_allennlp.structures.structure import Structure


class StructuredLoss(torch.nn.Module, Registrable):
    """
    The loss of part scores against a gold object.

    `requires` names the optional operations of `Structure` that it calls.
    """

    requires: FrozenSet[str] = frozenset()

    def forward(
        self, structure: Structure, scores: Tensor, mask: BoolTensor, gold: Tensor
    ) -> Tensor:
        """
        # Parameters

        structure : `Structure`
        scores : `Tensor`
            Shape `(batch_size, *parts)`.
        mask : `BoolTensor`
            The legal parts, of the same shape.
        gold : `Tensor`
            The gold objects, as zeros and ones, of the same shape.

        # Returns

        `Tensor`
            The loss of each instance, summed over its parts, shape `(batch_size,)`.
        """
        raise NotImplementedError

    def check(self, structure: Structure) -> None:
        """Raises a `ConfigurationError` if `structure` does not provide what this loss requires."""
        for operation in sorted(self.requires):
            if not structure.provides(operation):
                raise ConfigurationError(
                    f"{type(self).__name__} needs {operation}, which {type(structure).__name__} "
                    "(so configured) does not provide. Choose the loss 'hinge', which needs none."
                )
