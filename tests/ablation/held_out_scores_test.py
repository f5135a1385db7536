import numpy
import pytest
import torch
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import LabelField, MetadataField
from allennlp.models import Model
from allennlp.training.metrics import CategoricalAccuracy, F1Measure

from spigot_allennlp.ablation.held_out_scores import score
from spigot_allennlp.metrics.class_scores import ClassScores


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
def scores():
    return score(
        Guesser(),
        [
            Instance(
                {"label": LabelField(label, skip_indexing=True), "guess": MetadataField(guess)}
            )
            for label, guess in zip(LABELS, GUESSES, strict=True)
        ],
    )


def test_the_figures_are_those_of_all_instances_together(scores):
    assert scores.figures["ours_accuracy"] == scores.figures["their_accuracy"] == 3 / 5
    assert scores.figures["ours_macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores.figures["f1"] == pytest.approx(2 / 3)
    assert scores.figures["loss"] == pytest.approx(2 + 1)


def test_the_counts_of_each_instance_are_kept_and_add_up(scores):
    (counts,) = scores.counts.values()
    assert counts.shape == (5, 9)
    assert counts.sum(axis=1).tolist() == [1] * 5
    assert [row.argmax() for row in counts] == [3 * a + b for a, b in zip(LABELS, GUESSES)]  # noqa: B905


def test_a_figure_of_a_counting_metric_has_it_as_its_source(scores):
    source = scores.sources["ours_macro_f1"]
    assert source["figure"] == "macro_f1" and source["place"] in scores.counts
    assert source["class"] == "spigot_allennlp.metrics.class_scores.ClassScores"
    assert source["attributes"] == {"_num_counts": 9, "_num_classes": 3}


def test_what_is_not_counted_is_kept_as_the_value_of_each_instance(scores):
    assert scores.values.keys() == {"their_accuracy", "f1", "loss"}
    assert scores.values["their_accuracy"].tolist() == [1, 1, 0, 0, 1]
    numpy.testing.assert_allclose(scores.values["loss"], [2, 3, 4, 3, 3])


def test_no_instances_are_no_figures():
    assert score(Guesser(), []).figures == {}


def test_the_model_is_left_without_counts(scores):
    model = Guesser()
    instance = Instance({"label": LabelField(1, skip_indexing=True), "guess": MetadataField(1)})
    score(model, [instance])
    assert model.accuracy.total_count == 0
    assert model.scores["main"].get_metric() == {}
    assert not model.training
