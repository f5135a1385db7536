"""Gradients of estimators when the downstream gradient is pure noise."""

from functools import partial
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure
from studies.gradients.rivals import (
    EstimatorFactory,
    make_estimator,
    names_for,
    score_gradients,
)

_NUM_SCORES = 8


class Sided(NamedTuple):
    """
    What an estimator does to the parts of the best object, and to other parts, under noise.

    Each noise is paired with its negative. So a rule that is odd in the downstream gradient
    (straight-through, the two-sided step) has `lowered` equal to `raised`, and a mean gradient of
    exactly zero, as in expectation. For such rules, this is not a measurement. Each gradient of a
    random estimator is sampled independently.

    # Parameters

    structure, estimator : `str`
    lowered, raised : `float`
        The shares of the chosen parts with a score that descent would lower, and raise. They are
        equal for an unbiased gradient.
    chosen, others : `float`
        The mean gradient of a chosen part, and of another part; zero for an unbiased gradient.
    drift : `float`
        The norm of the mean gradient, relative to the root mean square norm: 0 if noise averages
        out, 1 if every noise gives the same gradient. The squared norm of the mean is corrected by
        subtracting its variance, estimated from the spread of the means of pairs.
    """

    structure: str
    estimator: str
    lowered: float
    raised: float
    chosen: float
    others: float
    drift: float


def sided_rows(num_noises: int, length: int, seed: int) -> List[Sided]:
    """Returns a row for each estimator and structure over `length` words."""
    return [
        _sided(name, structure, scores, mask, estimator, num_noises, seed)
        for name, (structure, scores, mask) in _problems(length, seed).items()
        for estimator in names_for(structure)
    ]


def capped_rows(num_noises: int, length: int, seed: int) -> List[Sided]:
    """Returns rows of SPIGOT on projective trees with norm caps."""
    structure, scores, mask = _problems(length, seed)["projective_tree"]
    caps: Dict[str, Optional[float]] = {"none": None, "1": 1.0, "0.1": 0.1}

    def capped(cap: Optional[float]) -> EstimatorFactory:
        return lambda _: Spigot(max_step_norm=cap)

    return [
        _sided(f"`{name}`", structure, scores, mask, "spigot", num_noises, seed, capped(cap))
        for name, cap in caps.items()
    ]


def _problems(length: int, seed: int) -> Dict[str, Tuple[Structure, Tensor, BoolTensor]]:
    """
    Returns structures with scores, shape `(num_scores, *parts)`, and legal parts. Scores are
    standard normal. For graphs, 2.6 is subtracted, so that about a twelfth of the arcs is chosen.
    """
    torch.manual_seed(seed)
    rows = length + 1
    structures: Dict[str, Tuple[Structure, Tuple[int, ...], float]] = {
        "categorical": (Categorical(), (length,), 0.0),
        "chain": (Chain(), (rows, 5, 5), 0.0),
        "projective_tree": (ProjectiveTree(), (rows, rows), 0.0),
        "non_projective_tree": (NonProjectiveTree(), (rows, rows), 0.0),
        "semantic_graph": (SemanticGraph(), (rows, rows, 20), 2.6),
    }
    problems = {}
    for name, (structure, parts, less) in structures.items():
        shape = torch.Size((_NUM_SCORES, *parts))
        tokens = torch.ones(shape if len(parts) == 1 else shape[:2], dtype=torch.bool)
        mask = structure.part_mask(tokens, shape).expand(shape)
        problems[name] = (structure, (torch.randn(shape) - less) * mask, mask)
    return problems


def _linear(costs: Tensor, value: Tensor) -> Tensor:
    return (value * costs).flatten(1).sum(dim=1)


def _sided(
    name: str,
    structure: Structure,
    scores: Tensor,
    mask: BoolTensor,
    estimator: str,
    num_noises: int,
    seed: int,
    factory: Optional[EstimatorFactory] = None,
) -> Sided:
    torch.manual_seed(seed)
    rival = factory(structure) if factory else make_estimator(estimator, structure)
    num_pairs = num_noises // 2
    mean, squares, pair_squares = torch.zeros_like(scores), 0.0, 0.0
    lowered = raised = 0.0
    best = structure.argmax(scores, mask).bool()
    for _ in range(num_pairs):
        noise = torch.randn_like(scores)
        pair_mean = torch.zeros_like(scores)
        for costs in (noise, -noise):
            losses = partial(_linear, costs)
            gradient = score_gradients(rival, structure, scores, mask, losses)
            pair_mean += gradient / 2
            squares += float((gradient**2).sum()) / (2 * num_pairs)
            lowered += float((gradient[best] > 0).double().mean()) / (2 * num_pairs)
            raised += float((gradient[best] < 0).double().mean()) / (2 * num_pairs)
        mean += pair_mean / num_pairs
        pair_squares += float((pair_mean**2).sum()) / num_pairs
    # The two gradients of a pair are dependent, but the means of pairs are not.
    mean_square = float((mean**2).sum())
    residual_variance = (pair_squares - mean_square) / max(num_pairs - 1, 1)
    drift = max(mean_square - residual_variance, 0.0) / max(squares, 1e-30)
    return Sided(
        name,
        estimator,
        lowered,
        raised,
        float(mean[best].mean()),
        float(mean[mask & ~best].mean()),
        drift**0.5,
    )


class Candidates(NamedTuple):
    """
    What noise does to the scores of a graph after unlikely arcs are pruned.

    # Parameters

    estimator : `str`
    min_probability : `float`
        The least probability of a labelled arc to be a candidate.
    candidates : `float`
        The number of candidates per part of the best graph.
    chosen, others : `float`
        The mean gradient, summed over the chosen parts and over the other candidates of a graph.
    """

    estimator: str
    min_probability: float
    candidates: float
    chosen: float
    others: float


def candidate_rows(num_noises: int, length: int, seed: int) -> List[Candidates]:
    """Returns rows for estimators on labelled graphs, with fewer and fewer candidates."""
    structure, scores, mask = _problems(length, seed)["semantic_graph"]
    scores = 3 * scores
    marginals = structure.marginals(scores, mask)
    best = structure.argmax(scores, mask).bool()
    rows = []
    for estimator in ("spigot", "spigot_ce", "spigot_eg", "spigot, two-sided", "straight_through"):
        for min_probability in (0.0, 1e-4, 1e-2, 1e-1):
            kept = mask & ((marginals >= min_probability) | best)
            sided = _sided("", structure, scores, kept, estimator, num_noises, seed)
            chosen, others = int(best.sum()), int((kept & ~best).sum())
            rows.append(
                Candidates(
                    estimator,
                    min_probability,
                    (chosen + others) / chosen,
                    sided.chosen * chosen / _NUM_SCORES,
                    sided.others * others / _NUM_SCORES,
                )
            )
    return rows
