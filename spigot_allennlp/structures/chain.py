"""Sequences of tags."""

from typing import Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.arcs import lengths_from_arc_mask
from spigot_allennlp.nn.chain.chain import (
    best_sequence,
    chain_log_partition,
    chain_log_partition_and_marginals,
    sample_sequence,
)
from spigot_allennlp.nn.instances import are_choices
from spigot_allennlp.nn.tensor_checks import TAG_PAIRS, check_token_mask
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure


@Structure.register("chain")
class Chain(Structure):
    """
    One tag for every token, scored together with the tag of the token before it: the linear chain
    of [Lafferty et al. (2001)](https://repository.upenn.edu/cis_papers/159/), with the Viterbi and
    forward-backward algorithms.

    Scores are `(batch_size, length, tag, previous)`. As with trees, position 0 is the root: it has
    no tag and no parts. The first token (position 1) has no token before it, which counts as tag 0,
    so its parts are those with `previous` 0. All other tokens have a part for every pair of tags.
    All scores are in one tensor: those of tags alone are the same for every `previous`, and
    `nn/chain/chain.py: chain_scores` combines them with those of pairs. Summed over `previous`, an
    object gives its tags, one-hot at every position.

    Registered as a `Structure` with name "chain". Provides `log_partition` and `sample`, but no
    `projected_step`: there is no known polytope that is cheap to project onto and still requires
    neighbours to agree. For SPIGOT choose the projection "sparsemap".
    """

    dimensions = ("position", "tag", "previous")
    fixed_size = True

    def part_mask(self, mask: BoolTensor, shape: torch.Size) -> BoolTensor:
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ConfigurationError(
                "Chain needs scores of shape (batch_size, length, num_tags, num_tags), indexed "
                f"[batch, position, tag, previous tag], but found {tuple(shape)}. Scores of tags "
                "alone, (batch_size, length, num_tags), become such by chain_scores of "
                "nn/chain/chain.py."
            )
        check_token_mask(TAG_PAIRS, mask, shape)
        positions = torch.arange(shape[1], device=mask.device).unsqueeze(1)
        is_first_tag = torch.arange(shape[3], device=mask.device) == 0
        # (position, previous)
        follows = (positions > 1) | ((positions == 1) & is_first_tag)
        return (mask.unsqueeze(-1) & follows).unsqueeze(2).expand(shape)

    def argmax(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return best_sequence(scores, mask)

    def contains(self, vertex: Tensor, mask: BoolTensor) -> BoolTensor:
        legal = mask.expand(vertex.shape)
        parts = (vertex == 1) & legal
        positions = torch.arange(vertex.size(1), device=vertex.device)
        num_tokens = lengths_from_arc_mask(legal.flatten(2)).unsqueeze(1)
        is_token = (positions > 0) & (positions <= num_tokens)
        has_one_part = (parts.sum(dim=(2, 3)) == is_token).all(dim=-1)
        # (batch_size, length, tag); what precedes the first token counts as tag 0
        tags, previous = parts.any(dim=3), parts.any(dim=2)
        tags[:, :1, :1] = True
        agrees = (previous[:, 1:] == tags[:, :-1]).all(dim=-1) | ~is_token[:, 1:]
        return are_choices(vertex, legal) & has_one_part & agrees.all(dim=-1)

    def log_partition(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return chain_log_partition(scores, mask)

    def log_partition_and_marginals(
        self, scores: Tensor, mask: BoolTensor
    ) -> Tuple[Tensor, Tensor]:
        return chain_log_partition_and_marginals(scores, mask)

    def sample(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        return sample_sequence(scores, mask)
