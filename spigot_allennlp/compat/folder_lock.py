"""
Lets only one process at a time write into a folder: a training, or a run of an ablation.
"""

import json
import logging
import os
import socket
import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Set

from spigot_allennlp.compat.atomic_io import PathLike
from spigot_allennlp.compat.plain_errors import plain_error

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

FILE = ".lock"

# The open lock files of this process. A forked process closes them. Otherwise a lock would outlive
# the process that holds it, until the last forked process ends.
HELD: Set[int] = set()


@contextmanager
def locked(folder: PathLike, patience: float = 3.0) -> Iterator[None]:
    """
    Locks a folder until the end of the block, or of the process, however it ends: if a process is
    killed, the system releases the lock.

    On a network file system, the lock holds across machines if the system supports locks (NFS does,
    with its lock service). Where there are no locks, a warning says so, and nothing is locked.

    # Parameters

    folder : `PathLike`
        The folder, which is created if needed. The file `.lock` in it says who holds it.
    patience : `float`, optional (default = `3.0`)
        How many seconds to wait for another process to end.

    # Raises

    `ConfigurationError` with host and ID of the process that holds the folder, if another does.
    `OSError` if the folder cannot be written.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, FILE)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    HELD.add(descriptor)
    try:
        if acquire(descriptor, folder, patience):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(this_process()).encode(), 0)
        yield
    finally:
        if descriptor in HELD:  # false in a process that was forked in the block
            HELD.remove(descriptor)
            os.close(descriptor)


def acquire(descriptor: int, folder: PathLike, patience: float) -> bool:
    """
    Returns whether locks are supported. Raises if another process holds this one for too long.
    """
    last = time.monotonic() + patience
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError as error:
            if time.monotonic() > last:
                raise plain_error(
                    f"{holder(descriptor)} is at work in {folder}. Wait until it has ended, end "
                    "it, or name another folder."
                ) from error
            time.sleep(0.05)
        except OSError as error:
            logger.warning("There are no locks in %s (%s).", folder, error)
            break
    logger.warning("Nothing keeps a second process from writing into %s meanwhile.", folder)
    return False


def this_process() -> Dict[str, Any]:
    return {"host": socket.gethostname(), "process": os.getpid(), "started": time.time()}


def holder(descriptor: int) -> str:
    """Describes the process that holds a lock, from what it wrote into the lock file."""
    try:
        known = json.loads(os.pread(descriptor, 1000, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(known["started"]))
        return f"Process {known['process']} on {known['host']} (since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return "Another process"


def let_go() -> None:
    """Closes the lock files in a forked process: the locks belong to its parent."""
    while HELD:
        os.close(HELD.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=let_go)
