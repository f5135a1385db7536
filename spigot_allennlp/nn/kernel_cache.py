"""
Machine code on disk: what a process compiled, for the next one to load.

Numba's own cache is not safe enough. It compares the code that it kept with the file of the
function alone, not with those of the kernels that are called from there; it trusts every file, so
that a damaged one ends each run until somebody deletes it; and processes that compile at the same
time may mix up their files. Here a file holds the code of one function for one signature, and
nothing refers to it but its name, which follows from all sources below `nn`, from the signature,
and from all else that the code depends on. It begins with a checksum. A file is written under
another name and then renamed, so that it is there in full or not at all. Whatever is wrong with it,
the outcome is that the function is compiled again.
"""

import contextlib
import hashlib
import logging
import os
import pickle
import platform
import re
import time
import uuid
from pathlib import Path
from typing import Any, Callable

import numba
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

logger = logging.getLogger(__name__)

CHECKSUM_BYTES = hashlib.sha256().digest_size
# What `KernelCache` calls a file: the name of a function, our sources, and everything else.
FILE_NAME = re.compile(r".+\.(?P<sources>[0-9a-f]{16})-[0-9a-f]{16}\.nbc(?P<unfinished>\.tmp-.+)?")
# An unfinished file that is older, in seconds, was left behind by a process that was killed.
ABANDONED_AFTER = 3600.0


def digest_of_sources() -> str:
    """A digest of the names and contents of all Python files below `nn`: 16 hexadecimal digits."""
    digest, root = hashlib.sha256(), os.path.dirname(__file__)
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        for file in sorted(files):
            # what cannot be read (an editor's lock, a broken link) was not imported, either
            with contextlib.suppress(OSError):
                if file.endswith(".py"):
                    with open(os.path.join(folder, file), "rb") as source:
                        content = source.read()
                    digest.update(f"{folder[len(root) :]}/{file} {len(content)} ".encode())
                    digest.update(content)
    return digest.hexdigest()[:16]


# Of the sources when the first kernel was imported. What is compiled of them after they have
# changed again on disk is not kept, since no process can tell what it was compiled of.
SOURCES = digest_of_sources()


class KernelCache(FunctionCache):
    """
    The compiled code of one function.

    # Raises

    `RuntimeError` from the constructor if there is no folder to keep it in.
    """

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        module = Path(function.__code__.co_filename).stem
        self._function_name = re.sub("[<>]", "", f"{module}.{function.__qualname__}")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature; `None` if there is none, or what there is cannot be used."""
        if not self._enabled:
            return None
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        path = self._path(key)
        try:
            return self._impl.rebuild(target_context, _read(path, key))
        except FileNotFoundError:
            return None
        except Exception as error:  # unpickling can raise anything
            logger.warning(
                "The compiled code in %s cannot be used, and is compiled again: %s: %s",
                path,
                type(error).__name__,
                str(error)[:200],
            )
            _delete(path)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """
        Keeps the code for a signature. If that fails (the disk is full, say), a process says so
        once, and goes on.
        """
        if not self._enabled or digest_of_sources() != SOURCES:
            return
        if not self._impl.check_cachable(data):
            return
        try:
            self._impl.locator.ensure_cache_path()
            self._forget_what_is_stale()
            key = self._key(sig, data.codegen)
            _write(self._path(key), dumps((key, self._impl.reduce(data))))
        except Exception as error:  # pickling can raise anything
            WARNING.nothing_kept(self._function_name, f"{self._cache_path}: {error}")

    def flush(self) -> None:
        """Forgets the code for all signatures."""
        for path in Path(self._cache_path).glob(f"{self._function_name}.*.nbc"):
            _delete(path)

    def _key(self, sig: Any, codegen: Any) -> tuple:
        """All on which the code depends, other than our sources."""
        options = config.OPT, config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE
        versions = numba.__version__, platform.python_version()
        stamp = self._impl.locator.get_source_stamp()  # of functions that are not below `nn`
        return (*self._index_key(sig, codegen), stamp, versions, tuple(map(str, options)))

    def _path(self, key: tuple) -> Path:
        rest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return Path(self._cache_path) / f"{self._function_name}.{SOURCES}-{rest}.nbc"

    def _forget_what_is_stale(self) -> None:
        """
        Deletes what was compiled of other sources, for whatever function, what a killed process
        left unfinished, and what numba's own cache held of this function.
        """
        folder = Path(self._cache_path)
        for path in folder.glob("*.nbc*"):
            match = FILE_NAME.fullmatch(path.name)
            if match and match["unfinished"]:
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                        path.unlink()
            elif match and match["sources"] != SOURCES:
                _delete(path)
        for path in folder.glob(f"{self._function_name}-*.py*.nb[ci]"):
            _delete(path)


def _read(path: Path, key: tuple) -> Any:
    """What was written with this `key`. Raises anything if the file is damaged."""
    content = path.read_bytes()
    checksum, payload = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError(f"{len(content)} bytes that do not agree with their checksum")
    written_with, data = pickle.loads(payload)
    if written_with != key:
        raise ValueError("it belongs to another signature")
    return data


def _write(path: Path, payload: bytes) -> None:
    """Of several processes that write at the same time, the last one wins."""
    unfinished = path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex}")
    try:
        with open(unfinished, "wb") as file:
            file.write(hashlib.sha256(payload).digest())
            file.write(payload)
        os.replace(unfinished, path)
    except BaseException:
        _delete(unfinished)
        raise


def _delete(path: Path) -> None:
    """If it is there, and may be deleted."""
    with contextlib.suppress(OSError):
        path.unlink()


class CacheWarning:
    """Says, once in a process, that compiled code cannot be kept."""

    def __init__(self) -> None:
        self.was_given = False

    def nothing_kept(self, name: str, reason: str) -> None:
        """`name` is that of a function whose code should be kept."""
        if not self.was_given:
            self.was_given = True
            logger.warning(
                "%s will be compiled in every process, and so may be other kernels: compiled code "
                "cannot be kept (%s). Make room there, or set the environment variable "
                "NUMBA_CACHE_DIR to a folder that can be written to.",
                name,
                reason[:500],
            )


WARNING = CacheWarning()
