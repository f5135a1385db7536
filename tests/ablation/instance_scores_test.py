"""Figures over a selection of instances, against the metric itself fed with that selection."""

import numpy
import pytest
import torch

from spigot_allennlp.ablation.cell import INSTANCES
from spigot_allennlp.ablation.held_out_scores import counts_of, sources_of
from spigot_allennlp.ablation.instance_scores import mean, read_scores, with_presence
from spigot_allennlp.ablation.record import Record
from spigot_allennlp.ablation.results import CellResult
from spigot_allennlp.metrics.class_scores import ClassScores

GOLD, PREDICTED = torch.tensor([0, 1, 2, 1, 0, 2]), torch.tensor([0, 2, 2, 1, 1, 0])


def metric_of(*instances):
    metric = ClassScores(3)
    metric(PREDICTED[list(instances)], GOLD[list(instances)])
    return metric


@pytest.fixture
def cell(tmp_path):
    """Tested on six instances: macro F1 is counted, `value` is not."""
    whole = metric_of(*range(6))
    figures = {**whole.get_metric(), "value": 2.5, "odd": 0.1}
    sources = sources_of(figures, {"there": whole})
    record = Record("a", 1, "", "done", test={"figures": figures, "sources": sources})
    rows = numpy.stack([counts_of(metric_of(one)) for one in range(6)])
    values = numpy.array([1.0, 2, 3, 4, numpy.nan, numpy.nan])
    arrays = {"counts there": rows, "values value": values, "values odd": values}
    numpy.savez(tmp_path / INSTANCES, **arrays)
    return CellResult(record, tmp_path)


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_a_counted_figure_is_that_of_the_metric_for_any_selection(cell, name):
    scores = read_scores(cell, name)
    assert scores.is_exact and scores.over_all() == metric_of(*range(6)).get_metric()[name]
    weights = numpy.array([[2, 0, 0, 1, 1, 2], [0, 6, 0, 0, 0, 0]], float)
    selections = [metric_of(0, 0, 3, 4, 5, 5), metric_of(*[1] * 6)]
    expected = [metric.get_metric()[name] for metric in selections]
    assert scores.over(weights @ scores.rows).tolist() == expected


def test_another_figure_is_the_mean_over_the_instances_that_have_it(cell):
    scores = read_scores(cell, "value")
    assert scores.is_exact and scores.over_all() == 2.5
    assert scores.over(numpy.array([[0, 0, 1, 1, 4, 0]], float) @ scores.rows).tolist() == [3.5]


def test_it_is_told_where_that_mean_is_not_the_figure(cell):
    assert not read_scores(cell, "odd").is_exact


def test_nothing_is_read_of_a_figure_or_a_cell_that_is_not_there(cell, tmp_path):
    assert read_scores(cell, "unheard") is None
    cell.record.state = "failed"
    assert read_scores(cell, "accuracy") is None


def test_no_value_at_all_is_no_number():
    nothing = with_presence(numpy.array([numpy.nan, numpy.nan]))
    assert numpy.isnan(mean(nothing.sum(axis=0, keepdims=True)))
