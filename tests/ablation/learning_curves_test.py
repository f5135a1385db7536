from spigot_allennlp.ablation.learning_curves import Curve, mean_curve, read_curve
from spigot_allennlp.compat.whole_files import write_json


def test_a_curve_is_that_of_the_validation_data_in_the_order_of_epochs(tmp_path):
    for epoch in (0, 1, 2, 10):
        metrics = {"validation_f1": epoch / 10, "training_f1": 1, "training_loss": 2}
        write_json(tmp_path / f"metrics_epoch_{epoch}.json", metrics)
    curve = read_curve(tmp_path, "f1")
    assert curve.name == "validation_f1"
    assert list(curve.values.items()) == [(1, 0.0), (2, 0.1), (3, 0.2), (11, 1.0)]


def test_without_it_the_training_data_stand_in_and_then_the_loss(tmp_path):
    write_json(tmp_path / "metrics_epoch_0.json", {"training_f1": 1.0, "training_loss": 2.0})
    assert read_curve(tmp_path, "f1") == Curve("training_f1", {1: 1.0})
    assert read_curve(tmp_path, "uas") == Curve("training_loss", {1: 2.0})


def test_a_run_without_epochs_has_no_curve(tmp_path):
    assert read_curve(tmp_path, "f1") is None


def test_the_mean_is_that_of_the_runs_that_came_so_far():
    long, short = Curve("f1", {1: 0.0, 2: 0.4, 3: 0.8}), Curve("f1", {1: 1.0, 2: 0.6})
    assert mean_curve([long, short]) == {1: 0.5, 2: 0.5, 3: 0.8}
