import numpy
import pytest
import torch
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import LabelField, MetadataField
from allennlp.models import Model
from allennlp.training.metrics import Average, CategoricalAccuracy, F1Measure

from spigot_allennlp.ablation.run.instance_evaluation import (
    InstanceEvaluation,
    counting_metric_class,
    evaluate_instances,
    find_sources,
    mean_of_present,
    read_scores,
    with_presence,
)
from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.metrics.counting_metric import CountingMetric


class Guesser(Model):
    """Predicts what the instance says, and counts in two ways."""

    def __init__(self):
        super().__init__(Vocabulary())
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.scores = {"main": ClassScores(3)}
        self.accuracy = CategoricalAccuracy()
        self.f1 = F1Measure(1)

    def forward(self, label, guess):
        predictions = torch.eye(3)[torch.tensor(guess)]
        self.scores["main"](predictions.argmax(dim=-1), label)
        self.accuracy(predictions, label)
        self.f1(predictions, label)
        return {"loss": 2.0 + label.float().mean() + self.weight.sum()}

    def get_metrics(self, reset=False):
        counted = self.scores["main"].get_metric(reset)
        theirs = {"their_accuracy": self.accuracy.get_metric(reset)}
        return {
            **{f"ours_{name}": value for name, value in counted.items()},
            **theirs,
            "f1": self.f1.get_metric(reset)["f1"],
        }


LABELS, GUESSES = [0, 1, 2, 1, 1], [0, 1, 1, 2, 1]


@pytest.fixture
def evaluation():
    return evaluate_instances(
        Guesser(),
        [
            Instance(
                {"label": LabelField(label, skip_indexing=True), "guess": MetadataField(guess)}
            )
            for label, guess in zip(LABELS, GUESSES, strict=True)
        ],
    )


def test_the_metrics_are_those_of_all_instances_together(evaluation):
    assert evaluation.metrics["ours_accuracy"] == evaluation.metrics["their_accuracy"] == 3 / 5
    assert evaluation.metrics["ours_macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert evaluation.metrics["f1"] == pytest.approx(2 / 3)
    assert evaluation.metrics["loss"] == pytest.approx(2 + 1)


def test_the_counts_of_each_instance_are_kept_and_add_up(evaluation):
    (counts,) = evaluation.counts.values()
    assert counts.shape == (5, 9)
    assert counts.sum(axis=1).tolist() == [1] * 5
    assert [row.argmax() for row in counts] == [3 * a + b for a, b in zip(LABELS, GUESSES)]  # noqa: B905


def test_a_metric_of_a_counting_metric_has_it_as_its_source(evaluation):
    source = evaluation.sources["ours_macro_f1"]
    assert source["figure"] == "macro_f1" and source["place"] in evaluation.counts
    assert source["class"] == "spigot_allennlp.metrics.class_scores.ClassScores"
    assert source["attributes"] == {"_num_counts": 9, "_num_classes": 3}


def test_what_is_not_counted_is_kept_as_the_value_of_each_instance(evaluation):
    assert evaluation.values.keys() == {"their_accuracy", "f1", "loss"}
    assert evaluation.values["their_accuracy"].tolist() == [1, 1, 0, 0, 1]
    numpy.testing.assert_allclose(evaluation.values["loss"], [2, 3, 4, 3, 3])


def test_no_instances_are_no_metrics():
    assert evaluate_instances(Guesser(), []).metrics == {}


def test_the_model_is_left_without_counts(evaluation):
    model = Guesser()
    instance = Instance({"label": LabelField(1, skip_indexing=True), "guess": MetadataField(1)})
    evaluate_instances(model, [instance])
    assert model.accuracy.total_count == 0
    assert model.scores["main"].get_metric() == {}
    assert not model.training


GOLD, PREDICTED = torch.tensor([0, 1, 2, 1, 0, 2]), torch.tensor([0, 2, 2, 1, 1, 0])


def metric_of(*instances):
    metric = ClassScores(3)
    metric(PREDICTED[list(instances)], GOLD[list(instances)])
    return metric


@pytest.fixture
def read(tmp_path):
    """
    Reads a metric of a test on six instances: macro F1 is counted, `value` is not. The metrics over
    a selection are compared with the metric itself, fed with that selection.
    """
    whole = metric_of(*range(6))
    metrics = {**whole.get_metric(), "value": 2.5, "odd": 0.1, "unheard": 1.0}
    sources = find_sources(metrics, {"there": whole})
    values = numpy.array([1.0, 2, 3, 4, numpy.nan, numpy.nan])
    counts = numpy.stack([metric_of(instance).counts.numpy() for instance in range(6)])
    evaluation = InstanceEvaluation(
        metrics, {"there": counts}, {"value": values, "odd": values}, sources
    )
    evaluation.save(tmp_path / "instances.npz")

    def read(name, file="instances.npz"):
        return read_scores(tmp_path / file, name, metrics[name], sources.get(name))

    return read


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_a_counted_metric_is_that_of_the_metric_for_any_selection(read, name):
    scores = read(name)
    assert scores.is_exact and scores.metric_of_all() == metric_of(*range(6)).get_metric()[name]
    weights = numpy.array([[2, 0, 0, 1, 1, 2], [0, 6, 0, 0, 0, 0]], float)
    selections = [metric_of(0, 0, 3, 4, 5, 5), metric_of(*[1] * 6)]
    expected = [metric.get_metric()[name] for metric in selections]
    assert scores.metric_of(weights @ scores.rows).tolist() == expected


def test_another_metric_is_the_mean_over_the_instances_that_have_it(read):
    scores = read("value")
    assert scores.is_exact and scores.metric_of_all() == 2.5
    weights = numpy.array([[0, 0, 1, 1, 4, 0]], float)
    assert scores.metric_of(weights @ scores.rows).tolist() == [3.5]


def test_scores_say_where_that_mean_is_not_the_metric(read):
    assert not read("odd").is_exact


def test_nothing_is_read_of_a_metric_or_a_file_that_is_not_there(read):
    assert read("unheard") is None
    assert read("accuracy", file="none.npz") is None


def test_no_value_at_all_is_no_number():
    nothing = with_presence(numpy.array([numpy.nan, numpy.nan]))
    assert numpy.isnan(mean_of_present(nothing.sum(axis=0, keepdims=True)))


@pytest.mark.parametrize(
    "name",
    [
        "class_scores.ClassScores",
        "graph_change.GraphChange",
        "outside_structure.OutsideStructure",
        "semantic_f1.SemanticF1",
        "tree_attachment.TreeAttachment",
        "v_measure.VMeasure",
    ],
)
def test_a_class_is_found_by_the_name_that_records_of_version_0_1_have_of_it(name):
    """If this fails after a class was moved, add it to `MOVED_CLASSES`."""
    assert issubclass(counting_metric_class(f"spigot_allennlp.metrics.{name}"), CountingMetric)


class Share(CountingMetric):
    """Counts how many of all are right."""

    def __init__(self):
        super().__init__(2)

    def __call__(self, is_right):
        self.add(torch.tensor([int(is_right), 1]))

    def compute_metrics(self, counts):
        return {"accuracy": counts[0] / counts[1]}


class ThreeAccuracies(Model):
    """Has two counting metrics that return a metric of one name, and a metric of AllenNLP's."""

    def __init__(self):
        super().__init__(Vocabulary())
        self.by_name = {"first": Share(), "second": Share(), "tag": Average()}

    def forward(self, right):
        for metric, is_right in zip(self.by_name.values(), right[0], strict=True):
            metric(is_right)
        return {}

    def get_metrics(self, reset=False):
        values = {name: metric.get_metric(reset) for name, metric in self.by_name.items()}
        return {
            f"{name}_accuracy": value["accuracy"] if isinstance(value, dict) else value
            for name, value in values.items()
        }


@pytest.mark.parametrize(
    "right",
    [
        [(1, 1, 0), (1, 1, 0), (1, 1, 1)],  # the last instance has all three alike
        [(1, 0, 0), (0, 1, 1), (1, 0, 0), (0, 1, 1)],  # both counted ones are 1 / 2
        [(0, 0, 1), (0, 1, 1), (0, 0, 0)],
    ],
)
def test_metrics_of_like_names_that_agree_by_chance_keep_their_own_instances(right, tmp_path):
    instances = [Instance({"right": MetadataField(row)}) for row in right]
    evaluation = evaluate_instances(ThreeAccuracies(), instances)
    evaluation.save(tmp_path / "instances.npz")
    for column, name in enumerate(("first", "second", "tag")):
        expected = [row[column] for row in right]
        value = evaluation.metrics[f"{name}_accuracy"]
        assert value == pytest.approx(sum(expected) / len(expected))
        source = evaluation.sources.get(f"{name}_accuracy")
        scores = read_scores(tmp_path / "instances.npz", f"{name}_accuracy", value, source)
        assert scores.metric_of(scores.rows).tolist() == expected


def test_a_loss_that_is_no_number_is_not_left_out_of_the_mean():
    instances = [
        Instance({"label": LabelField(0, skip_indexing=True), "guess": MetadataField(0)})
        for _ in range(2)
    ]
    model = Guesser()
    forward, losses = model.forward, iter([1.0, numpy.nan] * 2)  # of two passes
    model.forward = lambda **fields: {**forward(**fields), "loss": torch.tensor(next(losses))}
    assert numpy.isnan(evaluate_instances(model, instances).metrics["loss"])
