"""One ablation at a time in a folder."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from allennlp.common.checks import ConfigurationError
from filelock import FileLock, Timeout

FILE = ".lock"


@contextmanager
def locked(folder: Path, patience: float = 3.0) -> Iterator[None]:
    """
    Holds the folder until the end of the block, or of the process, however it ends: the system
    takes the lock from a process that was killed, once those that it forked have ended, too.

    # Raises

    `ConfigurationError` if another process holds it for longer than `patience`, in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(folder / FILE), timeout=patience)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigurationError(
            f"Another process is at work in {folder}. Wait for it, or name another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()
