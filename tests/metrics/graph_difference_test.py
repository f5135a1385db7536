"""The share of arcs changed against hand-worked numbers and against sets of tuples."""

import pytest
import torch
from allennlp.common.testing import run_distributed_test
from allennlp.training.metrics import Metric

from spigot_allennlp.metrics.graph_difference import GraphDifference


def graph_tensor(length, arcs):
    """`arcs` as (predicate, argument, label); predicate 0 makes a top."""
    tensor = torch.full((length, length), -1)
    for predicate, argument, label in arcs:
        tensor[argument, predicate] = label
    return tensor


def tree_tensor(heads):
    """An unlabelled tree, given the head of each token."""
    arcs = [(head, token, 0) for token, head in enumerate(heads, start=1)]
    return graph_tensor(1 + len(heads), arcs)


def full_mask(graphs):
    return torch.ones(graphs.shape[:2], dtype=torch.bool)


def change(before, after, mask=None, metric=None):
    metric = metric or GraphDifference()
    metric(before, after, full_mask(before) if mask is None else mask)
    return metric.get_metric()


def random_batch(seed, batch_size=4, length=7):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, length, length)
    before = torch.randint(-4, 3, shape, generator=generator).clamp(min=-1)
    other = torch.randint(-4, 3, shape, generator=generator).clamp(min=-1)
    after = torch.where(torch.rand(shape, generator=generator) < 0.6, before, other)
    lengths = torch.randint(2, length + 1, (batch_size, 1), generator=generator)
    return before, after, torch.arange(length) < lengths


def edges(graphs, mask, labelled):
    """The arcs of a batch as tuples, those into the root left out."""
    return {
        (sentence, head, dependent, int(graph[dependent, head]) if labelled else 0)
        for sentence, graph in enumerate(graphs)
        for dependent in range(1, int(mask[sentence].sum()))
        for head in range(int(mask[sentence].sum()))
        if graph[dependent, head] >= 0
    }


def test_the_metrics_of_two_small_graphs_are_those_worked_by_hand():
    # One top, one arc stays, one gets another label, one goes, one comes.
    before = graph_tensor(4, [(0, 2, 0), (2, 1, 2), (2, 3, 3), (1, 3, 2)])
    after = graph_tensor(4, [(0, 2, 0), (2, 1, 2), (2, 3, 4), (3, 1, 2)])
    # Labelled: 2 in common of 4 + 4 - 2 = 6. Unlabelled: 3 in common of 4 + 4 - 3 = 5.
    expected = {"arcs_changed": 4 / 6, "unlabelled_arcs_changed": 2 / 5}
    assert change(before.unsqueeze(0), after.unsqueeze(0)) == pytest.approx(expected)


def test_of_unlabelled_trees_both_metrics_follow_from_the_number_of_new_heads():
    before, after = tree_tensor([2, 0, 2, 3]), tree_tensor([2, 0, 2, 2])
    expected = {"arcs_changed": 2 / 5, "unlabelled_arcs_changed": 2 / 5}  # n = 4, k = 1
    assert change(before.unsqueeze(0), after.unsqueeze(0)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(10))
def test_both_metrics_equal_their_definition_over_sets(seed):
    before, after, mask = random_batch(seed)
    expected = {}
    for name, labelled in (("arcs_changed", True), ("unlabelled_arcs_changed", False)):
        a, b = (edges(graphs, mask, labelled) for graphs in (before, after))
        expected[name] = len(a ^ b) / len(a | b)
    assert change(before, after, mask) == pytest.approx(expected)
    assert change(after, before, mask) == pytest.approx(expected)


def test_nothing_has_changed_between_a_graph_and_itself_nor_between_graphs_without_arcs():
    before, _, mask = random_batch(1)
    empty = torch.full_like(before, -1)
    nothing = {"arcs_changed": 0.0, "unlabelled_arcs_changed": 0.0}
    assert change(before, before, mask) == change(empty, empty, mask) == nothing


def test_there_is_no_metric_of_no_graphs_at_all():
    assert GraphDifference().get_metric() == {}


def test_everything_has_changed_where_there_was_no_arc():
    before, _, mask = random_batch(2)
    everything = {"arcs_changed": 1.0, "unlabelled_arcs_changed": 1.0}
    assert change(torch.full_like(before, -1), before, mask) == everything


def test_padding_and_arcs_into_the_root_change_nothing_whatever_they_hold():
    before, after, mask = random_batch(3)
    inside = mask.unsqueeze(1) & mask.unsqueeze(2)
    inside[:, 0] = False
    junk = torch.where(inside, after, torch.full_like(after, 2))
    assert change(before, junk, mask) == change(before, after, mask)


def test_batches_add_up_and_a_reset_forgets_them():
    before, after, mask = random_batch(4)
    metric = Metric.by_name("graph_change")()
    change(after, torch.full_like(after, -1), mask, metric)
    metric.get_metric(reset=True)
    for row in range(len(before)):
        instance = slice(row, row + 1)
        metrics = change(before[instance], after[instance], mask[instance], metric)
    assert metrics == change(before, after, mask)


def test_the_arguments_are_left_as_they_were():
    arguments = random_batch(5)
    copies = [tensor.clone() for tensor in arguments]
    GraphDifference()(*arguments)
    assert all(map(torch.equal, arguments, copies))


def change_on_worker(rank, world_size, device, batches, desired):
    metric = GraphDifference()
    for batch in batches[rank]:
        metric(*batch)
    assert metric.get_metric() == desired
    assert metric.get_metric(reset=True) == desired


def test_workers_with_different_numbers_of_batches_report_the_metrics_of_all():
    batches = [[random_batch(6), random_batch(7, length=4)], []]
    both = GraphDifference()
    for batch in batches[0]:
        both(*batch)
    run_distributed_test([-1, -1], change_on_worker, batches, both.get_metric())
