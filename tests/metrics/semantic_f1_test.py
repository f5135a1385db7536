"""The metric against hand-worked numbers and the scorer's own definition: sets of tuples."""

import random

import pytest
import torch
from allennlp.common.testing import run_distributed_test
from allennlp.training.metrics import Metric

from spigot_allennlp.metrics.semantic_f1 import SemanticF1

UNKNOWN = 1


def graph_tensor(length, arcs):
    """`arcs` as (predicate, argument, label); predicate 0 makes a top."""
    tensor = torch.full((length, length), -1)
    for predicate, argument, label in arcs:
        tensor[argument, predicate] = label
    return tensor


def batch(graphs, length=None):
    """Pairs of a number of positions (the root included) and a list of arcs, as (tensor, mask)."""
    length = length or max(size for size, _ in graphs)
    mask = torch.tensor([[position < size for position in range(length)] for size, _ in graphs])
    return torch.stack([graph_tensor(length, arcs) for _, arcs in graphs]), mask


def random_graph(generator, size):
    arcs = [
        (predicate, argument, generator.randrange(1, 4) if predicate else 0)
        for predicate in range(size)
        for argument in range(1, size)
        if predicate != argument and generator.random() < 0.3
    ]
    return size, arcs


def damaged(generator, graph):
    """The graph with some arcs dropped, relabelled and added; sometimes untouched."""
    size, arcs = graph
    if generator.random() < 0.3:
        return graph
    kept = {(p, a): label for p, a, label in arcs if generator.random() < 0.8}
    for predicate, argument in kept:
        if predicate and generator.random() < 0.3:
            kept[predicate, argument] = generator.randrange(1, 4)
    kept[0, generator.randrange(1, size)] = 0
    return size, [(p, a, label) for (p, a), label in kept.items()]


def random_pairs(seed, number=12):
    generator = random.Random(seed)
    gold = [random_graph(generator, generator.randrange(2, 8)) for _ in range(number)]
    return [damaged(generator, graph) for graph in gold], gold


def scorer(predicted, gold):
    """The definition, on sets of (sentence, predicate, argument, label) of the whole data set."""
    result = {}
    for suffix, with_tops in (("", True), ("_without_tops", False)):
        for kind in ("labelled", "unlabelled"):

            def edges(graph, number, side, with_tops=with_tops, kind=kind):
                for predicate, argument, label in graph[1]:
                    if predicate == 0 and with_tops:
                        yield number, 0, argument, "VIRTUAL"
                    elif predicate:
                        # Unknown roles differ from everything: each side has its own name for them.
                        name = side if label == UNKNOWN else label
                        yield (
                            number,
                            predicate,
                            argument,
                            name if kind == "labelled" else "UNLABELLED",
                        )

            system = [set(edges(graph, number, "system")) for number, graph in enumerate(predicted)]
            truth = [set(edges(graph, number, "truth")) for number, graph in enumerate(gold)]
            all_system, all_truth = set().union(*system), set().union(*truth)
            precision = len(all_system & all_truth) / len(all_system)
            recall = len(all_system & all_truth) / len(all_truth)
            result[f"{kind}_precision{suffix}"] = precision
            result[f"{kind}_recall{suffix}"] = recall
            result[f"{kind}_f1{suffix}"] = 2 * precision * recall / (precision + recall)
            result[f"{kind}_exact_match{suffix}"] = sum(map(set.__eq__, system, truth)) / len(gold)
    return result


def update(metric, predicted, gold):
    predictions, mask = batch(predicted)
    metric(predictions, batch(gold)[0], mask)


def score(predicted, gold, metric=None):
    metric = metric or SemanticF1()
    update(metric, predicted, gold)
    return metric.get_metric()


def test_the_metrics_of_two_small_graphs_are_those_worked_by_hand():
    gold = [(4, [(0, 2, 0), (2, 1, 2), (2, 3, 3)]), (3, [(0, 1, 0), (1, 2, 2)])]
    # First sentence: a wrong label, a wrong top and a missing arc. Second: right.
    predicted = [(4, [(0, 1, 0), (2, 1, 3)]), (3, [(0, 1, 0), (1, 2, 2)])]
    # With tops 5 gold, 4 predicted, 2 in common labelled, 3 unlabelled; without 3, 2, 1, 2.
    assert score(predicted, gold) == pytest.approx(
        {
            "labelled_precision": 2 / 4,
            "labelled_recall": 2 / 5,
            "labelled_f1": 4 / 9,
            "labelled_exact_match": 1 / 2,
            "unlabelled_precision": 3 / 4,
            "unlabelled_recall": 3 / 5,
            "unlabelled_f1": 6 / 9,
            "unlabelled_exact_match": 1 / 2,
            "labelled_precision_without_tops": 1 / 2,
            "labelled_recall_without_tops": 1 / 3,
            "labelled_f1_without_tops": 2 / 5,
            "labelled_exact_match_without_tops": 1 / 2,
            "unlabelled_precision_without_tops": 2 / 2,
            "unlabelled_recall_without_tops": 2 / 3,
            "unlabelled_f1_without_tops": 4 / 5,
            "unlabelled_exact_match_without_tops": 1 / 2,
        }
    )


@pytest.mark.parametrize("seed", range(20))
def test_every_metric_equals_the_definition_over_sets_of_arcs(seed):
    predicted, gold = random_pairs(seed)
    assert score(predicted, gold) == pytest.approx(scorer(predicted, gold))


def test_batches_one_at_a_time_add_up_to_the_whole():
    predicted, gold = random_pairs(3)
    metric = SemanticF1()
    for start in range(0, len(gold), 5):
        metrics = score(predicted[start : start + 5], gold[start : start + 5], metric)
    assert metrics == score(predicted, gold)


def test_padding_changes_nothing_whatever_it_holds():
    predicted, gold = random_pairs(4)
    longer, mask = batch(predicted, length=11)
    junk = torch.where(mask.unsqueeze(1) & mask.unsqueeze(2), longer, torch.full_like(longer, 2))
    no_sentence = torch.full_like(junk[:1], 2)
    metric = SemanticF1()
    metric(
        torch.cat([junk, no_sentence]),
        torch.cat([batch(gold, length=11)[0], -no_sentence]),
        torch.cat([mask, torch.zeros_like(mask[:1])]),
    )
    assert metric.get_metric() == score(predicted, gold)


def test_a_sentence_without_arcs_is_an_exact_match_only_of_an_empty_prediction():
    empty, filled = (3, []), (3, [(1, 2, 2)])
    assert score([empty], [empty])["labelled_exact_match"] == 1
    assert score([filled], [empty])["unlabelled_exact_match"] == 0
    assert score([empty], [filled])["unlabelled_exact_match"] == 0


def test_there_is_no_metric_of_nothing_and_a_ratio_without_a_denominator_is_zero():
    assert SemanticF1().get_metric() == {}
    assert score([(3, [])], [(3, [])])["labelled_f1"] == 0


def test_the_unknown_role_is_an_unlabelled_match_only():
    graph = [(3, [(1, 2, UNKNOWN)])]
    assert score(graph, graph)["labelled_f1"] == 0
    assert score(graph, graph)["labelled_exact_match"] == 0
    assert score(graph, graph)["unlabelled_f1"] == 1
    assert score(graph, graph, SemanticF1(unknown_label=5))["labelled_f1"] == 1


def test_the_label_of_a_top_is_not_looked_at():
    assert score([(3, [(0, 2, UNKNOWN)])], [(3, [(0, 2, 0)])])["labelled_f1"] == 1


def test_arcs_into_the_root_are_not_looked_at():
    assert score([(3, [(0, 1, 0), (2, 0, 2)])], [(3, [(0, 1, 0)])])["labelled_exact_match"] == 1


def test_reset_forgets_everything():
    predicted, gold = random_pairs(5)
    metric = Metric.by_name("semantic_f1")()
    score([(3, [(1, 2, 2)])], [(3, [(2, 1, 2)])], metric)
    metric.get_metric(reset=True)
    assert score(predicted, gold, metric) == score(predicted, gold)


def test_the_arguments_are_left_as_they_were():
    predicted, gold = random_pairs(6)
    (predictions, mask), (truth, _) = batch(predicted), batch(gold)
    before = predictions.clone(), truth.clone(), mask.clone()
    SemanticF1()(predictions, truth, mask)
    assert all(map(torch.equal, before, (predictions, truth, mask)))


def score_on_worker(rank, world_size, device, slices, predicted, gold, desired):
    metric = SemanticF1()
    for start, stop in slices[rank]:
        update(metric, predicted[start:stop], gold[start:stop])
    assert metric.get_metric() == desired
    assert metric.get_metric(reset=True) == desired


def test_workers_with_different_numbers_of_batches_report_the_metrics_of_all():
    predicted, gold = random_pairs(7, number=9)
    slices = [[(0, 2), (2, 9)], []]
    run_distributed_test([-1, -1], score_on_worker, slices, predicted, gold, score(predicted, gold))
