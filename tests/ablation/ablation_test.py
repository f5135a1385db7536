"""A whole ablation, in this process: one run for all tests that only look at it."""

import csv
import json
import shutil

import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import Plan, save_joined_plan
from spigot_allennlp.ablation.report.report import write_report
from spigot_allennlp.ablation.run.ablation import check_trained_files, run_ablation
from spigot_allennlp.ablation.run.executors import InProcess
from spigot_allennlp.ablation.run.run_record import RunRecord
from tests.ablation.tiny_experiment import planned, write_experiment

# The second variant ends in an error of the training loop, the third in one of the config.
VARY = "trainer.optimizer.lr=0.1,nan,0.01"
FAILS = '{"trainer.num_epochs": 2}'


def run(plan, out, **options):
    check_trained_files(plan, out)
    joined = save_joined_plan(plan, out)
    run_ablation(plan, out, InProcess(), **options)
    return joined


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of an experiment, with an ablation of it in `out`: of three variants two work."""
    folder = tmp_path_factory.mktemp("ablation")
    write_experiment(folder)
    vary = 'model.dropout=0.1,0.3,"much"'
    plan = run(planned(folder, vary, baseline="dropout=0.3"), folder / "out")
    write_report(plan, folder / "out", 200)
    return folder


def record(folder, variant="dropout=0.1", seed=1):
    return RunRecord.load(folder / "out" / variant / f"seed-{seed}")


def report(folder):
    return json.loads((folder / "out" / "report.json").read_text())


def test_each_run_has_allennlps_run_and_a_record(finished):
    training = finished / "out" / "dropout=0.1" / "seed-2" / "run"
    assert (training / "model.tar.gz").exists()
    config = json.loads((training / "config.json").read_text())
    assert (config["random_seed"], config["pytorch_seed"], config["numpy_seed"]) == (2, 2, 2)
    assert config["model"]["dropout"] == 0.1
    run_record = record(finished, seed=2)
    assert (
        run_record.state == "done"
        and run_record.seconds > 0
        and run_record.cpu_seconds > 0
        and run_record.peak_memory_mb > 1
    )
    assert run_record.metrics["epoch"] == 2 and "torch" in run_record.versions
    assert run_record.test["instances"] == 10 and run_record.test["key"] == "--test-data"


def test_the_test_metrics_are_those_of_the_instances(finished):
    run_record = record(finished)
    with numpy.load(finished / "out" / "dropout=0.1" / "seed-1" / "test_instances.npz") as arrays:
        assert arrays["values accuracy"].mean() == pytest.approx(
            run_record.test["figures"]["accuracy"]
        )


def test_a_run_that_fails_does_not_stop_the_others_and_says_why(finished):
    failed = record(finished, "much")
    assert failed.state == "failed" and "TypeError" in failed.message
    assert "Traceback" in (finished / "out" / "much" / "seed-1" / "log.txt").read_text()
    states = [record["state"] for record in report(finished)["cells"]]
    assert states == ["done"] * 4 + ["failed"] * 2


def test_what_is_done_and_what_failed_is_left_alone(finished, capsys):
    before = {file: file.stat().st_mtime_ns for file in (finished / "out").rglob("*.*")}
    run_ablation(Plan.load(finished / "out"), finished / "out", InProcess())
    after = {file: file.stat().st_mtime_ns for file in (finished / "out").rglob("*.*")}
    assert before == after
    assert "started" not in capsys.readouterr().out


def test_another_variant_is_added_and_a_changed_one_refused(finished, tmp_path, capsys):
    shutil.copytree(finished / "out", tmp_path / "out")
    more = planned(finished, "model.dropout=0.1,0.2", seeds=[1])
    whole = run(more, tmp_path / "out")
    printed = capsys.readouterr().out
    assert list(whole.variants) == ["dropout=0.1", "dropout=0.3", "much", "dropout=0.2"]
    assert "dropout=0.2 seed 1  done: accuracy" in printed and "dropout=0.1 seed 1" not in printed
    changed = planned(finished, "model.dropout=0.1", overrides='{"trainer.num_epochs": 1}')
    with pytest.raises(ConfigurationError, match="trainer.num_epochs was 3 and is now 1"):
        save_joined_plan(changed, tmp_path / "out")


def test_a_file_that_has_changed_is_refused(tmp_path):
    write_experiment(tmp_path, num_epochs=1)
    run(planned(tmp_path, "model.dropout=0.1", seeds=[1]), tmp_path / "out")
    for name in ("train", "dev", "test"):
        file = tmp_path / f"{name}.jsonl"
        before = file.read_text()
        file.write_text(before + before)
        with pytest.raises(
            ConfigurationError, match=f"{name}.jsonl has changed since the run in .* began"
        ):
            run(planned(tmp_path, "model.dropout=0.2", seeds=[1]), tmp_path / "out")
        file.write_text(before)
    run(planned(tmp_path, "model.dropout=0.2", seeds=[1]), tmp_path / "out")


def test_data_may_be_mended_for_a_run_that_they_ended(tmp_path):
    write_experiment(tmp_path, num_epochs=1)
    file = tmp_path / "train.jsonl"
    before = file.read_text()
    file.write_text(before + "{")
    plan = planned(tmp_path, "model.dropout=0.1", seeds=[1])
    run(plan, tmp_path / "out")
    assert record(tmp_path).state == "failed"
    file.write_text(before)
    run(plan, tmp_path / "out", retry_failed=True)
    assert record(tmp_path).state == "done"


def test_what_failed_is_tried_again_on_request(finished, tmp_path):
    shutil.copytree(finished / "out", tmp_path / "out")
    run_ablation(Plan.load(tmp_path / "out"), tmp_path / "out", InProcess(), retry_failed=True)
    assert len(RunRecord.load(tmp_path / "out" / "much" / "seed-1").attempts) == 2


def test_a_run_that_was_interrupted_goes_on(finished, tmp_path):
    shutil.copytree(finished / "out", tmp_path / "out")
    run_folder = tmp_path / "out" / "dropout=0.1" / "seed-1"
    interrupted = RunRecord.load(run_folder)
    interrupted.state = "running"
    interrupted.attempts[-1]["seconds"] = 0.0
    interrupted.save(run_folder)
    for name in ("metrics.json", "model.tar.gz", "metrics_epoch_2.json"):
        (run_folder / "run" / name).unlink()
    for file in (run_folder / "run").glob("*_state_e3_*"):
        file.unlink()
    run_ablation(Plan.load(tmp_path / "out"), tmp_path / "out", InProcess())
    run_record = RunRecord.load(run_folder)
    assert (
        run_record.state == "done"
        and run_record.attempts[0]["interrupted"]
        and len(run_record.attempts) == 2
    )
    assert run_record.test["figures"] == record(finished).test["figures"]


@pytest.mark.parametrize("content", [None, '{"torn'])
def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(finished, tmp_path, content):
    shutil.copytree(finished / "out", tmp_path / "out")
    run_folder = tmp_path / "out" / "dropout=0.1" / "seed-1"
    shutil.rmtree(run_folder)
    (run_folder / "run").mkdir(parents=True)
    if content:
        (run_folder / "run" / "config.json").write_text(content)
    run_ablation(Plan.load(tmp_path / "out"), tmp_path / "out", InProcess())
    assert RunRecord.load(run_folder).test["figures"] == record(finished).test["figures"]


def test_a_variant_that_makes_no_sense_is_refused_untried(tmp_path, capsys):
    write_experiment(tmp_path)
    plan = planned(tmp_path, "model.type=basic_classifier,clasifier", seeds=[1])
    run(plan, tmp_path / "out")
    run_record = RunRecord.load(tmp_path / "out" / "clasifier" / "seed-1")
    assert run_record.state == "refused" and not run_record.attempts
    printed = capsys.readouterr().out
    assert "refused: clasifier: model: 'clasifier' is not a registered name" in printed
    assert "[2/2] basic_classifier seed 1  done: accuracy" in printed


@pytest.mark.parametrize("part", ["trainer", "model", "dataset_reader", "data_loader"])
def test_a_part_that_is_but_a_name_is_refused_too(part, tmp_path):
    write_experiment(tmp_path)
    run(planned(tmp_path, f"{part}=foo", seeds=[1]), tmp_path / "out")
    assert record(tmp_path, "foo").state == "refused"


def test_a_config_that_turns_out_wrong_is_refused_not_failed(tmp_path):
    write_experiment(tmp_path)
    run(planned(tmp_path, "trainer.optimizer.type=adma", seeds=[1]), tmp_path / "out")
    run_record = RunRecord.load(tmp_path / "out" / "adma" / "seed-1")
    assert run_record.state == "refused" and "adma not in acceptable choices" in run_record.message


def test_the_report_has_a_row_for_every_variant_and_run(finished):
    rows = list(csv.DictReader((finished / "out" / "report.csv").open()))
    assert [(row["variant"], row["seed"], row["state"]) for row in rows] == [
        (name, seed, state)
        for name, state in (("dropout=0.1", "done"), ("dropout=0.3", "done"), ("much", "failed"))
        for seed in "12"
    ]
    summary = list(csv.DictReader((finished / "out" / "summary.csv").open()))
    accuracies = [float(row["test_accuracy"]) for row in rows[:2]]
    assert float(summary[0]["accuracy_mean"]) == pytest.approx(sum(accuracies) / 2)
    assert summary[0]["versus_baseline_seeds"] == "2" and summary[1]["versus_baseline_seeds"] == ""
    variants = report(finished)["variants"]
    assert [row["states"] for row in variants] == [{"done": 2}, {"done": 2}, {"failed": 2}]


def test_a_metric_that_no_model_reports_is_refused_with_those_there_are(finished):
    plan = Plan.load(finished / "out").with_report_options(["acuracy"], "")
    with pytest.raises(ConfigurationError, match="--metric acuracy.*They report accuracy, "):
        write_report(plan, finished / "out", 10)
