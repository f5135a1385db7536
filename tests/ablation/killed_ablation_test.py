"""
An ablation that is killed with SIGKILL, all processes at once, and started anew. The long form, at
moments of each kind: `python -m tests.ablation.stopped_ablations FOLDER 20`.
"""

import json

import pytest

from spigot_allennlp.ablation.run.run_record import RunRecord
from tests import forks
from tests.ablation.tiny_experiment import write_experiment

RUNS = [f"{variant}/seed-{seed}" for variant in ("lr=0.1", "lr=0.01") for seed in (1, 2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("killed")
    write_experiment(here, callbacks=["resumable", "kill_the_group"])
    arguments = "tests.ablation.killed_ablation", str(here)
    finished = forks.run(forks.FORK, forks.module, *arguments, folder=here)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (here / "printed").write_text(finished.stdout)
    return here


def test_every_run_ends_as_one_that_was_not_killed(folder):
    for run in RUNS:
        whole, killed = (RunRecord.load(folder / part / run) for part in ("whole", "killed"))
        assert whole.state == killed.state == "done"
        assert whole.test["figures"] == killed.test["figures"]
        for epoch in range(3):
            metrics = [
                json.loads(
                    (folder / part / run / "run" / f"metrics_epoch_{epoch}.json").read_text()
                )
                for part in ("whole", "killed")
            ]
            assert metrics[0]["training_loss"] == metrics[1]["training_loss"]


def test_what_was_done_is_not_done_again_and_what_was_not_goes_on(folder):
    attempts = {run: RunRecord.load(folder / "killed" / run).attempts for run in RUNS}
    assert all(len(attempts[run]) == 1 for run in RUNS if "seed-1" in run)
    interrupted = [
        attempt for run in RUNS for attempt in attempts[run] if attempt.get("interrupted")
    ]
    assert 1 <= len(interrupted) <= 2
    resumed = [run for run in RUNS if len(attempts[run]) == 2]
    logs = [(folder / "killed" / run / "log.txt").read_text() for run in resumed]
    assert any("Resuming after 1 epochs" in log for log in logs)


def test_the_report_is_the_same_but_for_times_and_memory(folder):
    def scores(run):
        report = json.loads((folder / run / "report.json").read_text())
        return [(row["variant"], row["spreads"], row["comparison"]) for row in report["variants"]]

    assert scores("whole") == scores("killed")
    assert "unfinished" in (folder / "printed").read_text()
