"""
Machine code on disk: what a process compiled, for the next one to load.

Numba's own cache is not safe enough. It compares the code that it kept with the file of the
function alone, not with those of the kernels that are called from there; it trusts every file, so
that a damaged one ends each run until somebody deletes it; and processes that compile at the same
time may mix up their files. Here a file holds the code of one function for one signature, and
nothing refers to it but its name, which follows from the sources of the function's module and of
all that this imports below `nn`, from the signature, and from all else that the code depends on.
It begins with a checksum. A file is written under
another name and then renamed, so that it is there in full or not at all. Whatever is wrong with it,
the outcome is that the function is compiled again. Of processes that need the same code at the same
time one compiles it, and the others wait.
"""

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import platform
import re
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet

import filelock
import numba
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from spigot_allennlp.nn.garbage_collection import paused_garbage_collection

logger = logging.getLogger(__name__)

# The folder below which kernels call each other.
ROOT = Path(__file__).parent
# The name of a module in that folder, and the names that are imported from it.
MODULE_NAME = re.compile(
    r"(?P<module>spigot_allennlp\.nn[\w.]*)(\s+import\s+(?P<names>\([^)]*\)|.*))?"
)

CHECKSUM_BYTES = hashlib.sha256().digest_size
# `KernelCache` names a file by module and function, a digest of our sources, and one of the rest.
FILE_NAME = re.compile(
    r"(?P<module>[^.]+)\..+\.(?P<sources>[0-9a-f]{16})-[0-9a-f]{16}\.nbc(?P<unfinished>\.tmp-.+)?"
)
# An unfinished file that is older, in seconds, was left behind by a process that was killed.
ABANDONED_AFTER = 3600.0
# So long, in seconds, a process waits for the code that another one compiles.
PATIENCE = 120.0


def digest_of_sources(module: Path) -> str:
    """
    Returns a digest of all sources that the code of a kernel can come from: 16 hexadecimal digits.

    # Parameters

    module : `Path`
        The file of the kernel's module. It counts with all files below `nn` that it imports, and
        those that these import, by name and content.
    """
    sources: Dict[Path, bytes] = {}
    waiting = [module]
    while waiting:
        file = waiting.pop()
        # what cannot be read (a file that is gone, say) cannot be compiled, either
        with contextlib.suppress(OSError):
            if file not in sources:
                sources[file] = file.read_bytes()
                waiting += imported_files(sources[file])
    digest = hashlib.sha256()
    for file in sorted(sources):
        digest.update(f"{os.path.relpath(file, ROOT)} {len(sources[file])} ".encode())
        digest.update(sources[file])
    return digest.hexdigest()[:16]


@functools.cache
def imported_files(source: bytes) -> FrozenSet[Path]:
    """
    Returns the files of the modules below `nn` that a source imports, also by name from a package.
    A module that it only mentions counts as well.
    """
    names = set()
    for match in MODULE_NAME.finditer(source.decode()):
        names.add(match["module"])
        names |= {f"{match['module']}.{name}" for name in re.findall(r"\w+", match["names"] or "")}
    paths = [ROOT.joinpath(*name.split(".")[2:]) for name in names]
    return frozenset(
        candidate
        for path in paths
        for candidate in (path.with_suffix(".py"), path / "__init__.py")
        if candidate.is_relative_to(ROOT) and candidate.is_file()
    )


class KernelCache(FunctionCache):
    """
    Keeps the compiled code of a function, and loads it.

    # Raises

    `RuntimeError` from the constructor if there is no folder to keep it in.
    """

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        self._module = Path(function.__code__.co_filename)
        self._function_name = re.sub("[<>]", "", f"{self._module.stem}.{function.__qualname__}")
        # The digest of what is imported now. What is compiled after the files have changed is not
        # kept, since no process can tell what it was compiled of.
        self._sources = digest_of_sources(self._module)
        # By file, while this process compiles what will be in it.
        self._locks: Dict[Path, filelock.BaseFileLock] = {}

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """
        Returns the code for a signature; `None` if there is none, or it cannot be used.
        """
        if not self._enabled:
            return None
        with paused_garbage_collection():  # the first refresh imports most of numba
            target_context.refresh()
        key = self._key(sig, target_context.codegen())
        path = self._path(key)
        try:
            if not path.exists() and path not in self._locks:
                self._lock(path)
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
        Keeps the code for a signature. If that fails (the disk is full, say), logs a warning, once
        in a process, and goes on.
        """
        try:
            self._save(sig, data)
        finally:
            for path in list(self._locks):
                self._unlock(path)

    def _save(self, sig: Any, data: Any) -> None:
        if not self._enabled or digest_of_sources(self._module) != self._sources:
            return
        if not self._impl.check_cachable(data):
            return
        try:
            self._impl.locator.ensure_cache_path()
            self._delete_stale_files()
            key = self._key(sig, data.codegen)
            _write(self._path(key), dumps((key, self._impl.reduce(data))))
        except Exception as error:  # pickling can raise anything
            WARNING.nothing_kept(self._function_name, f"{self._cache_path}: {error}")

    def flush(self) -> None:
        """Deletes the code for all signatures."""
        for path in Path(self._cache_path).glob(f"{self._function_name}.*.nbc"):
            _delete(path)

    def _lock(self, path: Path) -> None:
        """
        Has other processes wait for a file that is not there; or waits for it, if another process
        compiles what will be in it. Where files cannot be locked, nobody waits.
        """
        lock = filelock.FileLock(f"{path}.lock", timeout=PATIENCE)
        with contextlib.suppress(OSError, filelock.Timeout):
            self._impl.locator.ensure_cache_path()
            lock.acquire()
            self._locks[path] = lock
        if path.exists():
            self._unlock(path)

    def _unlock(self, path: Path) -> None:
        lock = self._locks.pop(path, None)
        if lock is not None:
            # While it is held: whoever waits for it finds the code, or compiles it.
            _delete(Path(lock.lock_file))
            lock.release()

    def _key(self, sig: Any, codegen: Any) -> tuple:
        """Returns all on which the code depends, other than our sources."""
        options = config.OPT, config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE
        versions = numba.__version__, platform.python_version()
        stamp = self._impl.locator.get_source_stamp()  # of functions that are not below `nn`
        return (*self._index_key(sig, codegen), stamp, versions, tuple(map(str, options)))

    def _path(self, key: tuple) -> Path:
        rest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return Path(self._cache_path) / f"{self._function_name}.{self._sources}-{rest}.nbc"

    def _delete_stale_files(self) -> None:
        """
        Deletes what was compiled of other sources of this module, or of a module that is gone, what
        a killed process left unfinished, and what numba's own cache held of this function.
        """
        folder = Path(self._cache_path)
        for path in folder.glob("*.nbc*"):
            match = FILE_NAME.fullmatch(path.name)
            if match and match["unfinished"]:
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                        path.unlink()
            elif match and self._is_stale(match["module"], match["sources"]):
                _delete(path)
        for path in folder.glob(f"{self._function_name}-*.py*.nb[ci]"):
            _delete(path)

    def _is_stale(self, module: str, sources: str) -> bool:
        if module == self._module.stem:
            return sources != self._sources
        return not self._module.with_name(f"{module}.py").exists()


def _read(path: Path, key: tuple) -> Any:
    """Returns what was written with this `key`. Raises anything if the file is damaged."""
    content = path.read_bytes()
    checksum, payload = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError(f"{len(content)} bytes that do not agree with their checksum")
    written_with, data = pickle.loads(payload)
    if written_with != key:
        raise ValueError("it belongs to another signature")
    return data


def _write(path: Path, payload: bytes) -> None:
    """Writes a file as a whole. Of several processes that do so at the same time, the last wins."""
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
    """Deletes a file if it is there, and may be deleted."""
    with contextlib.suppress(OSError):
        path.unlink()


class CacheWarning:
    """Logs, once in a process, that compiled code cannot be kept."""

    def __init__(self) -> None:
        self.was_logged = False

    def nothing_kept(self, name: str, reason: str) -> None:
        """Logs the warning; `name` is that of a function whose code should be kept."""
        if not self.was_logged:
            self.was_logged = True
            logger.warning(
                "%s will be compiled in every process, and so may be other kernels: compiled code "
                "cannot be kept (%s). Make room there, or set the environment variable "
                "NUMBA_CACHE_DIR to a folder that can be written to.",
                name,
                reason[:500],
            )


WARNING = CacheWarning()
