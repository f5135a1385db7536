"""Gradients of estimators where the downstream gradient is pure noise, and so says nothing."""

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
    What an estimator does to the parts of the best object, and to others, under noise.

    Noises come in pairs, each with its negative. So a rule that is odd in the downstream gradient
    (straight-through, the two-sided step) has `lowered` equal to `raised`, and a mean gradient of
    exactly zero, as it has in expectation; it is not a measurement. Of a random estimator each
    gradient has randomness of its own.

    # Parameters

    structure, estimator : `str`
    lowered, raised : `float`
        The shares of the chosen parts whose score descent would lower, and raise. Of an unbiased
        gradient they are equal.
    chosen, others : `float`
        The mean gradient of a chosen part, and of another; zero of an unbiased gradient.
    drift : `float`
        The norm of the mean gradient, relative to the root mean square norm: 0 where noise
        averages out, 1 where each noise has the same gradient. From the squared norm of the mean
        its variance is subtracted, which the spread of the means of pairs estimates.
    """

    structure: str
    estimator: str
    lowered: float
    raised: float
    chosen: float
    others: float
    drift: float


def sided_rows(num_noises: int, length: int, seed: int) -> List[Sided]:
    """Returns a row for each estimator on each structure over `length` words."""
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
    standard normal; of graphs less 2.6, so that about a twelfth of the arcs is chosen.
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
    # The two gradients of a pair are dependent; the means of pairs are not.
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
    What noise makes of the scores of a graph of which unlikely arcs are pruned.

    # Parameters

    estimator : `str`
    min_probability : `float`
        Of an arc with its label, that it is a candidate.
    candidates : `float`
        How many candidates there are for each part of the best graph.
    chosen, others : `float`
        The mean gradient, summed over the chosen parts and over the other candidates of a graph.
    """

    estimator: str
    min_probability: float
    candidates: float
    chosen: float
    others: float


def candidate_rows(num_noises: int, length: int, seed: int) -> List[Candidates]:
    """Returns rows of estimators on labelled graphs, with fewer and fewer candidates."""
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
