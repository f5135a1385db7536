"""
An ablation of which a file was cut off: the same command makes it anew, and finds the same.
"""

import json
import shutil

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import Plan, save_joined_plan
from spigot_allennlp.ablation.run.ablation import check_trained_configs, run_ablation
from spigot_allennlp.ablation.run.executors import InProcess
from spigot_allennlp.ablation.run.run_record import RunRecord
from spigot_allennlp.compat.atomic_io import holds_json, is_whole_zip
from spigot_allennlp.compat.checkpoints import are_whole_weights
from tests.ablation.tiny_experiment import planned, write_experiment
from tests.callbacks.resumable_test import OF_THE_MACHINE

RUN = "lr=0.1/seed-1"
TRAINING = f"{RUN}/run"


def run_again(folder, out, **options):
    plan = planned(folder, "trainer.optimizer.lr=0.1", seeds=[1])
    run_ablation(save_joined_plan(plan, out), out, InProcess(), **options)


def reproducible(metrics):
    return {
        key: value
        for key, value in metrics.items()
        if not any(word in key for word in OF_THE_MACHINE)
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of an experiment, with an ablation of it in `out`, which has a single run."""
    folder = tmp_path_factory.mktemp("torn")
    write_experiment(folder, num_epochs=2)
    run_again(folder, folder / "out")
    return folder


def damage(finished, out, file, size, state):
    """A copy of the ablation in which the run is in a state, and a file has lost its end."""
    shutil.copytree(finished / "out", out)
    record = RunRecord.load(out / RUN)
    record.state = state
    record.test = record.test if state == "done" else {}
    record.metrics = record.metrics if state in ("done", "trained") else {}
    record.message = "JSONDecodeError: Expecting value" if state == "failed" else ""
    record.save(out / RUN)
    content = (out / file).read_bytes()
    (out / file).write_bytes(content[: int(size * len(content))])


def assert_is_as_before(finished, out):
    record, whole = RunRecord.load(out / RUN), RunRecord.load(finished / "out" / RUN)
    assert (record.state, record.message) == ("done", "")
    assert record.test["figures"] == whole.test["figures"]
    assert reproducible(record.metrics) == reproducible(whole.metrics)
    files = [out / "plan.json", out / RUN / "cell.json"]
    files += [out / TRAINING / name for name in ("config.json", "meta.json")]
    assert all(holds_json(file) for file in files)
    assert are_whole_weights(out / TRAINING / "best.th")
    assert is_whole_zip(out / RUN / "test_instances.npz")


@pytest.mark.parametrize(
    "file, size",
    [
        ("plan.json", 0),
        (f"{RUN}/cell.json", 0.5),
        (f"{TRAINING}/metrics.json", 0),
        (f"{TRAINING}/metrics.json", 0.5),
        (f"{TRAINING}/model.tar.gz", 0),
        (f"{TRAINING}/model.tar.gz", 0.5),
        (f"{TRAINING}/config.json", 0),
        (f"{TRAINING}/meta.json", 0),
        (f"{TRAINING}/best.th", 0.5),
        (f"{TRAINING}/training_state_e2_b0.th", 0.5),
        (f"{TRAINING}/vocabulary/labels.txt", 0),
    ],
)
def test_a_run_that_was_being_trained_is_made_anew(finished, tmp_path, file, size):
    damage(finished, tmp_path / "out", file, size, "running")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")
    restored, whole = (root / "out" / file for root in (tmp_path, finished))
    assert restored.stat().st_size > 0.9 * whole.stat().st_size
    assert len(list((tmp_path / "out" / TRAINING).glob("model_state_*"))) > 0


@pytest.mark.parametrize(
    "file", ["config.json", "meta.json", "best.th", "vocabulary/tokens.txt", "model_state_e2_b0.th"]
)
def test_a_run_that_was_being_tested_is_made_anew(finished, tmp_path, file):
    damage(finished, tmp_path / "out", f"{TRAINING}/{file}", 0.5, "trained")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")


@pytest.mark.parametrize("file", ["test_instances.npz", "cell.json"])
@pytest.mark.parametrize("size", [0, 0.5])
def test_a_run_whose_test_results_cannot_be_read_is_made_anew(finished, tmp_path, file, size):
    damage(finished, tmp_path / "out", f"{RUN}/{file}", size, "done")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")


@pytest.mark.parametrize("file", ["metrics.json", "config.json", "meta.json", "best.th"])
def test_a_run_that_failed_by_that_is_made_anew_on_request(finished, tmp_path, file):
    damage(finished, tmp_path / "out", f"{TRAINING}/{file}", 0, "failed")
    run_again(finished, tmp_path / "out")
    assert RunRecord.load(tmp_path / "out" / RUN).state == "failed"
    run_again(finished, tmp_path / "out", retry_failed=True)
    assert_is_as_before(finished, tmp_path / "out")


def test_what_a_killed_process_was_writing_is_removed(finished, tmp_path):
    out = tmp_path / "out"
    damage(finished, out, f"{TRAINING}/metrics.json", 0, "running")
    for file in (".plan.json.1.new", f"{RUN}/.cell.json.1.new", f"{TRAINING}/.model.tar.gz.1.new"):
        (out / file).write_text("")
    run_again(finished, out)
    assert list(out.rglob("*.new")) == []


def test_a_plan_that_was_cut_off_is_named_with_the_way_out(finished, tmp_path):
    damage(finished, tmp_path / "out", "plan.json", 0.5, "done")
    with pytest.raises(ConfigurationError, match="plan.json is no JSON .* writes it anew"):
        Plan.load(tmp_path / "out")
    before = (tmp_path / "out" / RUN / "cell.json").read_bytes()
    run_again(finished, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["cells"] == [["lr=0.1", 1]]
    assert (tmp_path / "out" / RUN / "cell.json").read_bytes() == before


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"format": 1}', '{"format": 1, "x": 2}'])
def test_json_that_is_no_plan_is_named_with_the_way_out(finished, tmp_path, content):
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    (out / "plan.json").write_text(content)
    with pytest.raises(ConfigurationError, match="plan.json is no plan .* writes it anew"):
        Plan.load(out)
    run_again(finished, out)
    assert_is_as_before(finished, out)


@pytest.mark.parametrize("content", [None, "{}", '{"format": 1, "vari'])
def test_without_a_plan_no_run_counts_as_one_of_another_config(finished, tmp_path, content):
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    (out / "plan.json").unlink()
    if content is not None:
        (out / "plan.json").write_text(content)
    options = {"seeds": [1], "overrides": '{"model.dropout": 0.9}'}
    other = planned(finished, "trainer.optimizer.lr=0.1", **options)
    with pytest.raises(ConfigurationError, match="model.dropout was 0.2 and is now 0.9"):
        check_trained_configs(other, out)
    check_trained_configs(planned(finished, "trainer.optimizer.lr=0.1", seeds=[1]), out)
    assert ((out / "plan.json").read_text() if content else None) == content  # nothing is written
