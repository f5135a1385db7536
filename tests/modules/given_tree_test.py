"""Trees that no parser makes, against heads written by hand, and their share of errors."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.given_tree import GoldTree, NeighbourTree

# The first sentence has three words, the second two.
MASK = torch.tensor([[True, True, True, True], [True, True, True, False]])
GOLD = torch.tensor([[2, 0, 2], [0, 1, 0]])


def arcs_of(heads, mask):
    arcs = torch.zeros(*mask.shape, mask.size(1))
    for sentence, row in enumerate(heads):
        for dependent, head in enumerate(row, start=1):
            arcs[sentence, dependent, head] = 1
    return arcs


def test_the_gold_tree_stays_what_it_is():
    assert GoldTree()(MASK, GOLD).equal(arcs_of([[2, 0, 2], [0, 1]], MASK))


def test_neighbours():
    assert NeighbourTree()(MASK).equal(arcs_of([[0, 1, 2], [0, 1]], MASK))
    assert NeighbourTree("right")(MASK).equal(arcs_of([[2, 3, 0], [2, 0]], MASK))


def long_sentences(count=200, length=30):
    mask = torch.ones(count, length + 1, dtype=torch.bool)
    torch.manual_seed(0)
    heads = torch.randint(length, (count, length))
    own = torch.arange(1, length + 1)
    return mask, heads + (heads >= own)


def test_errors_have_their_rate_and_hit_every_other_head_alike():
    mask, heads = long_sentences()
    arcs = GoldTree(error_rate=0.3)(mask, heads)
    assert arcs.sum(dim=-1)[:, 1:].eq(1).all() and not arcs[:, 0].any()
    assert not arcs.diagonal(dim1=1, dim2=2).any()
    predicted = arcs[:, 1:].argmax(dim=-1)
    wrong = predicted != heads
    assert abs(wrong.double().mean() - 0.3) < 6 * (0.21 / wrong.numel()) ** 0.5
    # How far behind the gold head the wrong one is, around the circle of 30 heads: any of 29.
    own = torch.arange(1, 31)
    place = [head - (head > own).long() for head in (predicted, heads)]
    distances = ((place[0] - place[1]) % 30)[wrong].bincount(minlength=30)
    expected = wrong.sum() / 29
    assert distances[0] == 0 and (abs(distances[1:] - expected) < 6 * expected**0.5).all()


def test_a_sentence_has_the_same_errors_in_every_batch():
    mask, heads = long_sentences(count=3, length=12)
    together = GoldTree(error_rate=0.5)(mask, heads)
    padded = torch.nn.functional.pad(mask[1:2], (0, 4))
    alone = GoldTree(error_rate=0.5)(padded, torch.nn.functional.pad(heads[1:2], (0, 4)))
    assert alone[0, :13, :13].equal(together[1]) and not alone[:, 13:].any()
    assert not GoldTree(error_rate=0.5, seed=1)(mask, heads).equal(together)


def test_all_wrong_and_a_word_that_has_no_other_head():
    mask, heads = long_sentences(count=2, length=5)
    assert not (GoldTree(error_rate=1.0)(mask, heads) * GoldTree()(mask, heads)).any()
    mask, heads = torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 1, dtype=torch.long)
    assert GoldTree(error_rate=1.0)(mask, heads).equal(GoldTree()(mask, heads))


def test_what_cannot_be():
    with pytest.raises(ConfigurationError, match="needs gold trees"):
        GoldTree()(MASK)
    with pytest.raises(ConfigurationError, match="error_rate"):
        GoldTree(error_rate=1.5)
    with pytest.raises(ConfigurationError, match="side"):
        NeighbourTree("up")
