import pytest
import torch

from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.structure import Structure


class FirstPart(Structure):
    """Has one object, and knows no more than that."""

    def part_mask(self, mask, shape):
        return mask

    def argmax(self, scores, mask):
        return torch.zeros_like(scores).index_fill(1, torch.tensor(0), 1)


class Weighted(FirstPart):
    """Log-partition is the sum of squares, so its gradient is known."""

    def log_partition(self, scores, mask):
        return (scores**2).sum(dim=-1)


def test_to_implement_an_operation_is_to_provide_it():
    assert not FirstPart().provides("log_partition")
    assert Weighted().provides("log_partition")
    assert Weighted().provides("marginals") and not FirstPart().provides("marginals")
    assert not Weighted().provides("sample")


def test_to_ask_for_an_unknown_operation_is_a_mistake_of_ours():
    with pytest.raises(AssertionError, match="entropy"):
        FirstPart().provides("entropy")


def test_what_is_not_provided_raises():
    with pytest.raises(NotImplementedError):
        FirstPart().log_partition(torch.zeros(1, 2), torch.ones(1, 2).bool())


def test_marginals_are_the_gradient_of_log_partition_on_legal_parts():
    scores, mask = torch.tensor([[1.0, -2.0, 5.0]]), torch.tensor([[True, True, False]])
    assert Weighted().marginals(scores, mask).tolist() == [[2.0, -4.0, 0.0]]


def test_marginals_are_differentiable_where_gradients_are_asked_for():
    scores, mask = torch.tensor([[1.0, -2.0]], requires_grad=True), torch.ones(1, 2).bool()
    marginals = Weighted().marginals(scores, mask)
    (gradient,) = torch.autograd.grad(marginals.sum(), scores)
    assert gradient.tolist() == [[2.0, 2.0]]
    with torch.no_grad():
        assert not Weighted().marginals(scores, mask).requires_grad


def test_the_entropy_of_what_is_impossible_is_zero():
    class Impossible(FirstPart):
        def log_partition(self, scores, mask):
            return (0 * scores).sum(dim=-1) - torch.inf

    scores, mask = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.ones(1, 2).bool()
    entropy = Impossible().entropy(scores, mask)
    (gradient,) = torch.autograd.grad(entropy.sum(), scores)
    assert entropy.tolist() == [0.0] and not gradient.any()


def test_log_prob_is_the_score_of_the_vertex_less_the_log_partition():
    scores, mask = torch.tensor([[1.0, 2.0]]), torch.ones(1, 2).bool()
    vertex = FirstPart().argmax(scores, mask)
    assert Weighted().log_prob(scores, mask, vertex).tolist() == [1.0 - 5.0]


def test_a_vertex_that_has_an_illegal_part_is_impossible_and_has_no_gradient_there():
    scores = torch.tensor([[1.0, -2.0], [1.0, torch.nan]], requires_grad=True)
    mask, vertex = torch.tensor([[True, False]] * 2), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    log_prob = Categorical().log_prob(scores, mask, vertex)
    # of the only object, the second is certain
    assert log_prob.tolist() == [-torch.inf, 0]
    log_prob.sum().backward()
    assert scores.grad.isfinite().all() and not scores.grad[:, 1].any()


def test_parts_outside_the_vertex_count_nothing_whatever_their_score():
    scores, vertex = torch.tensor([[1.0, -torch.inf, torch.nan]]), torch.tensor([[1.0, 0.0, 0.0]])
    assert FirstPart().score(scores, vertex).tolist() == [1.0]
