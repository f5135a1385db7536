"""Semantic graphs with at most one argument for each predicate and deterministic label."""

from typing import List

import numpy
import torch
from torch import Tensor

from spigot_allennlp.nn.tensor_checks import LABELLED_PAIRS, check_pair


def keep_best_argument(chosen: Tensor, scores: Tensor, labels: List[int]) -> Tensor:
    """
    Returns the best graph in which no head has two dependents with the same label out of `labels`.

    Heads that follow this rule in `chosen` keep their arcs, which are already optimal. For the
    others, the Hungarian algorithm finds the maximum-weight assignment of arguments to roles: its
    rows are dependents, its columns the deterministic labels and, for each dependent, the best of
    the other labels (or no arc, with score zero). Few heads need it, so SciPy's is good enough;
    `nn/matching` has one for whole batches.

    # Parameters

    chosen : `Tensor`
        Shape `(batch_size, dependent, head, label)`: the best graph without this rule, as zeros and
        ones.
    scores : `Tensor`
        Of the same shape, minus infinity on illegal parts.
    labels : `List[int]`
        The deterministic labels.
    """
    check_pair(("chosen", "scores"), LABELLED_PAIRS, chosen, scores)
    num_labels = scores.size(-1)
    if not all(0 <= label < num_labels for label in labels):
        raise ValueError(f"Expected labels from 0 to {num_labels - 1}, but found {list(labels)}.")
    if not labels:
        return chosen
    # (batch_size, head)
    breaks_rule = (chosen[..., labels].sum(dim=1) > 1).any(dim=-1)
    result = chosen.clone()
    for batch, head in breaks_rule.nonzero().tolist():
        best = _best_assignment(scores[batch, :, head].double().cpu().numpy(), labels)
        result[batch, :, head] = torch.from_numpy(best).to(result)
    return result


def _best_assignment(scores: numpy.ndarray, labels: List[int]) -> numpy.ndarray:
    """
    Returns the best legal choice, as zeros and ones, from `scores` of the same shape,
    `(dependent, label)`.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, rarely needed

    num_dependents = len(scores)
    free = numpy.delete(scores, labels, axis=1)
    free_labels = numpy.delete(numpy.arange(scores.shape[1]), labels)
    weights = numpy.full((num_dependents, len(labels) + num_dependents), -numpy.inf)
    weights[:, : len(labels)] = scores[:, labels]
    best_free = numpy.maximum(free.max(axis=1, initial=-numpy.inf), 0)
    weights[:, len(labels) :][numpy.diag_indices(num_dependents)] = best_free
    rows, columns = linear_sum_assignment(weights, maximize=True)
    best = numpy.zeros_like(scores)
    for row, column in zip(rows, columns, strict=True):
        if column < len(labels):
            best[row, labels[column]] = weights[row, column] > 0
        elif best_free[row] > 0:
            best[row, free_labels[free[row].argmax()]] = 1
    return best
