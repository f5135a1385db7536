"""Polytopes whose vertices are all known, and other ways to their nearest points."""

from dataclasses import dataclass
from typing import Callable, List, Tuple

import numpy
import torch
from scipy.optimize import nnls
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.active_set.active_set import ActiveSet
from spigot_allennlp.nn.arcs import arc_mask
from spigot_allennlp.nn.eisner.eisner import best_projective_tree


@dataclass(frozen=True)
class BestTree:
    """Is the argmax over projective trees."""

    single_root: bool = True

    def __call__(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_projective_tree(scores, mask, self.single_root)


def what_is_positive(scores: Tensor, mask: BoolTensor) -> Tensor:
    """Returns the argmax over all sets of parts, whose hull is the unit box."""
    return ((scores > 0) & mask).to(scores.dtype)


def argmax_of(families: List[Tensor]) -> Callable[[Tensor, BoolTensor], Tensor]:
    """
    Returns the argmax over explicit families, `(num_objects, *parts)`, one for each instance of a
    batch. The family of an instance is the one whose parts are those of its mask.
    """

    def argmax(scores: Tensor, mask: BoolTensor) -> Tensor:
        best = []
        for instance_scores, legal in zip(scores, mask, strict=True):
            (objects,) = [family for family in families if torch.equal(family.any(dim=0), legal)]
            best.append(objects[(objects * instance_scores).flatten(1).sum(dim=1).argmax()])
        return torch.stack(best).to(scores.dtype) if best else scores.clone()

    return argmax


def random_family(generator: torch.Generator, num_objects: int, num_parts: int) -> Tensor:
    """Returns random sets of parts; some may occur twice, or be means of others."""
    density = torch.rand((), generator=generator)
    return (torch.rand(num_objects, num_parts, generator=generator) < density).double()


def nearest_by_least_squares(objects: Tensor, point: Tensor) -> Tensor:
    """
    Computes the projection onto the hull, by the reduction of least distances to non-negative least
    squares of Lawson & Hanson (1974, chapter 23). Points with ties are too hard for the solver.
    """
    corners, target = objects.flatten(1).double().numpy(), point.double().flatten().numpy()
    matrix = numpy.vstack([(corners - target).T, numpy.ones(len(corners))])
    weights, _ = nnls(matrix, numpy.append(numpy.zeros(len(target)), 1.0))
    return torch.from_numpy(weights @ corners / weights.sum()).view(point.shape)


def gap_of(objects: Tensor, target: Tensor, point: Tensor) -> float:
    """
    Computes `max_z <target - point, z - point>`: zero if, and only if, no point of the hull is
    nearer to `target` than `point`, provided that it is a point of the hull.
    """
    products = (objects.double() - point) * (target - point)
    return products.flatten(1).sum(dim=1).max().item()


def sentences(*lengths: int) -> Tuple[BoolTensor, Tensor]:
    """Returns arc masks of sentences of these lengths, and random points."""
    longest = max(lengths)
    mask = arc_mask(torch.arange(longest + 1) <= torch.tensor(lengths).unsqueeze(1))
    generator = torch.Generator().manual_seed(sum(lengths))
    return mask, torch.randn(mask.shape, generator=generator, dtype=torch.double)


def check_mean(active_set: ActiveSet) -> None:
    """Checks that the point is the mean of the vertices with their weights."""
    weights = active_set.weights
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(weights), dtype=torch.double))
    mean = torch.einsum("bk,bk...->b...", weights, active_set.vertices.double())
    torch.testing.assert_close(active_set.point.double(), mean)
