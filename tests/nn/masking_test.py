import torch

from spigot_allennlp.nn.masking import (
    arc_mask,
    flatten_parts,
    lengths_from_arc_mask,
    per_instance,
)


def test_any_token_may_head_any_other_and_the_root_any_token():
    legal = arc_mask(torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]]).bool())
    assert legal[0].tolist() == [[0, 0, 0], [1, 0, 1], [1, 1, 0]]
    assert legal[1].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert not legal[2].any()


def test_lengths_count_the_tokens_without_the_root():
    lengths = torch.tensor([4, 1, 0, 3])
    mask = arc_mask(torch.arange(5) <= lengths.unsqueeze(1))
    assert torch.equal(lengths_from_arc_mask(mask), lengths)


def test_a_token_whose_arcs_are_pruned_does_not_end_the_sentence():
    mask = arc_mask(torch.ones(1, 4, dtype=torch.bool))
    mask[0, 2] = False
    assert lengths_from_arc_mask(mask).tolist() == [3]


def test_a_sentence_that_is_all_padding_has_length_zero():
    assert lengths_from_arc_mask(arc_mask(torch.zeros(2, 3, dtype=torch.bool))).tolist() == [0, 0]
    assert lengths_from_arc_mask(torch.zeros(2, 0, 0, dtype=torch.bool)).tolist() == [0, 0]


def test_flatten_parts_keeps_instances_apart():
    assert flatten_parts(torch.arange(12).reshape(2, 3, 2))[1].tolist() == [6, 7, 8, 9, 10, 11]
    assert flatten_parts(torch.zeros(3)).shape == (3, 1)
    assert flatten_parts(torch.zeros(0, 3, 2)).shape == (0, 6)


def test_per_instance_weights_multiply_all_parts_of_their_instance():
    parts = torch.ones(2, 3, 2)
    weighted = parts * per_instance(torch.tensor([2.0, 3.0]), parts)
    assert weighted.flatten(1).unique(dim=1).tolist() == [[2.0], [3.0]]
