"""
An ablation of which a file was cut off: the same command makes it anew, and finds the same.
"""

import json
import shutil

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.executor import InProcess
from spigot_allennlp.ablation.experiment import begin, carry_out
from spigot_allennlp.ablation.plan import Plan
from spigot_allennlp.ablation.record import Record
from spigot_allennlp.compat.checkpoints import are_whole_weights
from spigot_allennlp.compat.whole_files import holds_json, is_whole_zip
from tests.ablation.tiny_experiment import planned, write_experiment
from tests.callbacks.resumable_test import OF_THE_MACHINE

CELL = "lr=0.1/seed-1"
RUN = f"{CELL}/run"


def run_again(folder, out, **options):
    plan = planned(folder, "trainer.optimizer.lr=0.1", seeds=[1])
    carry_out(begin(plan, out), out, InProcess(), **options)


def figures(metrics):
    return {
        key: value
        for key, value in metrics.items()
        if not any(word in key for word in OF_THE_MACHINE)
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of an experiment, with an ablation of it in `out`, which has a single cell."""
    folder = tmp_path_factory.mktemp("torn")
    write_experiment(folder, num_epochs=2)
    run_again(folder, folder / "out")
    return folder


def damage(finished, out, file, size, state):
    """A copy of the ablation in which the cell is in a state, and a file has lost its end."""
    shutil.copytree(finished / "out", out)
    known = Record.load(out / CELL)
    known.state = state
    known.test = known.test if state == "done" else {}
    known.metrics = known.metrics if state in ("done", "trained") else {}
    known.message = "JSONDecodeError: Expecting value" if state == "failed" else ""
    known.save(out / CELL)
    content = (out / file).read_bytes()
    (out / file).write_bytes(content[: int(size * len(content))])


def assert_is_as_before(finished, out):
    found, whole = Record.load(out / CELL), Record.load(finished / "out" / CELL)
    assert (found.state, found.message) == ("done", "")
    assert found.test["figures"] == whole.test["figures"]
    assert figures(found.metrics) == figures(whole.metrics)
    files = [out / "plan.json", out / CELL / "cell.json"]
    files += [out / RUN / name for name in ("config.json", "meta.json")]
    assert all(holds_json(file) for file in files)
    assert are_whole_weights(out / RUN / "best.th")
    assert is_whole_zip(out / CELL / "test_instances.npz")


@pytest.mark.parametrize(
    "file, size",
    [
        ("plan.json", 0),
        (f"{CELL}/cell.json", 0.5),
        (f"{RUN}/metrics.json", 0),
        (f"{RUN}/metrics.json", 0.5),
        (f"{RUN}/model.tar.gz", 0),
        (f"{RUN}/model.tar.gz", 0.5),
        (f"{RUN}/config.json", 0),
        (f"{RUN}/meta.json", 0),
        (f"{RUN}/best.th", 0.5),
        (f"{RUN}/training_state_e2_b0.th", 0.5),
        (f"{RUN}/vocabulary/labels.txt", 0),
    ],
)
def test_a_cell_that_was_being_trained_is_made_anew(finished, tmp_path, file, size):
    damage(finished, tmp_path / "out", file, size, "running")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")
    restored, whole = (root / "out" / file for root in (tmp_path, finished))
    assert restored.stat().st_size > 0.9 * whole.stat().st_size
    assert len(list((tmp_path / "out" / RUN).glob("model_state_*"))) > 0


@pytest.mark.parametrize(
    "file", ["config.json", "meta.json", "best.th", "vocabulary/tokens.txt", "model_state_e2_b0.th"]
)
def test_a_cell_that_was_being_tested_is_made_anew(finished, tmp_path, file):
    damage(finished, tmp_path / "out", f"{RUN}/{file}", 0.5, "trained")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")


@pytest.mark.parametrize("file", ["test_instances.npz", "cell.json"])
@pytest.mark.parametrize("size", [0, 0.5])
def test_a_cell_of_which_nobody_can_read_what_was_found_is_made_anew(
    finished, tmp_path, file, size
):
    damage(finished, tmp_path / "out", f"{CELL}/{file}", size, "done")
    run_again(finished, tmp_path / "out")
    assert_is_as_before(finished, tmp_path / "out")


@pytest.mark.parametrize("file", ["metrics.json", "config.json", "meta.json", "best.th"])
def test_a_cell_that_failed_by_that_is_made_anew_on_request(finished, tmp_path, file):
    damage(finished, tmp_path / "out", f"{RUN}/{file}", 0, "failed")
    run_again(finished, tmp_path / "out")
    assert Record.load(tmp_path / "out" / CELL).state == "failed"
    run_again(finished, tmp_path / "out", retry_failed=True)
    assert_is_as_before(finished, tmp_path / "out")


def test_what_a_killed_process_was_writing_is_removed(finished, tmp_path):
    out = tmp_path / "out"
    damage(finished, out, f"{RUN}/metrics.json", 0, "running")
    for file in (".plan.json.1.new", f"{CELL}/.cell.json.1.new", f"{RUN}/.model.tar.gz.1.new"):
        (out / file).write_text("")
    run_again(finished, out)
    assert list(out.rglob("*.new")) == []


def test_a_plan_that_was_cut_off_is_named_with_the_way_out(finished, tmp_path):
    damage(finished, tmp_path / "out", "plan.json", 0.5, "done")
    with pytest.raises(ConfigurationError, match="plan.json is no JSON .* writes it anew"):
        Plan.load(tmp_path / "out")
    before = (tmp_path / "out" / CELL / "cell.json").read_bytes()
    run_again(finished, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["cells"] == [["lr=0.1", 1]]
    assert (tmp_path / "out" / CELL / "cell.json").read_bytes() == before
