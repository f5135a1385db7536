"""
The record of a run of an ablation, stored in its folder: whether and when it was trained and
tested, how long this took, and the resulting metrics. Also formats such times, for progress lines
and the report.
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

RECORD_FILE = "cell.json"  # a run used to be called a cell
# Fields of `RunRecord` that are stored under another key, as in ablations that already exist.
STORED_KEYS = {"config_digest": "config"}
LIBRARIES = ("spigot_allennlp", "allennlp", "torch", "numpy")

# The states of a run, as they are stored. A run is planned, running, trained and done, in this
# order, unless it ends as failed or refused.
PLANNED = "planned"  # not started
RUNNING = "running"  # being trained; interrupted there if no process is working in its folder
TRAINED = "trained"  # being tested; interrupted there if no process is working in its folder
DONE = "done"  # trained and tested
FAILED = "failed"  # ended by an error or a signal; resumed only on request (--retry-failed)
REFUSED = "refused"  # its config is invalid; it has attempts if only training showed this


class Attempt(TypedDict, total=False):
    """
    Describes an attempt at a run: the `host`, the ID of the `process`, the Unix time when it
    `started`, its wall time in `seconds` (0 while it is running), and its `cpu_seconds`, which say
    more on a shared machine. If it was killed, it is `interrupted`, `seconds` count up to its last
    completed epoch, and `cpu_seconds` are missing.
    """

    host: str
    process: int
    started: float
    seconds: float
    cpu_seconds: float
    interrupted: bool


class TestResult(TypedDict, total=False):
    """
    The result of testing a run, empty before the test. It has the test `data`, the option or config
    `key` that named them, the number of `instances`, the metrics (`figures`), and the `sources` of
    the metrics that are computed from counts.
    """

    data: Any
    key: str
    instances: int
    figures: Dict[str, float]
    sources: Dict[str, MetricSource]


@dataclass
class RunRecord:
    """
    The record of a run, stored as JSON in its folder.

    # Parameters

    variant : `str`
    seed : `int`
    config_digest : `str`
        The digest of the run's config, under the key "config".
    state : `str`, optional (default = `PLANNED`)
        One of the states above.
    attempts : `List[Attempt]`, optional (default = `[]`)
        The attempts at the run, oldest first.
    seconds_testing : `float`, optional (default = `0.0`)
        The wall time of the test.
    peak_memory_mb : `float`, optional (default = `None`)
        The peak memory of the training process in MiB, including the libraries; the maximum over
        all attempts.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
        The same on its GPU.
    metrics : `Dict[str, Any]`, optional (default = `{}`)
        The content of AllenNLP's `metrics.json`, from the training, not from the test.
    test : `TestResult`, optional (default = `{}`)
        The result of the test.
    message : `str`, optional (default = `""`)
        Why the run failed or was refused.
    versions : `Dict[str, str]`, optional (default = `{}`)
        The versions of Python and of the libraries that affect the result.
    files : `Dict[str, str]`, optional (default = `{}`)
        The digests of the test data, and of the files that the config names, by path, at the start
        of the last attempt; empty in a record from before they were stored.
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
        """The test metrics; empty if the run was not tested."""
        return self.test.get("figures", {})

    @property
    def shown_state(self) -> str:
        """The state in the report: "unfinished" for a started run that no process is working on."""
        return "unfinished" if self.state in (RUNNING, TRAINED) else self.state

    @property
    def seconds(self) -> float:
        """The wall time of all attempts, including testing."""
        return sum(attempt["seconds"] for attempt in self.attempts)

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of all attempts that were not killed."""
        return sum(attempt.get("cpu_seconds", 0.0) for attempt in self.attempts)

    def start_attempt(self) -> None:
        """Records that this process starts to work on the run, and with which versions."""
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
        """Returns the record as it is stored."""
        return {STORED_KEYS.get(name, name): value for name, value in asdict(self).items()}

    def save(self, folder: Path) -> None:
        """Writes the record to the folder of its run."""
        atomic_io.write_json(folder / RECORD_FILE, self.to_json())

    @classmethod
    def load(cls, folder: Path) -> Optional["RunRecord"]:
        """
        Reads the record of a run; `None` if the run was never started, or the file is damaged.
        """
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
    """Returns the versions of Python and of the installed `LIBRARIES`."""
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions


def format_duration(seconds: Optional[float]) -> str:
    """Formats a time in at most two units: "48.2 s", "12 min 30 s", "3 h 05 min"."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds_of_minute = divmod(round(seconds), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_of_hour:02d} min"
    return f"{minutes} min {seconds_of_minute:02d} s"
