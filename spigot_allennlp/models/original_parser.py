"""A semantic parser as it was before it was trained on for another task."""

import copy

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors
from torch import BoolTensor, Tensor

from spigot_allennlp.models.semantic_parser import SemanticParser
from spigot_allennlp.modules.determinism import without_dropout


class OriginalParser(torch.nn.Module):
    """
    A frozen copy of `parser`, always without dropout: what the arcs of joint training are compared
    with, and what says which arcs are candidates at all.

    # Parameters

    parser : `SemanticParser`
    min_probability : `float`
        Of a candidate, a labelled arc, under the copy's distribution of graphs.
    """

    def __init__(self, parser: SemanticParser, min_probability: float) -> None:
        super().__init__()
        if not 0 <= min_probability < 1:
            raise ConfigurationError(
                f"min_probability must be in [0, 1) but found {min_probability}."
            )
        if min_probability and not parser.structure.provides("log_partition"):
            raise ConfigurationError(
                f"min_probability is {min_probability}, but the parser's structure has no "
                "probabilities (it does not provide log_partition; deterministic_roles take it "
                "away). Set it to 0."
            )
        self._parser = copy.deepcopy(parser).requires_grad_(False)
        self._min_probability = min_probability

    @property
    def prunes(self) -> bool:
        """Whether some arcs are no candidates."""
        return self._min_probability > 0

    @torch.no_grad()
    def forward(self, tokens: TextFieldTensors) -> Tensor:
        """The scores, shape `(batch_size, argument, predicate, label)`."""
        with without_dropout(self._parser):
            return self._parser.scores(self._parser.encoder(tokens)[0])

    def candidates(self, scores: Tensor, mask: BoolTensor) -> BoolTensor:
        """Which labelled arcs are probable enough by its `scores`; of their shape."""
        structure = self._parser.structure
        part_mask = structure.part_mask(mask, scores.shape)
        if not self.prunes:
            return part_mask
        return structure.marginals(scores, part_mask) >= self._min_probability
