import torch

from spigot_allennlp.nn.heads import arcs_from_heads, at_heads
from spigot_allennlp.nn.masking import arc_mask


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
