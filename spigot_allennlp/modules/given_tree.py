"""
Trees that do not come from a parser: gold trees, with or without errors, and trees that ignore the
sentence. What a model gains from them bounds what it could gain from a parser's trees.
"""

import zlib
from typing import Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.config_checks import check_choice, check_interval
from spigot_allennlp.nn.arcs import arcs_from_heads
from spigot_allennlp.nn.tensor_checks import INTEGERS, TRUTH_VALUES, Argument, Signature

_SENTENCES = Signature(
    Argument("mask", TRUTH_VALUES, ("batch_size", "positions")),
    Argument("heads", INTEGERS, ("batch_size", "length")),
)


class GivenTree(torch.nn.Module, Registrable):
    """Provides a tree for each sentence."""

    def heads(self, mask: BoolTensor, gold: Optional[LongTensor]) -> LongTensor:
        """Returns the head of each token, shape `(batch_size, length)`; see `forward`."""
        raise NotImplementedError

    def forward(self, mask: BoolTensor, gold: Optional[LongTensor] = None) -> Tensor:
        """
        # Parameters

        mask : `BoolTensor`
            Shape `(batch_size, 1 + length)`: the root and the tokens.
        gold : `LongTensor`, optional
            Shape `(batch_size, length)`: the position of each token's gold head, from 1; the root
            is 0.

        # Returns

        `Tensor`
            The arcs, as zeros and ones, shape `(batch_size, dependent, head)`, both of
            `1 + length`.
        """
        heads = self.heads(mask, gold)
        _SENTENCES.check(mask, heads)
        legal = mask.unsqueeze(1) & mask.unsqueeze(2)
        legal[:, 0] = False  # the root has no head
        return arcs_from_heads(heads, legal)[1].float()


@GivenTree.register("gold")
class GoldTree(GivenTree):
    """
    The gold tree, optionally with some heads replaced at random. The result is then usually not a
    tree. A sentence always has the same errors.

    Registered as a `GivenTree` with name "gold".

    # Parameters

    error_rate : `float`, optional (default = `0.0`)
        The probability that a token gets a wrong head, chosen uniformly from the other tokens and
        the root.
    seed : `int`, optional (default = `0`)
        The seed of the errors.
    """

    def __init__(self, error_rate: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        check_interval("[0, 1]", error_rate=error_rate)
        self._error_rate = error_rate
        self._seed = seed

    def heads(self, mask: BoolTensor, gold: Optional[LongTensor]) -> LongTensor:
        if gold is None:
            raise ConfigurationError(
                "The tree 'gold' needs gold trees, and these sentences have none. Read them with "
                "their trees (the reader's companion); without gold trees nothing can be predicted."
            )
        if self._error_rate == 0:
            return gold
        heads = gold.clone()
        for sentence, length in enumerate(mask.sum(dim=1).tolist()):
            of_sentence = heads[sentence, : length - 1]
            of_sentence.copy_(self._with_errors(of_sentence.cpu()))
        return heads

    def _with_errors(self, heads: LongTensor) -> LongTensor:
        length = len(heads)
        generator = torch.Generator()
        generator.manual_seed(zlib.crc32(str(heads.tolist()).encode(), self._seed))
        is_wrong = torch.rand(length, generator=generator) < self._error_rate
        # A token has `length` possible heads: the root and the other tokens. All but one are wrong.
        shift = torch.randint(1, max(length, 2), (length,), generator=generator)
        dependents = torch.arange(1, length + 1)
        places = heads - (heads > dependents).long()  # among the possible heads, without itself
        others = (places + shift) % length
        others += (others >= dependents).long()
        return torch.where(is_wrong & (length > 1), others, heads)


@GivenTree.register("neighbour")
class NeighbourTree(GivenTree):
    """
    Makes the neighbour of each token its head, or the root if there is none. This shows how much a
    tree helps that knows nothing about the sentence.

    Registered as a `GivenTree` with name "neighbour".

    # Parameters

    side : `str`, optional (default = `"left"`)
        `"left"` or `"right"`.
    """

    def __init__(self, side: str = "left") -> None:
        super().__init__()
        check_choice("side", side, ("left", "right"))
        self._side = side

    def heads(self, mask: BoolTensor, gold: Optional[LongTensor]) -> LongTensor:
        positions = torch.arange(1, mask.size(1), device=mask.device).expand(len(mask), -1)
        if self._side == "left":
            return positions - 1
        last = mask.sum(dim=1, keepdim=True) - 1
        return torch.where(positions >= last, 0, positions + 1)
