"""
The peak of a process's memory.

What the allocator has been given back it may keep, and hand out again unseen; so it is asked to
return it first. The peak that the kernel remembers is then reset to what is in use, where the
kernel can do that (Linux); elsewhere a call that stays below an earlier peak seems to need nothing.
"""

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

# The kernel's word for "forget the peak".
RESET_PEAK = "5"
# Of the memory that is free, what a single call may take.
SHARE_OF_FREE = 0.85


def peak() -> int:
    """The most memory that this process has had at one time, in bytes."""
    # The resource usage of a process that was just started still has its parent's peak in it.
    with contextlib.suppress(OSError):
        return _in_bytes("/proc/self/status", "VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def forget_peak() -> None:
    """Gives unused memory back, and makes what is in use the peak."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(RESET_PEAK)


def limit() -> None:
    """
    Makes this process fail to allocate what the machine does not have, instead of being killed or
    driving others out; only where the system says how much there is (Linux).
    """
    with contextlib.suppress(OSError, ValueError):
        own_pages = int(Path("/proc/self/statm").read_text().split()[0])
        free = _in_bytes("/proc/meminfo", "MemAvailable")
        most = own_pages * resource.getpagesize() + int(SHARE_OF_FREE * free)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _in_bytes(file: str, wanted: str) -> int:
    """An entry of a file of the kernel's that has them in kilobytes, one in a line."""
    for line in Path(file).read_text().splitlines():
        name, _, value = line.partition(":")
        if name == wanted:
            return int(value.split()[0]) * 1024
    raise OSError(f"{wanted} is not in {file}")
