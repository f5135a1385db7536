"""Pauses the garbage collector while many lasting objects are created."""

import contextlib
import gc
from typing import Iterator


@contextlib.contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """
    Pauses the garbage collector, if it is enabled. Imports of large libraries create about 100,000
    objects, none of them garbage. The collector scans these, and all objects of torch and AllenNLP,
    again and again: half of the import time of numba.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
