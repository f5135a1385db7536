import pytest
import torch

from spigot_allennlp.nn.arborescence.branches import Walk, all_but_one, places_of_ends
from spigot_allennlp.nn.recurrence import IMPOSSIBLE


def ends_of(arcs, root, free):
    """Of one sentence, given weights; those of each token in order."""
    arcs, root = torch.tensor(arcs).double().log(), torch.tensor(root).double().log()
    walk = Walk(
        arcs.clamp(min=IMPOSSIBLE)[None, None],
        root.clamp(min=IMPOSSIBLE)[None, None],
        torch.tensor([[free]]),
        torch.zeros(1, 1, dtype=torch.double),
    )
    places = places_of_ends(root.size(0))
    order = [places.index(token) for token in range(root.size(0))]
    total, free, escapes = (each[0, 0, order] for each in all_but_one(walk))
    return total.exp(), free, escapes.exp()


@pytest.mark.parametrize("size", range(1, 20))
def test_every_token_is_left_at_some_end(size):
    assert set(places_of_ends(size)) == set(range(size))
    assert len(places_of_ends(size)) < 2 * size


def test_two_tokens_worked_by_hand():
    # 1 leads to 2 with weight 3, and to the root with 1; 2 leads to 1 with 5, to the root with 2
    total, free, escapes = ends_of([[0.0, 3.0], [5.0, 0.0]], [1.0, 2.0], free=True)
    # trees: both on the root 1 * 2, 2 below 1 1 * 5, 1 below 2 2 * 3
    torch.testing.assert_close(total, torch.tensor([13.0, 13.0]).double())
    # a walk from 2 reaches the root before 1 in 2 of 7 cases; one from 1 before 2 in 1 of 4
    torch.testing.assert_close(escapes, torch.tensor([[0.0, 2 / 7], [1 / 4, 0.0]]).double())
    assert free.all()


def test_with_one_dependent_of_the_root_pivots_leave_the_root_out():
    total, free, escapes = ends_of([[0.0, 3.0], [5.0, 0.0]], [1.0, 2.0], free=False)
    torch.testing.assert_close(total, torch.tensor([11.0, 11.0]).double())
    torch.testing.assert_close(escapes, torch.tensor([[0.0, 2 / 5], [1 / 3, 0.0]]).double())
    assert not free.any()


def test_a_token_that_leads_to_none_that_is_left_is_the_one_below_the_root():
    # 2 leads to the root alone, so it is the top: 1 and 3 lead to it, or to each other
    arcs = [[0.0, 3.0, 1.0], [0.0, 0.0, 0.0], [2.0, 4.0, 0.0]]
    total, free, escapes = ends_of(arcs, [7.0, 5.0, 9.0], free=False)
    torch.testing.assert_close(total, torch.full((3,), 5.0 * (3 * 4 + 1 * 4 + 3 * 2)).double())
    assert free.tolist() == [True, False, True]
    torch.testing.assert_close(escapes[0], torch.tensor([0.0, 1.0, 4 / 6]).double())


def test_two_tokens_that_lead_to_none_leave_no_tree():
    arcs = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    total, _, _ = ends_of(arcs, [1.0, 1.0, 1.0], free=False)
    assert not total.any()
    total, _, _ = ends_of(arcs, [1.0, 1.0, 1.0], free=True)
    torch.testing.assert_close(total, torch.full((3,), 3.0).double())
