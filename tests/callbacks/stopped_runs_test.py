"""
Runs that are stopped by each signal while they write a file, and recovered: one moment each.
The long form is `python -m tests.callbacks.stopped_runs FOLDER 20`.
"""

from tests import forks


def test_a_run_that_was_stopped_and_recovered_has_all_figures_and_files_of_one_that_was_not(
    tmp_path,
):
    arguments = "tests.callbacks.stopped_runs", str(tmp_path), "1", "1"
    finished = forks.run(forks.FORK, forks.module, *arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr
