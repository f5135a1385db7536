"""Work that is shared among as many threads as torch uses."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Callable, Sequence, TypeVar

import torch

Item = TypeVar("Item")


def share(work: Callable[[Item], None], items: Sequence[Item], worth_it: bool) -> None:
    """
    Calls `work` with each of `items`, in `torch.get_num_threads()` threads if that is `worth_it`:
    `work` must give up the interpreter's lock, and all together should take a good part of a
    millisecond.
    """
    threads = torch.get_num_threads()
    if worth_it and threads > 1:
        list(_pool(os.getpid(), threads).map(work, items))
    else:
        for item in items:
            work(item)


@lru_cache(maxsize=1)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """The threads are kept; a forked process, to which they do not come along, makes its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
