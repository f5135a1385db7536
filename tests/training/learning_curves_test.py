import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.compat.atomic_io import write_json
from spigot_allennlp.training.learning_curves import Curve, mean_curve, read_curve, read_first_curve


def names_of(metric):
    return [f"validation_{metric}", f"training_{metric}", "training_loss"]


def test_a_curve_is_that_of_the_validation_data_in_the_order_of_epochs(tmp_path):
    for epoch in (0, 1, 2, 10):
        metrics = {"validation_f1": epoch / 10, "training_f1": 1, "training_loss": 2}
        write_json(tmp_path / f"metrics_epoch_{epoch}.json", metrics)
    curve = read_first_curve(tmp_path, names_of("f1"))
    assert curve.name == "validation_f1"
    assert list(curve.values.items()) == [(1, 0.0), (2, 0.1), (3, 0.2), (11, 1.0)]


def test_without_it_the_training_data_stand_in_and_then_the_loss(tmp_path):
    write_json(tmp_path / "metrics_epoch_0.json", {"training_f1": 1.0, "training_loss": 2.0})
    assert read_first_curve(tmp_path, names_of("f1")) == Curve("training_f1", {1: 1.0})
    assert read_first_curve(tmp_path, names_of("uas")) == Curve("training_loss", {1: 2.0})


def test_a_run_without_epochs_has_no_curve(tmp_path):
    assert read_first_curve(tmp_path, names_of("f1")) is None


def test_the_mean_is_that_of_the_runs_that_came_so_far():
    long, short = Curve("f1", {1: 0.0, 2: 0.4, 3: 0.8}), Curve("f1", {1: 1.0, 2: 0.6})
    assert mean_curve([long, short]) == {1: 0.5, 2: 0.5, 3: 0.8}


def test_a_curve_has_all_epochs_in_their_order(trained_folder):
    curve = read_curve(trained_folder, "validation_accuracy")
    assert list(curve.values.items()) == [(1, 0), (2, 0.1), (3, 0.2), (11, 1)]


def test_a_metric_that_is_not_there_is_refused_with_those_that_are(trained_folder):
    with pytest.raises(ConfigurationError, match="does not hold uas; it holds epoch, validation_"):
        read_curve(trained_folder, "uas")
    for name in ("accuracy", "validation_acuracy"):
        with pytest.raises(ConfigurationError, match="Perhaps you mean validation_accuracy.$"):
            read_curve(trained_folder, name)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="has no metrics_epoch"):
        read_curve(tmp_path, "validation_accuracy")


def test_an_epoch_that_was_cut_off_is_refused_or_skipped(trained_folder):
    (trained_folder / "metrics_epoch_1.json").write_text('{"epoch')
    with pytest.raises(ConfigurationError, match="metrics_epoch_1.json is no JSON .* Delete it"):
        read_curve(trained_folder, "validation_accuracy")
    curve = read_first_curve(trained_folder, names_of("accuracy"))
    assert curve == Curve("validation_accuracy", {1: 0, 3: 0.2, 11: 1})
