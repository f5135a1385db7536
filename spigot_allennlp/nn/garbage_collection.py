"""Pauses the garbage collector while many objects are made that stay."""

import contextlib
import gc
from typing import Iterator


@contextlib.contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """
    Pauses the garbage collector, if it is at work. Imports of large libraries make some 100,000
    objects, none of which is garbage, and the collector looks through them, and through all that
    torch and AllenNLP hold, again and again: half the time that numba takes to be imported.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
