import torch

from spigot_allennlp.nn.arcs import arc_mask, arcs_from_heads, at_heads, lengths_from_arc_mask


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


def test_heads_become_arcs_and_padding_has_none():
    mask = torch.tensor([[True, True, True], [True, True, False]])
    heads, arcs = arcs_from_heads(torch.tensor([[2, 0], [0, 0]]), arc_mask(mask))
    assert heads.tolist() == [[0, 2, 0], [0, 0, 0]]
    assert arcs.nonzero().tolist() == [[0, 1, 2], [0, 2, 0], [1, 1, 0]]


def test_scores_are_taken_at_the_heads():
    scores = torch.arange(2 * 3 * 3 * 2).reshape(2, 3, 3, 2)
    heads = torch.tensor([[0, 2, 0], [0, 0, 1]])
    taken = at_heads(scores, heads)
    for batch in range(2):
        for dependent in range(3):
            expected = scores[batch, dependent, heads[batch, dependent]]
            assert torch.equal(taken[batch, dependent], expected)
