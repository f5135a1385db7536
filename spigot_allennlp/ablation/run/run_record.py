"""Keeps what is known of a run, in one small file: its state, its metrics, and its attempts."""

import logging
import os
import platform
import socket
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional

from spigot_allennlp.compat.atomic_io import read_json, write_json

logger = logging.getLogger(__name__)

FILE = "cell.json"  # the name that it has in ablations that have begun
LIBRARIES = ("spigot_allennlp", "allennlp", "torch", "numpy")

# The states of a run. One that is "running" in a folder in which nothing runs was interrupted.
PLANNED, RUNNING, TRAINED, DONE = "planned", "running", "trained", "done"
FAILED, REFUSED = "failed", "refused"


@dataclass
class RunRecord:
    """
    What is known of a run. It is stored as JSON under the names of these fields; within `test` the
    metrics are called "figures".

    # Parameters

    variant : `str`
    seed : `int`
    config : `str`
        The digest of the run's config.
    state : `str`
        One of the states above.
    attempts : `List[Dict[str, Any]]`
        Every attempt at it: host, process, when it started, the `seconds` that it took, and the
        `cpu_seconds`, which say more on a machine that is shared. For one that was killed,
        `seconds` up to the last epoch that it completed.
    seconds_testing : `float`
        Of the attempt that tested.
    peak_memory_mb : `float`, optional (default = `None`)
        Of the process that trained, the libraries included; the largest of all attempts.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
        Of the same process on its GPU.
    metrics : `Dict[str, Any]`
        AllenNLP's `metrics.json`.
    test : `Dict[str, Any]`
        The test `data`, the config's `key` that named them, the number of `instances`, the
        `figures`, which are the metrics on them, and the `sources` of those
        (see `InstanceEvaluation`).
    message : `str`
        Why it failed or was refused.
    versions : `Dict[str, str]`
        Of Python and the libraries that make up the result.
    """

    variant: str
    seed: int
    config: str
    state: str = PLANNED
    attempts: List[Dict[str, Any]] = field(default_factory=list)
    seconds_testing: float = 0.0
    peak_memory_mb: Optional[float] = None
    peak_gpu_memory_mb: Optional[float] = None
    metrics: Dict[str, Any] = field(default_factory=dict)
    test: Dict[str, Any] = field(default_factory=dict)
    message: str = ""
    versions: Dict[str, str] = field(default_factory=dict)

    @property
    def test_metrics(self) -> Dict[str, float]:
        """The metrics on the test data; empty if it was not tested."""
        return self.test.get("figures", {})

    @property
    def shown_state(self) -> str:
        """The state as people read it, of a run that no process works at: "unfinished", say."""
        return "unfinished" if self.state in (RUNNING, TRAINED) else self.state

    @property
    def seconds(self) -> float:
        """The wall time of all attempts, testing included."""
        return sum(attempt["seconds"] for attempt in self.attempts)

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of all attempts that reached their end."""
        return sum(attempt.get("cpu_seconds", 0.0) for attempt in self.attempts)

    def start_attempt(self) -> None:
        """Notes that this process works at the run from now on, with the versions it has."""
        attempt = {"host": socket.gethostname(), "process": os.getpid()}
        self.attempts.append({**attempt, "started": time.time(), "seconds": 0.0})
        self.message, self.versions = "", installed_versions()

    def save(self, folder: Path) -> None:
        """Writes the record into the folder of its run."""
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Optional["RunRecord"]:
        """Reads the record of a run; `None` if it was never started, or the file is damaged."""
        path = folder / FILE
        try:
            return cls(**read_json(path)) if path.exists() else None
        except (ValueError, TypeError) as error:
            logger.warning("%s cannot be read (%s): it is made anew.", path, error)
            return None


def installed_versions() -> Dict[str, str]:
    """Returns the versions of Python, and of those `LIBRARIES` that are installed."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions
