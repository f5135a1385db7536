"""
Keeps compiled machine code on disk for later processes to load.

Numba's own cache is not safe enough. It only compares cached code with the file of the function,
not with those of the kernels called from there; it trusts every file, so a damaged one ends each
run until somebody deletes it; and processes that compile at the same time may mix up their files.
Here, a file holds the code of one function for one signature. Nothing refers to it except by its
name, which is determined by the sources of the function's module and of everything it imports below
`nn`, by the signature, and by everything else that the code depends on. A file begins with a
checksum. It is written under another name and then renamed, so it is complete or missing. Whatever
is wrong with a file, the function is just compiled again. If several processes need the same code
at the same time, one compiles it, and the others wait.
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
# The name of a module in that folder, and the names imported from it.
MODULE_NAME = re.compile(
    r"(?P<module>spigot_allennlp\.nn[\w.]*)(\s+import\s+(?P<names>\([^)]*\)|.*))?"
)

CHECKSUM_BYTES = hashlib.sha256().digest_size
# `KernelCache` names a file by module and function, a digest of our sources, and a digest of the
# rest.
FILE_NAME = re.compile(
    r"(?P<module>[^.]+)\..+\.(?P<sources>[0-9a-f]{16})-[0-9a-f]{16}\.nbc(?P<unfinished>\.tmp-.+)?"
)
# An unfinished file that is older, in seconds, was left by a killed process.
ABANDONED_AFTER = 3600.0
# A process waits for code that another one compiles, this many seconds at most.
PATIENCE = 120.0


def digest_of_sources(module: Path) -> str:
    """
    Returns a digest of all sources that can affect the code of a kernel: 16 hexadecimal digits.

    # Parameters

    module : `Path`
        The file of the kernel's module. The digest covers name and content of this file, and of all
        files below `nn` that it imports, directly or indirectly.
    """
    sources: Dict[Path, bytes] = {}
    waiting = [module]
    while waiting:
        file = waiting.pop()
        # a file that cannot be read, for example because it is gone, cannot be compiled either
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
    Returns the files of the modules below `nn` that a source imports, including those imported by
    name from a package. Modules that are only mentioned also count.
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
    Stores and loads the compiled code of a function.

    # Raises

    `RuntimeError` from the constructor if there is no folder to keep it in.
    """

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        self._module = Path(function.__code__.co_filename)
        self._function_name = re.sub("[<>]", "", f"{self._module.stem}.{function.__qualname__}")
        # The digest of the sources as imported now. Code that is compiled after the files have
        # changed is not kept, since its sources are unknown.
        self._sources = digest_of_sources(self._module)
        # By file, while this process compiles its content.
        self._locks: Dict[Path, filelock.BaseFileLock] = {}

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Returns the code for a signature; `None` if there is none, or it is unusable."""
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
        Stores the code for a signature. If this fails, for example because the disk is full, logs a
        warning once per process, and continues.
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
        Makes other processes wait for a missing file; or waits for it, if another process is
        compiling its content. If files cannot be locked, nobody waits.
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
            # While still holding it: processes that wait for it will find the code, or compile it.
            _delete(Path(lock.lock_file))
            lock.release()

    def _key(self, sig: Any, codegen: Any) -> tuple:
        """Returns everything that the code depends on, besides our sources."""
        options = config.OPT, config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE
        versions = numba.__version__, platform.python_version()
        stamp = self._impl.locator.get_source_stamp()  # for functions that are not below `nn`
        return (*self._index_key(sig, codegen), stamp, versions, tuple(map(str, options)))

    def _path(self, key: tuple) -> Path:
        rest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return Path(self._cache_path) / f"{self._function_name}.{self._sources}-{rest}.nbc"

    def _delete_stale_files(self) -> None:
        """
        Deletes code compiled from other sources of this module, or from modules that are gone,
        unfinished files of killed processes, and numba's own cache of this function.
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
    """Returns the data written with this `key`. May raise any error if the file is damaged."""
    content = path.read_bytes()
    checksum, payload = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
    if hashlib.sha256(payload).digest() != checksum:
        raise ValueError(f"{len(content)} bytes that do not agree with their checksum")
    written_with, data = pickle.loads(payload)
    if written_with != key:
        raise ValueError("it belongs to another signature")
    return data


def _write(path: Path, payload: bytes) -> None:
    """Writes a file atomically. If several processes do so at the same time, the last one wins."""
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
    """Deletes a file if it exists and may be deleted."""
    with contextlib.suppress(OSError):
        path.unlink()


class CacheWarning:
    """Logs once per process that compiled code cannot be kept."""

    def __init__(self) -> None:
        self.was_logged = False

    def nothing_kept(self, name: str, reason: str) -> None:
        """Logs the warning. `name` is that of a function with code to keep."""
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
