"""The likelihood of a labelled graph in one pass, against probabilities that are enumerated."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.labelled_arcs import graph_likelihood, log_partition

NONE = -1


def problem(dtype=torch.double, batch_size=3, length=4, num_labels=3):
    torch.manual_seed(0)
    scores = 3 * torch.randn(batch_size, length, length, num_labels, dtype=torch.double)
    arcs = torch.rand(batch_size, length, length) < 0.8
    labels = torch.rand(length, num_labels) < 0.8
    labels[1] = False  # no arc from there
    legal = arcs.unsqueeze(-1) & labels
    gold = torch.where(legal.any(dim=-1), legal.int().argmax(dim=-1), NONE)
    gold[:, ::2] = NONE
    return scores.to(dtype).requires_grad_(), arcs, labels, gold


def test_it_is_the_probability_among_all_graphs():
    scores, arcs, labels, gold = problem(batch_size=1, length=2, num_labels=2)
    options = [
        [NONE, *(label for label in range(2) if arcs[0, d, h] and labels[h, label])]
        for d, h in itertools.product(range(2), repeat=2)
    ]
    pairs = list(itertools.product(range(2), repeat=2))

    def weight(graph):
        chosen = zip(pairs, graph, strict=True)
        return math.exp(
            sum(scores[0, d, h, label].item() for (d, h), label in chosen if label != NONE)
        )

    total = sum(map(weight, itertools.product(*options)))
    likelihood = graph_likelihood(scores, arcs, labels, gold)
    expected = -math.log(weight(gold.flatten().tolist()) / total)
    assert likelihood.is_legal.all() and math.isclose(likelihood.losses.item(), expected)


@pytest.mark.parametrize("head_last", (True, False))
@pytest.mark.parametrize("dtype", (torch.double, torch.float, torch.bfloat16, torch.half))
def test_value_and_gradient_are_those_of_the_parts(dtype, head_last):
    scores, arcs, labels, gold = problem(dtype)
    if head_last:
        scores = scores.detach().transpose(2, 3).contiguous().transpose(2, 3).requires_grad_()
    likelihood = graph_likelihood(scores, arcs, labels, gold)
    direction = torch.tensor([0.5, 2.0, -1.0])
    (gradient,) = torch.autograd.grad(likelihood.losses, scores, direction.to(likelihood.losses))

    exact = scores.detach().double().requires_grad_()
    chosen = exact.gather(-1, gold.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    of_gold = chosen.masked_fill(gold == NONE, 0).sum(dim=(1, 2))
    expected = log_partition(exact, arcs.unsqueeze(-1) & labels) - of_gold
    (expected_gradient,) = torch.autograd.grad(expected, exact, direction.double())
    single = torch.promote_types(dtype, torch.float)
    assert likelihood.losses.dtype == single and gradient.dtype == dtype
    assert_close(likelihood.losses, expected.to(single))
    assert_close(gradient, expected_gradient.to(dtype))


def test_a_graph_that_is_not_legal_is_known():
    scores, arcs, labels, gold = problem()
    dependent, head = (~arcs[1]).nonzero()[0]
    gold[1, dependent, head] = 0
    assert graph_likelihood(scores, arcs, labels, gold).is_legal.tolist() == [True, False, True]
    scores, arcs, labels, gold = problem()
    arcs[2, 0, 1] = True
    gold[2, 0, 1] = 0  # no label is legal there
    assert graph_likelihood(scores, arcs, labels, gold).is_legal.tolist() == [True, True, False]
    gold[0, 1] = scores.size(-1)
    assert not graph_likelihood(scores, arcs, labels, gold).is_legal[0]


def test_scores_that_are_far_apart_or_no_numbers():
    scores, arcs, labels, gold = problem(torch.float)
    wide = (1e4 * scores.detach()).requires_grad_()
    likelihood = graph_likelihood(wide, arcs, labels, gold)
    assert likelihood.losses.isfinite().all()
    assert torch.autograd.grad(likelihood.losses.sum(), wide)[0].isfinite().all()
    batch, dependent, head = (gold != NONE).nonzero()[0]
    for value, expected in ((-math.inf, math.inf), (math.nan, math.nan), (math.inf, math.nan)):
        changed = scores.detach().clone()
        changed[batch, dependent, head, gold[batch, dependent, head]] = value
        loss = graph_likelihood(changed, arcs, labels, gold).losses[batch]
        assert_close(loss, torch.tensor(expected), equal_nan=True)


def test_a_second_derivative_is_refused():
    scores, arcs, labels, gold = problem()
    losses = graph_likelihood(scores, arcs, labels, gold).losses
    (gradient,) = torch.autograd.grad(losses.sum(), scores, create_graph=True)
    with pytest.raises(NotImplementedError, match="differentiated once"):
        torch.autograd.grad(gradient.sum(), scores)
