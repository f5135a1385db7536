"""
Runs that are stopped by each signal while they write a file, and recovered: one moment each.
The long form is `python -m tests.callbacks.stopped_runs FOLDER 20`.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_run_that_was_stopped_and_recovered_has_all_metrics_and_files_of_one_that_was_not(
    tmp_path,
):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.callbacks.stopped_runs", str(tmp_path), "1", "1"]
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
