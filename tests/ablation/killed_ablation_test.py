"""
An ablation that is killed with SIGKILL, all processes at once, and started anew. The long form, at
moments of each kind: `python -m tests.ablation.stopped_ablations FOLDER 20`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spigot_allennlp.ablation.record import Record
from tests.ablation.tiny_experiment import write_experiment

ROOT = Path(__file__).parents[2]
CELLS = [f"{variant}/seed-{seed}" for variant in ("lr=0.1", "lr=0.01") for seed in (1, 2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("killed")
    write_experiment(here, callbacks=["resumable", "kill_the_group"])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.ablation.killed_ablation", str(here)]
    finished = subprocess.run(command, cwd=here, env=environment, stdout=subprocess.PIPE, text=True)
    assert finished.returncode == 0, finished.stdout
    (here / "printed").write_text(finished.stdout)
    return here


def test_every_cell_ends_as_one_that_was_not_killed(folder):
    for cell in CELLS:
        whole, killed = (Record.load(folder / run / cell) for run in ("whole", "killed"))
        assert whole.state == killed.state == "done"
        assert whole.test["figures"] == killed.test["figures"]
        for epoch in range(3):
            found = [
                json.loads(
                    (folder / run / cell / "run" / f"metrics_epoch_{epoch}.json").read_text()
                )
                for run in ("whole", "killed")
            ]
            assert found[0]["training_loss"] == found[1]["training_loss"]


def test_what_was_done_is_not_done_again_and_what_was_not_goes_on(folder):
    attempts = {cell: Record.load(folder / "killed" / cell).attempts for cell in CELLS}
    assert all(len(attempts[cell]) == 1 for cell in CELLS if "seed-1" in cell)
    interrupted = [one for cell in CELLS for one in attempts[cell] if one.get("interrupted")]
    assert 1 <= len(interrupted) <= 2
    resumed = [cell for cell in CELLS if len(attempts[cell]) == 2]
    logs = [(folder / "killed" / cell / "log.txt").read_text() for cell in resumed]
    assert any("Resuming after 1 epochs" in log for log in logs)


def test_the_report_is_the_same_but_for_times_and_memory(folder):
    def scores(run):
        report = json.loads((folder / run / "report.json").read_text())
        return [(row["variant"], row["spreads"], row["comparison"]) for row in report["variants"]]

    assert scores("whole") == scores("killed")
    assert "unfinished" in (folder / "printed").read_text()
