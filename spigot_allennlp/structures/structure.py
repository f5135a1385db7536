"""
A *structure* is a family of discrete objects (trees, graphs, labels), each a set of parts.

Each object is written as the 0/1 vector of its parts, and these vectors are the vertices of a
polytope. An object's score is the inner product of its vector with the scores of the parts.
"""

from functools import partial, wraps
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.closed_form_autograd import value_and_gradient
from spigot_allennlp.nn.devices import answers_at_once
from spigot_allennlp.nn.instances import at_least_single, flatten_parts
from spigot_allennlp.nn.invalid_scores import (
    all_fit_mask,
    are_finite,
    compute_valid,
    invalid_instances,
    is_score,
    is_step,
    known_moderate,
    without_excess,
    without_overflow,
)
from spigot_allennlp.nn.tensor_checks import (
    PARTS,
    TRUTH_VALUES,
    Argument,
    Signature,
    check_pair,
    check_scores,
)
from spigot_allennlp.nn.transforms import uncompiled
from spigot_allennlp.registrable import ConfigurationError, Registrable

_LEADING = Signature(Argument("mask", TRUTH_VALUES, ("...", "batch_size", "size")))
# The operations that sum over all objects. If `why_no_sums` is set, none of them is provided.
SUMS = frozenset({"log_partition", "marginals", "sample"})
OPTIONAL_OPERATIONS = ("log_partition", "marginals", "sample", "projected_step", "hull_jvp")


class IndependentArcs(NamedTuple):
    """
    The possible arcs of a structure that chooses each arc and its label independently.

    # Parameters

    arcs : `BoolTensor`
        Shape `(batch_size, dependent, head)`: the legal arcs.
    labels : `BoolTensor`
        Shape `(head, label)`: the legal labels of arcs from a head.
    """

    arcs: BoolTensor
    labels: BoolTensor


class Structure(Registrable):
    """
    A family of objects. A structure is stateless: it holds options (`single_root`), never a batch.

    Every tensor has the shape of `scores`, `(batch_size, *parts)`; `mask` is True on the parts that
    may be chosen, and every result is exactly zero elsewhere. Arcs are
    `(batch_size, dependent, head)`, with the root as head 0 and row 0 masked, so `dim=-1` always
    means "choose a head". Labelled arcs have a fourth dimension, the label.

    A structure must implement `part_mask` and `argmax`. It may implement `log_partition`, `sample`,
    `projected_step` and `hull_jvp`; estimators declare which of these they need. Implementing an
    operation provides it: there is no separate list of capabilities. `contains` follows from the
    argmax, `marginals` from the log-partition. The caller's tensors are never changed.

    A score of minus infinity says that no object has the part. Where no object is left, the
    log-partition is minus infinity, and the best object and its gradient are zero. An instance with
    a legal part that scores NaN or plus infinity is *invalid*: its results and all derivatives are
    NaN (on legal parts; everything else is zero). The other instances of the batch are unaffected.
    A subclass has to handle minus infinity only: its operations never see an invalid instance (see
    `nn/invalid_scores.py`).

    `dimensions` names the dimensions of the scores after the batch, if the structure has its own.
    `fixed_size` says that all objects of an instance have the same number of parts, so a constant
    added to all scores changes neither the best object nor the distribution. `nonempty` says that
    every object has a part, unless the instance has no legal parts; `contains` below uses it, and
    it has no effect if a structure overrides `contains`. `binary` says that objects are zeros and
    ones, as all of ours are; a solver may have others (`layers/solver_structure.py`).
    `has_predicates` says that there are predicates besides arcs, at `predicate_parts`
    (`nn/arcs.py`). `why_no_sums` says in a sentence why there are no log-partition, marginals and
    samples, if there is a reason. `way_out` tells users whose gold objects are not in the family
    what to change.
    """

    dimensions: Tuple[str, ...] = ()
    fixed_size: bool = False
    nonempty: bool = False
    binary: bool = True
    has_predicates: bool = False
    why_no_sums: str = ""
    way_out: str = "Choose a structure that has them, or take them out of the data."

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """
        Wraps the operations that a subclass implements: they see valid instances only, and
        `torch.compile` does not see them.
        """
        super().__init_subclass__(**kwargs)
        for name, guard in _GUARDS.items():
            if name in vars(cls):
                setattr(cls, name, uncompiled(guard(vars(cls)[name])))

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        """
        Returns the legal parts of scores of this `shape`, from the mask of tokens, shape
        `(batch_size, length)`. The `shape` is needed because the mask does not determine the last
        dimensions of the scores, such as the number of labels.
        """
        raise NotImplementedError

    def check_dimensions(self, wanted: Tuple[str, ...], chooser: str, key: str) -> None:
        """
        Checks that the objects are of the kind that a model needs.

        # Parameters

        wanted : `Tuple[str, ...]`
            As in `dimensions`, such as `("dependent", "head")` for trees.
        chooser : `str`
            What has the structure, as the error should call it, such as `"A 'syntactic_parser'"`.
        key : `str`
            The key that names the structure in its config.

        # Raises

        `ConfigurationError` that names the structures that would fit.
        """
        if self.dimensions != wanted:
            names = Structure.list_available()
            kinds = [(name, Structure.resolve_class_name(name)[0]) for name in names]
            fitting = [f"'{name}'" for name, kind in kinds if kind.dimensions == wanted]
            raise ConfigurationError(
                f"{chooser} chooses parts ({', '.join(wanted)}), and its structure cannot be a "
                f"{type(self).__name__}. Set {key} to {' or '.join(fitting)}."
            )

    def without_predicates(self, parts: Tensor) -> Tensor:
        """Returns scores or weights of parts with zeros in place of predicates."""
        return parts

    def independent_arcs(self, mask: BoolTensor, num_labels: int) -> Optional[IndependentArcs]:
        """
        If the best object has exactly the arcs whose best legal label scores above zero, returns
        which arcs and labels are legal; otherwise `None`. A parser then needs only the scores of
        the best labels. The mask of tokens is as in `part_mask`.
        """
        return None

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """Returns the highest-scoring object, as zeros and ones; never differentiable."""
        raise NotImplementedError

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        """
        Returns which instances of `vertex`, of any type, are objects of the family, shape
        `(batch_size,)`. Objects have no values other than 0 and 1, and no parts where `mask` is
        False. If no object is possible, the result is False.

        By default the argmax decides: under scores that are 1 on the parts of an object and -1
        elsewhere, that object is the only best one. Structures override this for speed.
        """
        legal = mask.expand(vertex.shape)
        best = self.argmax((2 * vertex.float() - 1).nan_to_num(), legal)
        same = flatten_parts(best == vertex).all(dim=-1)
        if self.fixed_size or self.nonempty:
            # The argmax is all zero where no object is possible, too.
            same &= flatten_parts(best).any(dim=-1) | ~flatten_parts(legal).any(dim=-1)
        return same

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns `log sum_z exp <scores, z>` in nats, shape `(batch_size,)`, in single precision at
        least; twice differentiable. Minus infinity where no object is possible. Optional.
        """
        raise self._not_provided("log_partition")

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns an exact sample from `p(z) ∝ exp <scores, z>`; never differentiable. Optional.
        """
        raise self._not_provided("sample")

    def projected_step(self, origin: Tensor, step: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns `origin - P(origin - step)`, where P is the Euclidean projection onto a polytope
        that contains ours and is cheap to project onto. It avoids the cancellation of subtracting
        afterwards (see `nn/simplex/simplex.py`). Each structure says here which polytope it uses:
        `ProjectiveTree` one head per token (a simplex per row), `SemanticGraph` at most one label
        per arc. Optional.
        """
        raise self._not_provided("projected_step")

    def hull_jvp(self, point: Tensor, direction: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns the directional derivative of the projection: how the projected point, now at
        `point`, moves as the point that is projected moves along `direction`. The Jacobian is
        symmetric, so this is the backward pass of `project`, too. Optional, and only if the
        polytope of `projected_step` is the convex hull of our objects, not a relaxation.
        """
        raise self._not_provided("hull_jvp")

    def project(self, point: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns `P(point)`, the nearest point of the polytope of `projected_step`. For a gradient
        see the estimator "sparsemap" and `sparsemap_loss`.
        """
        check_scores(PARTS, point, mask, "point")
        return -self.projected_step(torch.zeros_like(point), -point, mask)

    def marginals(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns the mean object under `p(z)`: the gradient of `log_partition`. Differentiable if
        gradients are enabled and `scores` require them.
        """
        return self.log_partition_and_marginals(scores, mask)[1]

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        """Returns both at the cost of the marginals. Override this only for speed."""
        check_scores(PARTS, scores, mask)
        total, mean = value_and_gradient(self.log_partition, scores, mask)
        return total, mean.masked_fill(~mask, 0)

    def entropy(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        """
        Returns `-sum_z p(z) log p(z)` in nats, shape `(batch_size,)`; zero where no object is
        possible. Differentiable if gradients are enabled and `scores` require them.

        It is `log_partition - <scores, marginals>`, a small difference of large numbers, and is
        therefore computed in double precision. Needs `log_partition`.
        """
        check_scores(PARTS, scores, mask)
        exact = scores.double()
        total, mean = self.log_partition_and_marginals(exact, mask)
        legal = exact.masked_fill(~mask | (exact == -torch.inf), 0)
        entropy = (total - flatten_parts(legal * mean).sum(dim=-1)).clamp(min=0)
        possible = entropy.masked_fill(total == -torch.inf, 0)
        return possible.to(torch.promote_types(scores.dtype, torch.float32))

    def score(self, scores: Tensor, vertex: Tensor) -> Tensor:
        """
        Returns `<scores, vertex>`, shape `(batch_size,)`; parts outside `vertex` contribute
        nothing, whatever their score.
        """
        check_pair(("scores", "vertex"), PARTS, scores, vertex)
        chosen = (at_least_single(scores) * vertex).masked_fill(vertex == 0, 0)
        return flatten_parts(chosen).sum(dim=-1)

    def log_prob(self, scores: Tensor, mask: BoolTensor, vertex: Tensor) -> Tensor:
        """
        Returns `<scores, vertex> - log_partition`, shape `(batch_size,)`, differentiable in
        `scores`. Minus infinity for a vertex that has an impossible part. Where no object is
        possible, `argmax` and `sample` return the empty vertex: this counts as certain (0) and any
        other as impossible, both without a gradient.
        """
        check_pair(("scores", "vertex"), PARTS, scores, vertex, mask)
        total = self.log_partition(scores, mask)
        is_lost = total == -torch.inf
        is_empty = ~flatten_parts(vertex != 0).any(dim=-1)
        possible = scores.masked_fill(~mask, -torch.inf)
        log_prob = (self.score(possible, vertex) - total).masked_fill(is_lost, -torch.inf)
        return log_prob.masked_fill(is_lost & is_empty, 0)

    def lacks_objects(self, best: Tensor, mask: BoolTensor) -> BoolTensor:
        """
        Returns for which instances no object is possible, shape `(batch_size,)`. It decides from
        the result `best` of `argmax` or `sample`, or a mean of such results, which is then empty
        although the empty vertex is not an object.
        """
        is_empty = ~flatten_parts(best != 0).any(dim=-1)
        if answers_at_once(best.device) and not is_empty.any():
            return is_empty
        return is_empty & ~self.contains(torch.zeros_like(best), mask)

    def provides(self, operation: str) -> bool:
        """
        Returns whether this structure implements the optional `operation`. A structure with
        `log_partition` has `marginals`.
        """
        assert operation in OPTIONAL_OPERATIONS, f"'{operation}' is no optional operation"
        if operation == "marginals":
            return self.provides("log_partition")
        return getattr(type(self), operation) is not getattr(Structure, operation)

    def _not_provided(self, operation: str) -> NotImplementedError:
        """Returns the error for a call of an optional `operation` that is not provided."""
        provided = ["argmax", *filter(self.provides, OPTIONAL_OPERATIONS)]
        reason = self.why_no_sums if operation in SUMS else ""
        return NotImplementedError(
            f"{type(self).__name__} (so configured) does not provide {operation}, but only "
            f"{', '.join(provided)}, and what follows from these. {reason}".strip()
        )


def expand_mask(mask: BoolTensor, shape: torch.Size) -> BoolTensor:
    """
    Returns the legal parts of scores of this `shape`, from a mask of their first dimensions.

    # Raises

    `TypeError`, `ValueError`
        If the mask is not a mask, or its sizes are not those of the scores.
    """
    _LEADING.check(mask)
    if mask.shape != shape[: mask.dim()]:
        raise ValueError(
            f"Expected a mask of the first dimensions of the scores, {tuple(shape)}, but found "
            f"shape {tuple(mask.shape)}."
        )
    if len(shape) == mask.dim():
        return mask
    return mask.reshape(mask.shape + (1,) * (len(shape) - mask.dim())).expand(shape)


def expand_mask_of_pairs(structure: Structure, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
    """
    Returns the legal parts of scores `(batch_size, rows, columns)`, from a mask of their rows or of
    the pairs themselves: the `part_mask` of structures of pairs.

    # Raises

    `ConfigurationError`
        If the scores do not have three dimensions.
    """
    if len(shape) != 3:
        raise ConfigurationError(
            f"{type(structure).__name__} needs scores of shape (batch_size, rows, columns), but "
            f"found {tuple(shape)}."
        )
    return expand_mask(mask, shape)


Operation = Callable[..., Any]


def _guard_scores(operation: Operation) -> Operation:
    """Guards operations on scores, whose results are NaN for invalid instances."""

    @wraps(operation)
    def guarded(self: Structure, scores: Tensor, mask: BoolTensor) -> Any:
        if known_moderate(scores):
            return operation(self, scores, mask)
        invalid = invalid_instances(mask, is_score, scores)
        return compute_valid(partial(operation, self), invalid, mask, scores)

    return guarded


def _guard_choice(rescaled: Callable[[Tensor, BoolTensor], Tensor]) -> Callable:
    """
    Guards operations that choose an object: the result must be an object however large the scores.
    """

    def guard(operation: Operation) -> Operation:
        @wraps(operation)
        def guarded(self: Structure, scores: Tensor, mask: BoolTensor) -> Tensor:
            if known_moderate(scores) or not all_fit_mask(mask, scores):
                return operation(self, scores, mask)
            invalid = invalid_instances(mask, is_score, scores)

            def choose(point: Tensor, mask: BoolTensor) -> Tensor:
                return operation(self, rescaled(point, mask), mask).to(scores.dtype)

            return compute_valid(choose, invalid, mask, scores)

        return guarded

    return guard


def _guard_step(operation: Operation) -> Operation:
    """Guards projected steps: a step may be plus infinity, an origin may not."""

    @wraps(operation)
    def guarded(self: Structure, origin: Tensor, step: Tensor, mask: BoolTensor) -> Any:
        if known_moderate(step) and known_moderate(origin):
            return operation(self, origin, step, mask)
        invalid = invalid_instances(mask, is_step, origin, step)
        return compute_valid(partial(operation, self), invalid, mask, origin, step)

    return guarded


def _guard_direction(operation: Operation) -> Operation:
    """Guards derivatives of projections: point and direction must be finite."""

    @wraps(operation)
    def guarded(self: Structure, point: Tensor, direction: Tensor, mask: BoolTensor) -> Any:
        invalid = invalid_instances(mask, are_finite, point, direction)
        return compute_valid(partial(operation, self), invalid, mask, point, direction)

    return guarded


_GUARDS: Dict[str, Callable[[Operation], Operation]] = {
    "argmax": _guard_choice(without_overflow),
    "log_partition": _guard_scores,
    "log_partition_and_marginals": _guard_scores,
    "sample": _guard_choice(without_excess),
    "projected_step": _guard_step,
    "hull_jvp": _guard_direction,
}
