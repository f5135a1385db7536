"""
Restricts what the config of an archive may ask for while a model is built from it.

A config names classes, files and sizes. Through these, a config from somebody else must not run a
program, read a file, contact a server or use up the memory. So while a model is built from an
archive, a class must be of the expected kind, and from a package that is already imported; paths
and addresses from the config are not opened; no process is started; and no tensor is made that the
weights cannot fill. The user's own overrides are not restricted.
"""

import contextlib
import importlib
import inspect
import os
import sys
import sysconfig
import tempfile
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ContextManager, Dict, FrozenSet, Iterator, Optional, Set, Tuple
from urllib.parse import urlsplit

from spigot_allennlp.compat.archive_contents import Weights, values_of
from spigot_allennlp.compat.unpacking import Refused

# Folders and files that archives may name anyway, separated as in PATH.
PATHS_VARIABLE = "SPIGOT_ALLENNLP_ARCHIVE_PATHS"

# An archive may cause imports from these packages by naming their classes. From other packages, it
# may only name what the user's program, --include-package or a plugin has already imported.
PACKAGES = ("allennlp", "allennlp_models", "spigot_allennlp")

# Audit events (docs.python.org/3/library/audit_events.html) of a process that is started,
PROCESSES = {
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.startfile/2", "os.system", "pty.spawn", "subprocess.Popen"),
}
# of paths, by how many arguments are some, and of the network.
PATHS = {
    **dict.fromkeys(("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rmdir"), 1),
    **dict.fromkeys(("os.chmod", "os.chown", "os.truncate", "os.utime", "ctypes.dlopen"), 1),
    **dict.fromkeys(("shutil.rmtree", "shutil.unpack_archive", "sqlite3.connect"), 1),
    **dict.fromkeys(("os.rename", "os.link", "os.symlink", "shutil.copyfile", "shutil.move"), 2),
    **dict.fromkeys(("shutil.copytree", "shutil.copymode", "shutil.copystat"), 2),
}
# Models on this server may be named: the configs of transformers are read from it.
HUB = "hf://"
HOSTS = {"socket.getaddrinfo", "socket.gethostbyname"}
REQUESTS = {"urllib.Request", "ftplib.connect", "glob.glob"}


class Restrictions:
    """
    # Parameters

    archive : `str`
        The name of the archive, for messages.
    config : `Dict[str, Any]`
        The config of the archive, as stored.
    overrides : `Any`, optional (default = `None`)
        The user's changes to it, as plain dictionaries and lists.
    folder : `str`, optional (default = `None`)
        Where the archive's own files are. Without it, files and processes are not restricted. This
        is for objects that are built from an archive's config after it was loaded.
    """

    def __init__(
        self,
        archive: str,
        config: Dict[str, Any],
        overrides: Any = None,
        folder: Optional[str] = None,
    ) -> None:
        self.archive = archive
        of_overrides = {value for _, value in values_of(overrides) if isinstance(value, str)}
        named = {value for _, value in values_of(config) if isinstance(value, str)} - of_overrides
        self.names: FrozenSet[str] = frozenset(named)
        self.folder = folder and os.path.realpath(folder)
        self.first_refused: Optional[Refused] = None
        self._hosts = {urlsplit(name).hostname for name in named if is_address(name)}
        self._paths, self._trees = _paths_of(named)
        self._allowed = [
            _absolute(path) for path in os.environ.get(PATHS_VARIABLE, "").split(os.pathsep) if path
        ]

    def __deepcopy__(self, memo: Any) -> "Restrictions":
        return self

    def refuse(self, reason: str) -> None:
        refused = Refused(reason)
        # Kept, because the caller may catch it and fail later with another message.
        self.first_refused = self.first_refused or refused
        raise refused

    def class_for(self, base: type, name: str, registered: Dict[str, Tuple[type, Any]]) -> type:
        """
        Returns the class of a dotted name.

        # Raises

        `Refused`
            If it would have to be imported from elsewhere, or is not a subclass of `base`.
        """
        module, _, attribute = name.rpartition(".")
        if module not in sys.modules and module.partition(".")[0] not in PACKAGES:
            self.refuse(
                f"its config names the type {name[:100]!r}, of a module that an archive may not "
                "import. If you trust it, give the package by --include-package, or import it"
            )
        try:
            named = getattr(importlib.import_module(module), attribute, None)
        except ImportError as error:
            named = None
            reason = str(error)[:100]
            self.refuse(f"its config names the type {name[:100]!r}: {reason}")
        is_registered = any(named is kind for kind, _ in registered.values())
        if not inspect.isclass(named) or not (issubclass(named, base) or is_registered):
            self.refuse(
                f"its config names the type {name[:100]!r}, which is no {base.__name__} as is "
                "asked for there"
            )
        return named  # type: ignore[return-value]

    def check_resource(self, name: str) -> None:
        """
        Checks a path or an address that AllenNLP is about to fetch. It may be from the config, or
        part of a string in it.
        """
        is_named = any(name in value for value in self.names)
        if not self.folder or not is_named or name.startswith(HUB):
            return
        if is_address(name):
            self.refuse(f"its config asks for {name[:200]!r}. {_way_out()}")
        self._paths.add(_absolute(name))
        self.check_path(_absolute(name))

    def check_path(self, path: Any) -> None:
        if not self.folder or not isinstance(path, (str, bytes, os.PathLike)):
            return  # a file descriptor, for example
        try:
            absolute = os.path.abspath(os.fsdecode(path))
        except ValueError:  # contains a null character
            return
        if any(_is_in(absolute, folder) for folder in (self.folder, *self._allowed)):
            return
        is_named = absolute in self._paths
        is_within = any(str(parent) in self._trees for parent in Path(absolute).parents)
        if (is_named or is_within) and not _is_importing():
            self.refuse(f"its config asks for the file {absolute[:200]!r}. {_way_out()}")

    def check_event(self, event: str, arguments: Tuple[Any, ...]) -> None:
        """Checks what Python is about to do in this thread."""
        if not self.folder:
            return
        if event in PATHS:
            for path in arguments[: PATHS[event]]:
                self.check_path(path)
        elif event in REQUESTS:
            if arguments[0] in self.names:
                self.refuse(f"its config asks for {str(arguments[0])[:200]!r}. {_way_out()}")
        elif event in HOSTS:
            if arguments[0] in self._hosts:
                self.refuse(f"its config asks for {str(arguments[0])[:200]!r}. {_way_out()}")
        elif event in PROCESSES and not _is_importing():
            self.refuse("it would start another process")


ACTIVE: ContextVar[Optional[Restrictions]] = ContextVar("restrictions", default=None)


@contextlib.contextmanager
def restricted(restrictions: Optional[Restrictions]) -> Iterator[None]:
    """Applies the restrictions to this thread within the block. `None` allows everything."""
    if restrictions is not None:
        _watch()
    token = ACTIVE.set(restrictions)
    try:
        yield
    finally:
        ACTIVE.reset(token)


def allocations_for(weights: Weights, restrictions: Restrictions) -> ContextManager[Any]:
    """
    Limits the tensors that are made in its block to what the weights could fill.

    While a model is built, a tensor may be four times as large as the largest of the weights, which
    an orthogonal initialisation in double precision needs, or have 64 MiB. All tensors together,
    including temporary ones, may have 16 times the bytes of the weights, or 1 GiB. There may be
    fifty tensors for each of the weights, plus 5000.

    # Raises

    `Refused`
        Before memory is allocated for a tensor that exceeds these limits, or for one too many.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    largest = max(4 * weights.largest, 2**26)
    in_all = max(16 * weights.bytes, 2**30)
    most = 50 * weights.number + 5_000

    class Allocations(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.bytes = self.tensors = 0

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            """
            Nothing is compiled here. Otherwise PyTorch imports its compiler, which takes seconds.
            """
            return False

        def __torch_dispatch__(
            self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            size = _size_of_result(torch, operation, args, kwargs or {})
            self.bytes += size
            self.tensors += size > 0
            if size > largest or self.bytes > in_all or self.tensors > most:
                restrictions.refuse(
                    f"its config asks for tensors that its weights cannot fill ({size} bytes, "
                    f"{self.bytes} in all, of {self.tensors} tensors; its weights are "
                    f"{weights.number} tensors of {weights.bytes} bytes)"
                )
            return operation(*args, **(kwargs or {}))

    return Allocations()


ARITHMETIC = ("aten::add", "aten::sub", "aten::mul")


def _size_of_result(torch: Any, operation: Any, args: Any, kwargs: Dict[str, Any]) -> int:
    """Returns how many bytes an operation allocates, computed on the meta device."""
    schema = operation._schema
    if schema.name == "aten::resize_":
        size = args[0].element_size()
        for side in args[1]:
            size *= side
        return size
    if schema.is_mutable or getattr(operation, "is_view", False):
        return 0
    # On the meta device: the restrictions of an archive inside this one compute their sizes there.
    places = [value.device for value in args if isinstance(value, torch.Tensor)]
    places.append(torch.device(kwargs.get("device") or "cpu"))
    if any(place.type == "meta" for place in places):
        return 0

    if schema.name in ARITHMETIC and not kwargs:
        # On the meta device, PyTorch imports its compiler for these, which takes seconds.
        tensors = [value for value in args if isinstance(value, torch.Tensor)]
        kind = torch.result_type(*args[:2])
        return torch.broadcast_shapes(*(t.shape for t in tensors)).numel() * kind.itemsize

    def moved(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return torch.empty_strided(
                value.size(), value.stride(), dtype=value.dtype, device="meta"
            )
        if isinstance(value, (list, tuple)):
            return type(value)(map(moved, value))
        return torch.device("meta") if isinstance(value, torch.device) else value

    options = {key: moved(value) for key, value in kwargs.items()}
    if any(argument.name == "device" for argument in schema.arguments):
        has_tensors = any(isinstance(value, torch.Tensor) for value in args)
        if not has_tensors or options.get("device") is not None:
            options["device"] = torch.device("meta")
    options.pop("pin_memory", None)
    options.pop("generator", None)
    try:
        results = operation(*map(moved, args), **options)
    except Exception:  # an operation whose result size depends on the values
        return 0
    results = results if isinstance(results, (list, tuple)) else [results]
    tensors = [result for result in results if isinstance(result, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _paths_of(names: Set[str]) -> Tuple[Set[str], Set[str]]:
    """
    Returns the absolute paths that the strings may mean, and those of them that may mean a folder
    with all its content. The latter exclude the folders that contain this program.
    """
    paths, trees = set(), set()
    for name in names:
        if name and "\0" not in name and len(name) < 4096 and not is_address(name):
            path = _absolute(name)
            paths.add(path)
            if "/" in name or os.sep in name:
                trees.add(path)
    # The locations of Python, the libraries and their caches.
    homes = [os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), *sys.path]
    homes += [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()]
    return paths, {tree for tree in trees if not any(_is_in(home, tree) for home in homes if home)}


def _absolute(name: str) -> str:
    return os.path.abspath(os.path.expanduser(name.removeprefix("file://")))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_address(name: str) -> bool:
    """Whether a string is a URL of another machine."""
    return "://" in name and not name.startswith("file://")


def _way_out() -> str:
    return (
        "If you trust it, override that key of the config (--overrides), or set "
        f"{PATHS_VARIABLE} to the folder"
    )


def _is_importing() -> bool:
    """Returns whether an import is in progress: an import may run a program to locate a library."""
    frame: Any = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


_WATCHING = False


def _watch() -> None:
    """Adds the hook with the first archive that is loaded. Python cannot remove an audit hook."""
    global _WATCHING
    if not _WATCHING:
        _WATCHING = True
        sys.addaudithook(_on_event)


def _on_event(event: str, arguments: Tuple[Any, ...]) -> None:
    restrictions = ACTIVE.get()
    if restrictions is not None:
        restrictions.check_event(event, arguments)
