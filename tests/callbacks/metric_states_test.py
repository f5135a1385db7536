"""
Metrics that are saved halfway, and go on in a new process, report what they would have reported.
"""

from collections import Counter, defaultdict

import numpy
import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.training.metrics import (
    Average,
    BooleanAccuracy,
    CategoricalAccuracy,
    FBetaMeasure,
    MeanAbsoluteError,
    Metric,
    PearsonCorrelation,
    SpanBasedF1Measure,
)

from spigot_allennlp.callbacks.metric_states import load_metrics, save_metrics

VOCABULARY = Vocabulary({"tags": {tag: 1 for tag in ("B-X", "I-X", "B-Y", "O")}})


class CountsInEveryContainer(Metric):
    """One of each kind of attribute that metrics have."""

    def __init__(self):
        self.name, self.function = "counts", len
        self.number, self.nothing = numpy.int64(0), None
        self.array, self.seen, self.rows = numpy.zeros(3), set(), []
        self.nested = defaultdict(lambda: defaultdict(int))
        self.counter = Counter()
        self.average = Average()

    def __call__(self, predictions, gold):
        self.number += len(gold)
        self.nothing = torch.tensor(1.0)
        self.array[1] += 1
        self.seen |= {int(gold[0, 0])}
        self.rows.append((int(gold[0, 1]), "x"))
        self.nested[("a", 1)]["b"] += 1
        self.counter["c"] += 2
        self.average(float(predictions.sum()))

    def get_metric(self, reset=False):
        nested = {key: dict(value) for key, value in self.nested.items()}
        values = (self.nothing, self.seen, self.rows, nested, self.counter["c"])
        return (
            self.number,
            self.array.tolist(),
            self.average.get_metric(),
            values,
            self.counter["d"],
        )


class Model(torch.nn.Module):
    """Has its metrics in all places where models have them."""

    def __init__(self):
        super().__init__()
        self.accuracy = CategoricalAccuracy()
        self.several = {"f1": FBetaMeasure(), "top": CategoricalAccuracy(top_k=2)}
        self.list = [CountsInEveryContainer(), CountsInEveryContainer()]
        self.inner = torch.nn.Linear(1, 1)
        self.inner.spans = SpanBasedF1Measure(VOCABULARY, tag_namespace="tags")
        self.sizes = {"not": "a metric"}

    def metrics(self):
        return [self.accuracy, *self.several.values(), *self.list, self.inner.spans]


def batches():
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        predictions = torch.rand(3, 5, 4, generator=generator)
        yield predictions, torch.randint(4, (3, 5), generator=generator)


def through_a_file(state, folder):
    torch.save(state, folder / "state.th")
    return torch.load(folder / "state.th", weights_only=True)


def test_metrics_go_on_where_they_were_saved(tmp_path):
    whole, killed, resumed = Model(), Model(), Model()
    for position, (predictions, gold) in enumerate(batches()):
        for metric in whole.metrics():
            metric(predictions, gold)
        if position == 2:
            load_metrics(resumed, through_a_file(save_metrics(killed), tmp_path))
        for metric in killed.metrics() if position < 2 else resumed.metrics():
            metric(predictions, gold)
    for expected, resumed_metric in zip(whole.metrics(), resumed.metrics(), strict=True):
        assert resumed_metric.get_metric() == expected.get_metric()


@pytest.mark.parametrize("metric", [BooleanAccuracy, MeanAbsoluteError, PearsonCorrelation])
def test_one_more_metric_goes_on(metric, tmp_path):
    whole, killed, resumed = (torch.nn.Linear(1, 1) for _ in range(3))
    for model in (whole, killed, resumed):
        model.metric = metric()
    for predictions, _ in batches():
        killed.metric(predictions.round(), predictions.flip(0).round())
        whole.metric(predictions.round(), predictions.flip(0).round())
    load_metrics(resumed, through_a_file(save_metrics(killed), tmp_path))
    assert resumed.metric.get_metric() == whole.metric.get_metric()


def test_a_model_that_has_got_another_metric_keeps_its_state(tmp_path):
    model = Model()
    load_metrics(model, {"no.such": {"total": 1}})
    assert model.accuracy.get_metric() == 0.0


def missing(place):
    """The states of a model that lacks a metric; the place may be one in a list or dictionary."""
    states = save_metrics(Model())
    container, _, key = place.partition(" ")
    if key:
        del states[container][int(key) if key.isdigit() else key]
    else:
        del states[container]
    return states


@pytest.mark.parametrize(
    "states, named",
    [
        ({**save_metrics(Model()), "inner.lost": {"total": 1}}, "inner.lost"),
        (missing(".accuracy"), "accuracy"),
        (missing("inner.spans"), "inner.spans"),
        (missing(".several f1"), "several.f1"),
        (missing(".list 1"), "list.1"),
        ({**save_metrics(Model()), ".list": [*save_metrics(Model())[".list"], {}]}, "list.2"),
    ],
)
def test_metrics_that_one_side_alone_has_are_named_and_leave_the_others(states, named, caplog):
    model = Model()
    (predictions, gold), *_ = batches()
    if ".accuracy" in states:
        states[".accuracy"].update(correct_count=3, total_count=4)
    load_metrics(model, states)
    (record,) = caplog.records
    assert record.levelname == "WARNING" and record.getMessage().endswith(f"from here on: {named}.")
    if ".accuracy" in states:
        assert model.accuracy.get_metric() == 0.75
    for metric in model.metrics():  # each goes on counting
        metric(predictions, gold)


def test_the_same_metrics_are_restored_without_a_word(caplog):
    load_metrics(Model(), save_metrics(Model()))
    assert not caplog.records


def test_what_a_metric_has_from_its_constructor_is_not_saved():
    (counts, _) = save_metrics(Model())[".list"]
    assert counts["name"] == "counts" and "function" not in counts
