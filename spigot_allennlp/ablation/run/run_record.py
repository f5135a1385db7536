"""
What is recorded of a run of an ablation, in its folder: whether and when it was trained and tested,
what that took, and the metrics that came out; and how such times are written, both while runs are
trained and in the report.
"""

import logging
import os
import platform
import socket
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional, TypedDict

from spigot_allennlp.ablation.run.instance_evaluation import MetricSource
from spigot_allennlp.compat import atomic_io

logger = logging.getLogger(__name__)

RECORD_FILE = "cell.json"  # a run was once called a cell
# Fields of `RunRecord` that are stored under another key: the one in ablations that have begun.
STORED_KEYS = {"config_digest": "config"}
LIBRARIES = ("spigot_allennlp", "allennlp", "torch", "numpy")

# The states of a run, by the names under which they are stored. A run is planned, running, trained
# and done, in this order, if it does not end as failed or refused.
PLANNED = "planned"  # not started
RUNNING = "running"  # being trained; if no process works in its folder, it was interrupted there
TRAINED = "trained"  # being tested; if no process works in its folder, it was interrupted there
DONE = "done"  # trained and tested
FAILED = "failed"  # ended by an error or a signal; resumed only on request (--retry-failed)
REFUSED = "refused"  # its config is not valid; it has attempts if only the training showed that


class Attempt(TypedDict, total=False):
    """
    Describes an attempt at a run: the `host`, the number of the `process`, when it `started` (Unix
    time), the wall time that it took in `seconds` (0 while it goes on), and its `cpu_seconds`,
    which say more on a machine that is shared. If it was killed, it is `interrupted`, `seconds` are
    those up to the last epoch that it completed, and `cpu_seconds` are missing.
    """

    host: str
    process: int
    started: float
    seconds: float
    cpu_seconds: float
    interrupted: bool


class TestResult(TypedDict, total=False):
    """
    The result of testing a run; it is empty before the test. It has the test `data`, the option or
    config `key` that gave them, the number of `instances`, the metrics on them (`figures`), and the
    `sources` of those metrics that follow from counts.
    """

    data: Any
    key: str
    instances: int
    figures: Dict[str, float]
    sources: Dict[str, MetricSource]


@dataclass
class RunRecord:
    """
    What is known of a run, stored as JSON in its folder.

    # Parameters

    variant : `str`
    seed : `int`
    config_digest : `str`
        The digest of the run's config, under the key "config".
    state : `str`, optional (default = `PLANNED`)
        One of the states above.
    attempts : `List[Attempt]`, optional (default = `[]`)
        The attempts at the run, in the order of time.
    seconds_testing : `float`, optional (default = `0.0`)
        The wall time of the test.
    peak_memory_mb : `float`, optional (default = `None`)
        The peak memory of the process that trained, the libraries included, in MiB; the largest of
        all attempts.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
        The same on its GPU.
    metrics : `Dict[str, Any]`, optional (default = `{}`)
        The content of AllenNLP's `metrics.json`: of the training, not of the test.
    test : `TestResult`, optional (default = `{}`)
        The result of the test.
    message : `str`, optional (default = `""`)
        Why the run failed or was refused.
    versions : `Dict[str, str]`, optional (default = `{}`)
        The versions of Python and of the libraries that make up the result.
    files : `Dict[str, str]`, optional (default = `{}`)
        The digests of the files that the config names, and of the test data, by their paths, when
        the last attempt began; empty in a record that was made before they were stored.
    """

    variant: str
    seed: int
    config_digest: str
    state: str = PLANNED
    attempts: List[Attempt] = field(default_factory=list)
    seconds_testing: float = 0.0
    peak_memory_mb: Optional[float] = None
    peak_gpu_memory_mb: Optional[float] = None
    metrics: Dict[str, Any] = field(default_factory=dict)
    test: TestResult = field(default_factory=TestResult)
    message: str = ""
    versions: Dict[str, str] = field(default_factory=dict)
    files: Dict[str, str] = field(default_factory=dict)

    @property
    def test_metrics(self) -> Dict[str, float]:
        """The metrics on the test data; empty if the run was not tested."""
        return self.test.get("figures", {})

    @property
    def shown_state(self) -> str:
        """The state as the report shows it: "unfinished" for a run that no process works at."""
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
        self.attempts.append(
            {
                "host": socket.gethostname(),
                "process": os.getpid(),
                "started": time.time(),
                "seconds": 0.0,
            }
        )
        self.message, self.versions = "", installed_versions()

    def to_json(self) -> Dict[str, Any]:
        """Returns what is stored of the record."""
        return {STORED_KEYS.get(name, name): value for name, value in asdict(self).items()}

    def save(self, folder: Path) -> None:
        """Writes the record into the folder of its run."""
        atomic_io.write_json(folder / RECORD_FILE, self.to_json())

    @classmethod
    def load(cls, folder: Path) -> Optional["RunRecord"]:
        """Reads the record of a run; `None` if it was never started, or the file is damaged."""
        path = folder / RECORD_FILE
        if not path.exists():
            return None
        try:
            content = dict(atomic_io.read_json(path))
            for name, key in STORED_KEYS.items():
                content[name] = content.pop(key)
            return cls(**content)
        except (ValueError, TypeError, KeyError) as error:
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


def format_duration(seconds: Optional[float]) -> str:
    """Formats a time in two units at most: "48.2 s", "12 min 30 s", "3 h 05 min"."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds_of_minute = divmod(round(seconds), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_of_hour:02d} min"
    return f"{minutes} min {seconds_of_minute:02d} s"
