"""Prunes arcs by the posteriors of a small parser that is trained beforehand and frozen."""

from typing import Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors
from allennlp.models import Model
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_counts, check_interval


class Pruner(torch.nn.Module, Registrable):
    """
    Selects which arcs are candidates of a parser. All others are impossible: they score minus
    infinity, are never chosen and get no gradient. A subclass implements `select`.

    A pruner is trained separately. It is a parser like any other, only smaller
    (`syntactic_parser/pruner.jsonnet` and `semantic_parser/pruner.jsonnet`), and the config of the
    large parser names its archive:

        pruner: { type: 'heads', parser: { type: 'pretrained', archive_file: ARCHIVE } }

    In the large parser it is frozen and has no dropout. The vocabulary must begin with that of the
    archive; see `Pretrained`.

    # Parameters

    parser : `Model`
        A "syntactic_parser", or a "semantic_parser" without `arc_encoder`. Its structure must
        provide `log_partition`.
    """

    def __init__(self, parser: Model) -> None:
        super().__init__()
        if not hasattr(parser, "arc_posteriors"):
            raise ConfigurationError(
                "The parser of a pruner must be a 'syntactic_parser' or a 'semantic_parser', but "
                f"is a {type(parser).__name__}."
            )
        if not parser.structure.provides("log_partition"):
            raise ConfigurationError(
                f"The parser of a pruner needs posteriors, but its structure, "
                f"{type(parser.structure).__name__} (so configured), does not provide "
                "log_partition. Train a pruner without deterministic_roles."
            )
        if getattr(parser, "arc_encoder", None) is not None:
            raise ConfigurationError(
                "The parser of a pruner has an arc_encoder, which needs the arcs of another layer, "
                "but a pruner sees the words alone. Train a semantic_parser without arc_encoder "
                "and tree for it, as semantic_parser/pruner.jsonnet does."
            )
        self._parser = parser.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Pruner":
        """Keeps the pruner in evaluation mode, whatever the surrounding model does."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, tokens: TextFieldTensors) -> BoolTensor:
        """
        Returns the candidates, shape `(batch_size, dependent, head)`, including the root at
        position 0.
        """
        return self.select(self._parser.arc_posteriors(tokens))  # type: ignore[operator]

    def select(self, posteriors: Tensor) -> BoolTensor:
        """
        Returns the candidates, in the shape of `posteriors`, `(batch_size, dependent, head)`: the
        probability of each arc, zero for illegal ones.
        """
        raise NotImplementedError


@Pruner.register("heads")
class HeadPruner(Pruner):
    """
    Keeps the best heads of each token, as the syntactic pruner of
    [Peng et al. (2018)](https://aclanthology.org/P18-1173) does: a limited number of heads that are
    not much less probable than the best. The previous token (for the first token, the root) is
    always a candidate, so that there is a tree.

    Registered as a `Pruner` with name "heads".

    # Parameters

    parser : `Model`
    max_heads : `int`, optional (default = `10`)
        The number of heads of a token.
    min_ratio : `float`, optional (default = `0.0001`)
        The smallest ratio of a head's posterior to that of the token's best head.
    """

    def __init__(self, parser: Model, max_heads: int = 10, min_ratio: float = 0.0001) -> None:
        super().__init__(parser)
        check_counts(max_heads=max_heads)
        check_interval("[0, 1]", min_ratio=min_ratio)
        self._max_heads = max_heads
        self._min_ratio = min_ratio

    def select(self, posteriors: Tensor) -> BoolTensor:
        best = posteriors.amax(dim=-1, keepdim=True)
        probable = posteriors >= self._min_ratio * best
        before = torch.ones_like(probable).tril(-1).triu(-1)
        return probable & _among_best(posteriors, self._max_heads, dim=-1) | before


@Pruner.register("arguments")
class ArgumentPruner(Pruner):
    """
    Keeps the best arguments of each predicate and the best tops of the root, as the semantic pruner
    of [Peng et al. (2018)](https://aclanthology.org/P18-1173) does: a limited number of probable
    ones.

    Registered as a `Pruner` with name "arguments".

    # Parameters

    parser : `Model`
    max_arguments : `int`, optional (default = `20`)
        The number of arguments of a predicate.
    min_probability : `float`, optional (default = `0.0001`)
        The smallest probability of an arc, whatever its label.
    """

    def __init__(
        self, parser: Model, max_arguments: int = 20, min_probability: float = 0.0001
    ) -> None:
        super().__init__(parser)
        check_counts(max_arguments=max_arguments)
        check_interval("[0, 1]", min_probability=min_probability)
        self._max_arguments = max_arguments
        self._min_probability = min_probability

    def select(self, posteriors: Tensor) -> BoolTensor:
        probable = posteriors >= self._min_probability
        return probable & _among_best(posteriors, self._max_arguments, dim=1)


def prune(scores: Tensor, candidates: Optional[BoolTensor]) -> Tensor:
    """
    Returns the scores of arcs, `(batch_size, dependent, head)`, or of labelled arcs, with minus
    infinity for all but the `candidates` (unless these are `None`). The scores of predicates do not
    change.
    """
    if candidates is None:
        return scores
    if scores.dim() == 4:
        itself = torch.eye(candidates.size(1), dtype=torch.bool, device=candidates.device)
        candidates = (candidates | itself).unsqueeze(-1)
    return scores.masked_fill(~candidates, -torch.inf)


def _among_best(posteriors: Tensor, number: int, dim: int) -> BoolTensor:
    """Returns which entries are among the best `number` of their row along `dim`."""
    best = posteriors.topk(min(number, posteriors.size(dim)), dim=dim).indices
    return torch.zeros_like(posteriors, dtype=torch.bool).scatter_(dim, best, True)
