"""What is known of a cell: its state, its figures, and every attempt at it, in one small file."""

import logging
import os
import platform
import socket
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Dict, List, Optional

from spigot_allennlp.compat.whole_files import read_json, write_json

logger = logging.getLogger(__name__)

FILE = "cell.json"
LIBRARIES = ("spigot_allennlp", "allennlp", "torch", "numpy")

# A cell that is "running" in a folder in which nothing runs was interrupted.
PLANNED, RUNNING, TRAINED, DONE = "planned", "running", "trained", "done"
FAILED, REFUSED = "failed", "refused"


@dataclass
class Record:
    """
    # Parameters

    variant : `str`
    seed : `int`
    config : `str`
        The digest of the cell's config.
    state : `str`
        One of the states above.
    attempts : `List[Dict[str, Any]]`
        Of each: host, process, when it started, the `seconds` that it took, and the `cpu_seconds`,
        which say more on a machine that is shared. For one that was killed, `seconds` up to the
        last epoch that it completed.
    seconds_testing : `float`
        Of the attempt that tested.
    peak_memory_mb : `float`, optional (default = `None`)
        Of the process that trained, the libraries included; the largest of all attempts.
    peak_gpu_memory_mb : `float`, optional (default = `None`)
    metrics : `Dict[str, Any]`
        AllenNLP's `metrics.json`.
    test : `Dict[str, Any]`
        The data, the number of instances, and the figures on them.
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
    def seconds(self) -> float:
        """Of all attempts, testing included."""
        return sum(attempt["seconds"] for attempt in self.attempts)

    @property
    def cpu_seconds(self) -> float:
        """Of all attempts that came to their end."""
        return sum(attempt.get("cpu_seconds", 0.0) for attempt in self.attempts)

    def save(self, folder: Path) -> None:
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Optional["Record"]:
        """`None` if the cell was never begun, or if nobody can read what is known of it."""
        path = folder / FILE
        try:
            return cls(**read_json(path)) if path.exists() else None
        except (ValueError, TypeError) as error:
            logger.warning("%s cannot be read (%s): it is made anew.", path, error)
            return None


def new_attempt() -> Dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": time.time(),
        "seconds": 0.0,
    }


def installed_versions() -> Dict[str, str]:
    """Those of `LIBRARIES` that are installed, and of Python."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
