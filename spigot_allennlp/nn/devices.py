"""
Decides how a computation runs: with kernels or torch, in which types, and in how many threads.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache
from typing import Callable, ContextManager, List, Sequence, TypeVar

import torch

Item = TypeVar("Item")


def has_kernels(device: torch.device) -> bool:
    """
    Tells whether there are compiled kernels for tensors on `device`. Otherwise torch computes.
    """
    return device.type == "cpu"


def answers_at_once(device: torch.device) -> bool:
    """
    Tells whether a number of a tensor on `device` can be read without waiting for queued
    computations.
    """
    return device.type == "cpu"


def is_autocasting(device: torch.device) -> bool:
    """Tells whether `torch.autocast` currently applies to computations on `device`."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def without_autocast(device: torch.device) -> ContextManager:
    """
    Lets computations on `device` within the block keep their types, even under `torch.autocast`.
    """
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def autocast_as_now(device: torch.device) -> ContextManager:
    """Lets computations on `device` within the block have the types that they would have now."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(
            device.type,
            dtype=torch.get_autocast_dtype(device.type),
            enabled=torch.is_autocast_enabled(device.type),
        )
    return nullcontext()


def call_in_threads(
    function: Callable[[Item], None], items: Sequence[Item], is_worth_it: bool
) -> None:
    """
    Calls `function` with each of `items`, in `torch.get_num_threads()` threads if `is_worth_it`.
    `function` must release the interpreter's lock, and all calls together should take a good part
    of a millisecond.
    """
    threads = torch.get_num_threads()
    if is_worth_it and threads > 1:
        list(_pool(os.getpid(), threads).map(function, items))
    else:
        for item in items:
            function(item)


def parts_for_threads(count: int) -> List[range]:
    """
    Returns `range(count)` in parts of about equal length, as many as there are threads, or `count`
    if that is less.
    """
    num_parts = min(torch.get_num_threads(), count)
    ends = [count * part // num_parts for part in range(1, num_parts + 1)]
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]


@lru_cache(maxsize=1)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Returns a pool, which is kept. A forked process does not inherit it, and gets its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
