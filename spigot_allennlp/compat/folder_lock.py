"""
One process at a time in a folder that it writes: a training, a run of an ablation.
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

# The open lock files of this process. A process that is forked closes them, so that a lock ends
# with the process that has it, and not with the last of those that it forked.
HELD: Set[int] = set()


@contextmanager
def locked(folder: PathLike, patience: float = 3.0) -> Iterator[None]:
    """
    Holds a folder until the end of the block, or of the process, however it ends: the system takes
    the lock from a process that was killed.

    On a network file system the lock holds between machines if the system has locks (NFS does, with
    its lock service); where there are none, a warning says so, and nothing is held.

    # Parameters

    folder : `PathLike`
        It is made if it is not there. The file `.lock` in it says who holds it.
    patience : `float`, optional (default = `3.0`)
        How many seconds to wait for another process to end.

    # Raises

    `ConfigurationError` with host and number of the process that holds the folder, if that is
    another. `OSError` if the folder cannot be written.
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
        if descriptor in HELD:  # not in a process that was forked meanwhile
            HELD.remove(descriptor)
            os.close(descriptor)


def acquire(descriptor: int, folder: PathLike, patience: float) -> bool:
    """Whether there are locks at all; raises if another process has this one for too long."""
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
    """The process that has a lock, in words, by what it wrote into the lock's file."""
    try:
        known = json.loads(os.pread(descriptor, 1000, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(known["started"]))
        return f"Process {known['process']} on {known['host']} (since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return "Another process"


def let_go() -> None:
    """In a process that was forked: the locks are those of the one that forked it."""
    while HELD:
        os.close(HELD.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=let_go)
