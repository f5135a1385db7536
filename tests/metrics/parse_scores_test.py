"""Figures of files against numbers worked by hand, and against the metrics of training."""

import random

import numpy
import pytest
import torch

from spigot_allennlp.metrics.parse_scores import enhanced_scores, graph_scores, tree_scores
from spigot_allennlp.metrics.semantic_f1 import SemanticF1

GOLD = [[(0, 2, ""), (2, 1, "ARG1"), (2, 3, "ARG2")], [(0, 1, "")]]
SYSTEM = [[(0, 2, ""), (2, 1, "ARG2"), (3, 1, "ARG1"), (2, 3, "ARG2")], [(0, 1, "")]]


def test_the_metrics_of_two_graphs_worked_by_hand():
    # Of 5 arcs predicted and 4 gold, tops among them, 3 are in common, 4 without labels; without
    # tops, of 3 and 2, 1 and 2. The second sentence is right.
    metrics = graph_scores(GOLD, SYSTEM).all()
    assert metrics["labelled precision"] == pytest.approx(3 / 5)
    assert metrics["labelled recall"] == pytest.approx(3 / 4)
    assert metrics["labelled F1"] == pytest.approx(6 / 9)
    assert metrics["labelled exact match"] == 1 / 2
    assert metrics["unlabelled precision"] == pytest.approx(4 / 5)
    assert metrics["unlabelled recall"] == 1
    assert metrics["unlabelled F1"] == pytest.approx(8 / 9)
    assert metrics["unlabelled exact match"] == 1 / 2
    assert metrics["labelled without tops F1"] == pytest.approx(2 / 5)
    assert metrics["unlabelled without tops F1"] == pytest.approx(4 / 5)
    assert metrics["labelled without tops exact match"] == 1 / 2


def test_nothing_predicted_and_nothing_gold_divide_by_nothing():
    metrics = graph_scores([[(0, 1, "")]], [[]]).all()
    assert metrics["labelled precision"] == metrics["labelled F1"] == 0
    assert metrics["labelled without tops exact match"] == 1


def test_attachment_worked_by_hand():
    gold = [[(2, 1, "nsubj"), (0, 2, "root"), (2, 3, "punct")], [(0, 1, "root")]]
    system = [[(2, 1, "obj"), (0, 2, "root"), (1, 3, "punct")], [(0, 1, "root")]]
    assert tree_scores(gold, system).all() == {
        "UAS": 3 / 4,
        "LAS": 2 / 4,
        "tree exact match": 1 / 2,
    }


def test_enhanced_dependencies_worked_by_hand():
    # Two arcs between the same words are two; the label from the root counts.
    gold = [[(0, 1, "root"), (1, 2, "conj"), (1, 2, "nsubj"), (1, 3, "obj")]]
    system = [[(0, 1, "dep"), (1, 2, "conj"), (1, 3, "obj")]]
    metrics = enhanced_scores(gold, system).all()
    assert metrics["ELAS precision"] == pytest.approx(2 / 3)
    assert metrics["ELAS recall"] == pytest.approx(2 / 4)
    assert metrics["ELAS"] == pytest.approx(4 / 7)
    assert metrics["enhanced unlabelled F1"] == 1


def test_the_metrics_of_graphs_are_those_of_training():
    generator = random.Random(3)
    metric, sides = SemanticF1(), ([], [])
    for length in (2, 5, 9):
        graphs = []
        for _ in range(2):
            graph = torch.full((length, length), -1)
            for head in range(length):
                for dependent in range(1, length):
                    if head != dependent and generator.random() < 0.3:
                        graph[dependent, head] = generator.randrange(2, 4) if head else 0
            graphs.append(graph)
        metric(*(graph.unsqueeze(0) for graph in graphs), torch.ones(1, length, dtype=torch.bool))
        for side, graph in zip(sides, graphs, strict=True):
            places = (graph >= 0).nonzero().tolist()
            side.append([(head, word, str(int(graph[word, head]))) for word, head in places])
    predicted, gold = sides
    metrics = graph_scores(gold, predicted).all()
    expected = metric.get_metric()
    assert len(metrics) == len(expected) == 16
    for name, value in expected.items():
        kind, _, rest = name.partition("_")
        name_of_metric = rest.removesuffix("_without_tops")
        without = " without tops" if name.endswith("_without_tops") else ""
        shown = {"f1": "F1", "exact_match": "exact match"}.get(name_of_metric, name_of_metric)
        assert metrics[f"{kind}{without} {shown}"] == pytest.approx(value), name


def test_any_selection_of_sentences_has_its_metrics():
    scores = graph_scores(GOLD, SYSTEM)
    totals = numpy.array([[1.0, 0.0], [0.0, 2.0]]) @ scores.rows
    assert scores.metrics["labelled F1"](totals) == pytest.approx([2 * 2 / 7, 1])
