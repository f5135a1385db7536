"""Scores that run away get a warning, once, and the metrics of every epoch tell how they grow."""

import json
import logging
import math
import re
from types import SimpleNamespace

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback

from spigot_allennlp.callbacks.divergence import Divergence
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.training.group_clipping import GroupClippingTrainer, GroupNorm

MASK = torch.tensor([[True, True, True, False]])


class Watched:
    """A callback, and a trainer whose model is a single layer."""

    def __init__(self, folder="nowhere", clips=True, scaler=None, **options):
        self.layer = StructuredArgmaxLayer(Categorical(), StraightThrough())
        if clips:
            self.trainer = GroupClippingTrainer.__new__(GroupClippingTrainer)
        else:
            self.trainer = SimpleNamespace()
        self.trainer.model, self.trainer.group_norms = self.layer, {}
        self.trainer._scaler = scaler
        self.callback = Divergence(str(folder), **options)
        self.callback.on_start(self.trainer)
        self.number = 0

    def batch(self, *scores, norms=(), is_training=True):
        """A batch in which the layer is called for each of `scores`."""
        self.layer.train(is_training)
        for row in scores:
            self.layer(torch.tensor([row]), MASK)
        self.trainer.group_norms = {
            name: GroupNorm(norm, max_norm) for name, norm, max_norm in norms
        }
        self.number += 1
        self.callback.on_batch(self.trainer, [], [], {}, 0, self.number, is_training)

    def epoch(self, number=0):
        metrics = {}
        self.callback.on_epoch(self.trainer, metrics, number)
        return metrics


def test_the_metrics_of_an_epoch_by_hand():
    watched = Watched()
    # The deviations are 0 and sqrt(2 / 3); what is not legal does not count.
    watched.batch([-5.0, -5.0, -5.0, 99.0])
    watched.batch([1.0, 2.0, 3.0, 99.0])
    metrics = watched.epoch()
    assert metrics["training_largest_score"] == 5
    assert metrics["training_score_spread"] == pytest.approx(math.sqrt(2 / 3) / 2)


def test_a_score_of_minus_infinity_is_no_score():
    watched = Watched()
    watched.batch([1.0, -math.inf, 3.0, 0.0])
    assert watched.epoch() == {"training_largest_score": 3, "training_score_spread": 1}


def test_norms_and_shares_of_the_groups_by_hand():
    watched = Watched()
    watched.batch(norms=[("syntax", 30.0, 5.0), ("semantics", 40.0, 50.0), ("2", 0.0, 5.0)])
    watched.batch(norms=[("syntax", 0.0, 5.0), ("semantics", 60.0, 50.0), ("2", 0.0, 5.0)])
    metrics = watched.epoch()
    expected = {
        "training_gradient_norm_syntax": 30,
        "training_gradient_share_syntax": 0.36,
        "training_gradient_share_semantics": 0.64,
        "training_gradient_clipped_syntax": 1,
        "training_gradient_norm_semantics": 50,
        "training_gradient_clipped_semantics": 0.5,
    }
    assert metrics == pytest.approx(expected)


@pytest.mark.parametrize("overflow", [math.inf, math.nan])
def test_batches_whose_step_mixed_precision_skips_are_counted_apart(overflow, tmp_path):
    (tmp_path / "metrics_epoch_0.json").write_text("{}")
    watched = Watched(tmp_path, scaler=torch.amp.GradScaler("cpu"))
    watched.batch(norms=[("a", overflow, 5.0), ("b", 40.0, 50.0)])
    for _ in range(3):
        watched.batch(norms=[("a", 30.0, 5.0), ("b", 40.0, 50.0)])
    expected = {
        "training_gradient_overflow": 0.25,
        "training_gradient_norm_a": 30,
        "training_gradient_clipped_a": 1,
        "training_gradient_share_a": 0.36,
        "training_gradient_norm_b": 40,
        "training_gradient_clipped_b": 0,
        "training_gradient_share_b": 0.64,
    }
    assert watched.epoch() == pytest.approx(expected)
    assert not re.search("nan|inf", (tmp_path / "metrics_epoch_0.json").read_text(), re.I)


def test_without_mixed_precision_such_a_batch_shows():
    watched = Watched()
    watched.batch(norms=[("a", math.inf, 5.0)])
    assert watched.epoch()["training_gradient_norm_a"] == math.inf


def test_each_epoch_begins_anew():
    watched = Watched()
    watched.batch([50.0, 0.0, 0.0, 0.0])
    assert watched.epoch()["training_largest_score"] == 50
    watched.batch([7.0, 0.0, 0.0, 0.0])
    assert watched.epoch(1)["training_largest_score"] == 7


def test_evaluation_does_not_count(caplog):
    watched = Watched()
    watched.batch([2e6, 0.0, 0.0, 0.0], is_training=False)
    assert watched.epoch() == {} and not caplog.records


def test_a_warning_comes_once_in_words_with_the_way_out(caplog):
    watched = Watched(max_score=100.0)
    norms = [("syntactic_parser", 5000.0, 5.0), ("semantic_parser", 4.0, 5.0), ("2", 0.0, 5.0)]
    with caplog.at_level(logging.WARNING):
        watched.batch([99.0, 0.0, 0.0, 0.0], norms=norms)
        assert not caplog.records
        watched.batch([0.0, -1234.5, 0.0, 0.0], norms=norms)
        watched.batch([9999.0, 0.0, 0.0, 0.0], norms=norms)
        watched.epoch()
        watched.batch([9999.0, 0.0, 0.0, 0.0], norms=norms)
    (record,) = caplog.records
    for words in (
        "in batch 2 of epoch 0",
        "1234",
        "syntactic_parser 5e+03, semantic_parser 4.",
        "Set model.argmax.estimator.max_step_norm",
    ):
        assert words in record.getMessage()


def test_a_score_that_is_no_number_is_warned_of(caplog):
    watched = Watched(clips=False)
    watched.batch([math.nan, 1.0, 0.0, 0.0])
    assert "nan" in caplog.text and "group_clipping" in caplog.text


def test_the_file_of_the_epoch_has_them(tmp_path):
    (tmp_path / "metrics_epoch_3.json").write_text("{}")
    watched = Watched(tmp_path)
    watched.batch([2.0, 2.0, 2.0, 0.0])
    metrics = watched.epoch(3)
    assert json.loads((tmp_path / "metrics_epoch_3.json").read_text()) == metrics
    assert metrics == {"training_largest_score": 2, "training_score_spread": 0}


def test_a_run_that_is_resumed_within_an_epoch_remembers(caplog):
    killed, resumed = Watched(max_score=10.0), Watched(max_score=10.0)
    killed.batch([50.0, 50.0, 50.0, 0.0], norms=[("a", 3.0, 5.0), ("b", 4.0, 5.0)])
    resumed.callback.load_state_dict(killed.callback.state_dict())
    for watched in (killed, resumed):
        watched.batch([60.0, 0.0, 0.0, 0.0], norms=[("a", 6.0, 5.0), ("b", 8.0, 5.0)])
    assert resumed.epoch() == killed.epoch()
    assert len(caplog.records) == 1


def test_the_model_is_left_as_it_was():
    watched = Watched()
    assert watched.layer._forward_hooks
    watched.callback.on_end(watched.trainer)
    assert not watched.layer._forward_hooks


def test_it_is_built_by_its_name():
    callback = TrainerCallback.by_name("divergence")("nowhere", max_score=5.0)
    assert isinstance(callback, Divergence)
    with pytest.raises(ConfigurationError, match="max_score must be positive but is 0"):
        Divergence("nowhere", max_score=0)
