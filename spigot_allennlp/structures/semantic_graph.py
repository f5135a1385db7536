"""Any set of arcs, each with at most one label."""

from typing import Any, List, Optional, Tuple, Union

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn import labelled_arcs
from spigot_allennlp.nn.arcs import arc_mask
from spigot_allennlp.nn.assignment import keep_best_argument
from spigot_allennlp.nn.instances import are_choices, at_least_single, flatten_parts
from spigot_allennlp.nn.simplex.simplex import (
    box_jvp,
    box_step,
    capped_simplex_jvp,
    capped_simplex_step,
)
from spigot_allennlp.nn.tensor_checks import (
    LABELLED_ARCS,
    check_pair,
    check_scores,
    check_token_mask,
)
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import IndependentArcs, Structure

FROM_TRAINING_DATA = "from_training_data"
# The entry with which a reader says that it counted; see `RoleCountingField`.
COUNTED = "@@COUNTED@@"


@Structure.register("semantic_graph")
class SemanticGraph(Structure):
    """
    Semantic dependency graphs: every arc is present or absent, independently of the others, and has
    at most one label.

    Scores are `(batch_size, dependent, head, label)`. The dependent is the argument, the head is
    the predicate, and position 0 is the root; the dependents of the root are the tops of the graph.
    With more than one label, label 0 is the label of tops: arcs from the root have this label, and
    no other arcs have it. With one label the graph is unlabelled. An arc with score zero or less is
    not chosen.

    Registered as a `Structure` with name "semantic_graph". Provides everything, but with
    `deterministic_roles` only `argmax` and `projected_step` (onto a relaxation). The sum over all
    assignments of arguments to such roles is a permanent, for which no efficient algorithm is
    known, so log-partition, marginals and samples are refused.

    # Parameters

    deterministic_roles : `Union[str, List[str]]`, optional (default = `None`)
        Roles of which a predicate has at most one argument (in DM "ARG1", "ARG2", "BV", ...). The
        argmax is then a maximum-weight assignment of arguments to roles per predicate, solved
        exactly. With `"from_training_data"` they are the roles that no predicate has twice in the
        data from which the vocabulary was made; the reader needs `count_repeated_roles`.
    vocab : `Any`, optional
        AllenNLP's `Vocabulary`, in which the roles are looked up. AllenNLP passes it automatically.
    namespace : `str`, optional (default = `"semantic_roles"`)
    """

    dimensions = ("dependent", "head", "label")
    way_out = (
        "No token is its own predicate, and none has two roles for one predicate. Where a "
        'predicate has one of the "deterministic_roles" twice, take that role out of them; or let '
        'the reader of the training data leave such graphs out: the same "deterministic_roles", '
        '"on_excluded": "skip".'
    )

    def __init__(
        self,
        # "str" comes first: otherwise AllenNLP would take a string for a list of its letters.
        deterministic_roles: Optional[Union[str, List[str]]] = None,
        vocab: Optional[Any] = None,
        namespace: str = "semantic_roles",
    ) -> None:
        self._deterministic = _role_indices(deterministic_roles or [], vocab, namespace)

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        check_token_mask(LABELLED_ARCS, mask, shape)
        legal = _legal_parts(mask, shape[-1])
        # In memory the head is last, as in the scores of the biaffine scorer: operations on tensors
        # in the same order are faster.
        return (legal.arcs.unsqueeze(2) & legal.labels.t()).transpose(2, 3)

    def independent_arcs(self, mask: BoolTensor, num_labels: int) -> Optional[IndependentArcs]:
        return None if self._deterministic else _legal_parts(mask, num_labels)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        check_scores(LABELLED_ARCS, scores, mask)
        if scores.numel() == 0:
            return torch.zeros_like(scores)
        legal = scores.detach().masked_fill(~mask, -torch.inf)
        best = legal.max(dim=-1, keepdim=True)
        chosen = torch.zeros_like(scores).scatter_(
            -1, best.indices, (best.values > 0).to(scores.dtype)
        )
        return keep_best_argument(chosen, legal, self._deterministic)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        graphs = are_choices(vertex, mask) & flatten_parts(vertex.sum(dim=-1) <= 1).all(dim=-1)
        if self._deterministic:
            arguments = vertex[..., self._deterministic].sum(dim=1)
            graphs &= flatten_parts(arguments <= 1).all(dim=-1)
        return graphs

    @property
    def why_no_sums(self) -> str:  # type: ignore[override]
        """Returns why deterministic roles rule out a log-partition; empty without such roles."""
        if not self._deterministic:
            return ""
        return (
            "With deterministic_roles the sum over all graphs is one over assignments of arguments "
            "to roles, a permanent, for which there is no efficient algorithm: leave them out."
        )

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        self._check_provided("log_partition")
        return labelled_arcs.log_partition(scores, mask)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        self._check_provided("log_partition")
        return labelled_arcs.log_partition_and_marginals(scores, mask)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        self._check_provided("sample")
        check_scores(LABELLED_ARCS, scores, mask)
        legal = at_least_single(scores.detach()).masked_fill(~mask, -torch.inf)
        options = torch.nn.functional.pad(legal, (1, 0))
        noise = options.new_empty(options.shape).exponential_().log()
        choice = (options - noise).argmax(dim=-1, keepdim=True)
        return torch.zeros_like(options).scatter_(-1, choice, 1)[..., 1:].to(scores.dtype)

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """
        Projects onto `{z >= 0, sum over labels <= 1}` for every arc: the exact polytope of the
        labelled graph. (The code of Peng et al. (2018) projects arcs and labels one after the
        other.) For unlabelled graphs it is the unit box.
        """
        check_pair(("origin", "step"), LABELLED_ARCS, origin, step, mask)
        if origin.size(-1) == 1:
            return box_step(origin, step, mask)
        return capped_simplex_step(origin, step, mask)

    def hull_jvp(self, point: Tensor, direction: Tensor, mask: BoolTensor) -> Tensor:
        self._check_provided("hull_jvp")
        check_pair(("point", "direction"), LABELLED_ARCS, point, direction, mask)
        if point.size(-1) == 1:
            return box_jvp(point, direction)
        return capped_simplex_jvp(point, direction)

    def provides(self, operation: str) -> bool:
        if self._deterministic and operation in ("log_partition", "sample", "hull_jvp"):
            return False
        return super().provides(operation)

    def _check_provided(self, operation: str) -> None:
        if not self.provides(operation):
            raise self._not_provided(operation)


def _legal_parts(mask: BoolTensor, num_labels: int) -> IndependentArcs:
    """
    Returns which arcs are legal, and which labels: tops from the root, roles from other heads.
    """
    arcs = arc_mask(mask)
    if num_labels == 1:
        return IndependentArcs(arcs, mask.new_ones(mask.size(1), 1))
    is_top = torch.arange(num_labels, device=mask.device) == 0
    from_root = torch.arange(mask.size(1), device=mask.device) == 0
    return IndependentArcs(arcs, from_root.unsqueeze(1) == is_top)


def _role_indices(roles: Union[str, List[str]], vocab: Optional[Any], namespace: str) -> List[int]:
    if isinstance(roles, str) and roles != FROM_TRAINING_DATA:
        raise ConfigurationError(
            f'deterministic_roles must be a list of roles or "{FROM_TRAINING_DATA}" but is '
            f'"{roles}".'
        )
    if not roles:
        return []
    if vocab is None:
        raise ConfigurationError(
            "deterministic_roles need a vocabulary to be looked up in, but vocab is None."
        )
    known = vocab.get_token_to_index_vocabulary(namespace)
    if roles == FROM_TRAINING_DATA:
        repeated = vocab.get_token_to_index_vocabulary(f"repeated_{namespace}")
        if COUNTED not in repeated:
            raise ConfigurationError(
                "Which deterministic_roles there are is to be seen from the training data, but the "
                "vocabulary was made without. Set count_repeated_roles: true in their reader."
            )
        top_and_unknown = (0, vocab.get_token_index(vocab._oov_token, namespace))
        candidates = [role for role in known if known[role] not in top_and_unknown]
        return [known[role] for role in candidates if role not in repeated]
    missing = sorted(role for role in roles if role not in known)
    if missing:
        raise ConfigurationError(
            f"deterministic_roles {missing} are not in the vocabulary namespace '{namespace}', "
            f"which holds {sorted(known)}. Correct their spelling, or leave them out."
        )
    return [known[role] for role in roles]
