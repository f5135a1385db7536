import torch

from spigot_allennlp.nn import recurrence

# One part out of each row of two.
SCORES = torch.tensor([[[1.0, 3.0], [0.0, -1.0]], [[0.0, 0.0], [2.0, 0.0]]])
MASK = torch.ones(2, 2, 2, dtype=torch.bool)


def one_of_each_row(scores, reduce):
    return reduce(scores).sum(dim=-1)


def test_the_best_is_the_gradient_of_the_maximum():
    best = recurrence.best(SCORES.half(), MASK, one_of_each_row)
    assert best.dtype == torch.half and not best.requires_grad
    assert best[0].tolist() == [[0, 1], [1, 0]]
    assert best[1].sum() == 2  # one way through a tie


def test_the_log_partition_sums_over_all():
    total = recurrence.log_partition(SCORES, MASK, one_of_each_row)
    torch.testing.assert_close(total, SCORES.double().logsumexp(dim=-1).sum(dim=-1))


def test_draws_come_as_often_as_they_are_probable():
    torch.manual_seed(0)
    many = SCORES[:1].expand(5000, 2, 2)
    draws = recurrence.sample(many, torch.ones_like(many, dtype=torch.bool), one_of_each_row)
    assert (draws.sum(dim=-1) == 1).all()
    torch.testing.assert_close(draws.mean(dim=0), SCORES[0].softmax(-1), atol=0.03, rtol=0)


def test_where_nothing_is_possible_nothing_is_found():
    scores, mask = SCORES.clone(), MASK.clone()
    scores[0, 0], mask[1, 1] = -torch.inf, False
    assert not recurrence.best(scores, mask, one_of_each_row).any()
    assert not recurrence.sample(scores, mask, one_of_each_row).any()
    assert recurrence.log_partition(scores, mask, one_of_each_row).eq(-torch.inf).all()


def test_without_parts_there_is_one_object_and_no_gradient():
    scores = torch.randn(3, 1, 1, requires_grad=True)
    total = recurrence.no_choice(scores)
    (first,) = torch.autograd.grad(total.sum(), scores, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), scores)
    assert total.tolist() == [0, 0, 0] and not first.any() and not second.any()
