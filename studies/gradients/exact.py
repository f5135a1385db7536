"""Small problems with objects that can be listed, and the exact gradient of their expected loss."""

from itertools import product
from typing import List, NamedTuple, Tuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure


class Listed(NamedTuple):
    """
    A structure of one size, with all its objects.

    # Parameters

    name : `str`
    structure : `Structure`
    mask : `BoolTensor`
        Shape `(*parts)`: the legal parts.
    objects : `Tensor`
        Shape `(num_objects, *parts)`, of zeros and ones, in double precision.
    """

    name: str
    structure: Structure
    mask: BoolTensor
    objects: Tensor


def listed_structures() -> List[Listed]:
    """Returns four small structures: 6 choices, 27 tag sequences, 30 trees and 5832 graphs."""
    return [
        list_objects("categorical", Categorical(), (6,), num_positions=1),
        list_objects("chain", Chain(), (4, 3, 3), num_positions=4),
        list_objects("projective_tree", ProjectiveTree(), (5, 5), num_positions=5),
        list_objects("semantic_graph", SemanticGraph(), (4, 4, 3), num_positions=16),
    ]


def list_objects(
    name: str, structure: Structure, parts: Tuple[int, ...], num_positions: int
) -> Listed:
    """
    Lists the objects of scores of shape `parts`.

    Each position (the choice itself, a token with its tag or head, an arc with its label) takes one
    of its parts, or none in graphs. Of all combinations, only those in the structure are kept.
    """
    shape = torch.Size((1, *parts))
    tokens = torch.ones(shape if len(parts) == 1 else (1, parts[0]), dtype=torch.bool)
    mask = structure.part_mask(tokens, shape).expand(shape)[0]
    none = [mask.numel()] if isinstance(structure, SemanticGraph) else []
    index = torch.arange(mask.numel()).view(num_positions, -1)
    legal = mask.reshape(num_positions, -1)
    options = [row[allowed].tolist() for row, allowed in zip(index, legal, strict=True)]
    chosen = torch.tensor(list(product(*(none + parts for parts in options if parts))))
    # A last column collects positions without a part, and is cut off.
    vertices = torch.zeros(len(chosen), mask.numel() + 1, dtype=torch.double)
    vertices = vertices.scatter_(1, chosen, 1)[:, :-1].view(-1, *parts)
    contained = structure.contains(vertices, mask.expand(vertices.shape))
    return Listed(name, structure, mask, vertices[contained])


class RandomLosses(NamedTuple):
    """
    The losses of several problems: each is the cross-entropy of a network with one hidden layer
    that reads the object.

    # Parameters

    hidden : `Tensor`
        Shape `(num_problems, num_hidden, *parts)`.
    output : `Tensor`
        Shape `(num_problems, num_classes, num_hidden)`.
    label : `LongTensor`
        Shape `(num_problems,)`.
    """

    hidden: Tensor
    output: Tensor
    label: LongTensor

    def of(self, values: Tensor) -> Tensor:
        """
        Returns the losses of `values`, shape `(num_values, num_problems)`. The values have the
        shape `(num_values, num_problems, *parts)`, or `(num_values, 1, *parts)` if shared by all
        problems.
        """
        hidden = torch.einsum(
            "vpd,phd->vph" if values.size(1) > 1 else "vqd,phd->vph",
            values.flatten(2),
            self.hidden.flatten(2),
        )
        logits = torch.einsum("vph,pch->vpc", hidden.tanh(), self.output)
        label = self.label.expand(len(logits), -1)
        return torch.nn.functional.cross_entropy(logits.transpose(1, 2), label, reduction="none")


def random_losses(num_problems: int, mask: BoolTensor, num_hidden: int = 8) -> RandomLosses:
    """Returns losses with standard normal weights and two classes."""
    hidden = torch.randn(num_problems, num_hidden, *mask.shape, dtype=torch.double) * mask
    output = torch.randn(num_problems, 2, num_hidden, dtype=torch.double)
    return RandomLosses(hidden, output, torch.randint(2, (num_problems,)))


def expected_loss(objects: Tensor, scores: Tensor, losses: Tensor) -> Tensor:
    """
    Returns `sum_z p(z) L(z)` with `p(z) ∝ exp <scores, z>`, shape `(num_problems,)`.

    # Parameters

    objects : `Tensor`
        Shape `(num_objects, *parts)`.
    scores : `Tensor`
        Shape `(num_problems, *parts)`.
    losses : `Tensor`
        Shape `(num_objects, num_problems)`.
    """
    return (_probabilities(objects, scores) * losses.t()).sum(dim=1)


def exact_gradient(objects: Tensor, scores: Tensor, losses: Tensor) -> Tensor:
    """
    Returns the gradient of `expected_loss` with respect to the scores, with their shape: the
    covariance of the loss and the object.
    """
    probabilities = _probabilities(objects, scores)
    excess = losses.t() - (probabilities * losses.t()).sum(dim=1, keepdim=True)
    return ((probabilities * excess) @ objects.flatten(1)).view(scores.shape)


def _probabilities(objects: Tensor, scores: Tensor) -> Tensor:
    return (scores.flatten(1) @ objects.flatten(1).t()).softmax(dim=1)
