"""All dependency trees over a few tokens, found by trying every choice of heads."""

import itertools
from functools import cache
from typing import Sequence, Tuple

import torch
from torch import BoolTensor, Tensor


@cache
def dependency_trees(num_tokens: int, projective: bool, single_root: bool) -> Tensor:
    """
    Shape `(num_trees, num_tokens + 1, num_tokens + 1)`, indexed `[tree, dependent, head]`, position
    0 being the root.
    """
    choices = itertools.product(range(num_tokens + 1), repeat=num_tokens)
    trees = [
        as_arcs(heads)
        for heads in choices
        if is_tree(heads)
        and (not projective or is_projective(heads))
        and (not single_root or num_tokens == 0 or heads.count(0) == 1)
    ]
    return torch.stack(trees)


def legal_trees(legal: BoolTensor, projective: bool, single_root: bool) -> Tensor:
    """
    The trees of one sentence that use only the arcs `legal`, of shape `(length, length)`, allows.
    """
    length = legal.size(0)
    has_head = legal.any(dim=-1).nonzero()
    num_tokens = int(has_head.max()) if len(has_head) else 0
    trees = dependency_trees(num_tokens, projective, single_root)
    padding = length - num_tokens - 1
    trees = torch.nn.functional.pad(trees, (0, padding, 0, padding))
    return trees[~(trees.bool() & ~legal).flatten(1).any(dim=1)]


def as_arcs(heads: Sequence[int]) -> Tensor:
    arcs = torch.zeros(len(heads) + 1, len(heads) + 1, dtype=torch.double)
    for dependent, head in enumerate(heads, start=1):
        arcs[dependent, head] = 1
    return arcs


def is_tree(heads: Tuple[int, ...]) -> bool:
    return all(0 in ancestors(heads, token) for token in range(1, len(heads) + 1))


def is_projective(heads: Tuple[int, ...]) -> bool:
    """Whether everything between a head and its dependent descends from that head."""
    return all(
        head in ancestors(heads, between)
        for dependent, head in enumerate(heads, start=1)
        for between in range(min(head, dependent) + 1, max(head, dependent))
    )


def ancestors(heads: Tuple[int, ...], token: int) -> Sequence[int]:
    path = []
    while token != 0 and len(path) <= len(heads):
        token = heads[token - 1]
        path.append(token)
    return path
