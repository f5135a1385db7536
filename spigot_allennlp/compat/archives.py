"""
Patches for loading archives, which AllenNLP trusts like the user's own programs.

An archive from elsewhere is unpacked inside its folder (`unpacking`), read as data
(`archive_contents`), and turned into objects under restrictions (`restrictions`). What is not
packed loads as before: a config that the user starts, and the folder of the user's own run.
"""

import contextlib
import copy
import functools
import json
import logging
import os
import shutil
import sys
import tarfile
import tempfile
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Dict, Iterator, Optional, Tuple
from zipfile import ZipFile

from spigot_allennlp.compat.archive_contents import (
    Weights,
    check_vocabulary,
    read_config,
    read_weights,
    values_of,
)
from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.compat.restrictions import (
    ACTIVE,
    HUB,
    Restrictions,
    allocations_for,
    is_address,
    restricted,
)
from spigot_allennlp.compat.unpacking import Refused, unpack, unpack_zip

logger = logging.getLogger(__name__)

# The archives that are being loaded, each inside the previous one. No real archive nests this deep.
LOADING: ContextVar[Tuple[str, ...]] = ContextVar("loading", default=())
DEEPEST = 10


@patch(
    "allennlp.models.archival",
    since="AllenNLP 2.10.1 itself: an archive writes where it likes, runs what its config names, "
    "takes all memory, and is loaded though it is damaged; messages do not name it",
    until="AllenNLP loads archives as data",
)
def archives_are_loaded_as_data(module: Any) -> Iterator[None]:
    yield
    load, extract = module.load_archive, module.extracted_archive

    @functools.wraps(load)
    def load_archive(
        archive_file: Any,
        cuda_device: int = -1,
        overrides: Any = "",
        weights_file: Optional[str] = None,
    ) -> Any:
        outer = ACTIVE.get()
        path = module.cached_path(archive_file) if outer is None else _path_within(archive_file)
        with _named(archive_file, module), _not_within_itself(path), restricted(None):
            if os.path.isdir(path) and outer is None:
                return load(archive_file, cuda_device, overrides, weights_file)
            logger.info("loading archive file %s", archive_file)
            with contextlib.ExitStack() as stack:
                folder = path
                if not os.path.isdir(path):
                    folder = stack.enter_context(_extracted(path))
                return _load(
                    module, archive_file, folder, cuda_device, overrides or "", weights_file
                )

    @functools.wraps(extract)
    @contextlib.contextmanager
    def extracted_archive(resolved_archive_file: Any, cleanup: bool = True) -> Iterator[str]:
        with contextlib.ExitStack() as stack:
            with _named(resolved_archive_file, module):
                folder = stack.enter_context(_extracted(str(resolved_archive_file)))
            if not cleanup:
                stack.pop_all()
            yield folder

    _replace(load, load_archive)
    _replace(extract, extracted_archive)


@patch(
    "allennlp.common.registrable",
    since="AllenNLP 2.10.1 itself: it imports and calls whatever a config names by a dotted name",
    until="AllenNLP loads archives as data",
)
def archives_name_classes_of_the_kind_that_is_asked_for(module: Any) -> Iterator[None]:
    yield
    resolve = module.Registrable.resolve_class_name.__func__

    @functools.wraps(resolve)
    def resolve_class_name(cls: Any, name: str) -> Any:
        restrictions = ACTIVE.get()
        registered: Dict[str, Any] = module.Registrable._registry.get(cls, {})
        if restrictions and name in restrictions.names and name not in registered and "." in name:
            return restrictions.class_for(cls, name, registered), None
        return resolve(cls, name)

    module.Registrable.resolve_class_name = classmethod(resolve_class_name)


@patch(
    "allennlp.common.params",
    since="AllenNLP 2.10.1 itself: it makes objects of an archive's config after it was loaded, "
    "too, such as the data loader of `allennlp evaluate`",
    until="AllenNLP loads archives as data",
)
def params_know_that_they_are_of_an_archive(module: Any) -> Iterator[None]:
    yield

    class ArchivedParams(module.Params):
        """The config of an archive, or part of one."""

        __module__, __qualname__ = module.__name__, "ArchivedParams"

        def __init__(
            self,
            params: Dict[str, Any],
            history: str = "",
            restrictions: Optional[Restrictions] = None,
        ) -> None:
            super().__init__(params, history)
            self.restrictions = restrictions

        def _check_is_dict(self, new_history: Any, value: Any) -> Any:
            if isinstance(value, dict):
                return ArchivedParams(value, f"{self.history}{new_history}.", self.restrictions)
            if isinstance(value, list):
                parts = enumerate(value)
                return [self._check_is_dict(f"{new_history}.{i}", part) for i, part in parts]
            return value

    module.ArchivedParams = ArchivedParams


@patch(
    "allennlp.common.from_params",
    since="AllenNLP 2.10.1 itself, as for its params",
    until="AllenNLP loads archives as data",
)
def what_is_made_of_archived_params_is_restricted(module: Any) -> Iterator[None]:
    yield
    make = module.FromParams.from_params.__func__

    @functools.wraps(make)
    def from_params(cls: Any, params: Any, *arguments: Any, **extras: Any) -> Any:
        restrictions = getattr(params, "restrictions", None)
        if restrictions is None or ACTIVE.get() is not None:
            return make(cls, params, *arguments, **extras)
        try:
            with restricted(restrictions):
                return make(cls, params, *arguments, **extras)
        except Refused as refused:
            raise plain_error(f"{restrictions.archive} cannot be used: {refused}.") from refused

    module.FromParams.from_params = classmethod(from_params)


@patch(
    "allennlp.common.file_utils",
    since="cached-path 1: `archive!file` unpacks as tarfile does, without an end to its size, and "
    "not up to its checksum; AllenNLP fetches whatever the config of an archive names",
    until="cached-path limits the size, and reads to the end",
)
def archives_are_cached_as_safely_as_they_are_loaded(module: Any) -> Iterator[None]:
    yield
    package, inner = module._cached_path, sys.modules["cached_path._cached_path"]
    cached_path = package.cached_path

    @functools.wraps(cached_path)
    def checked_path(url_or_filename: Any, *arguments: Any, **options: Any) -> Any:
        restrictions = ACTIVE.get()
        if restrictions is not None:
            restrictions.check_resource(str(url_or_filename))
        try:
            return cached_path(url_or_filename, *arguments, **options)
        except Refused as refused:
            if restrictions is not None:
                raise
            raise plain_error(f"{url_or_filename} cannot be read: {refused}.") from refused

    package.cached_path = checked_path
    inner.tarfile = _Tarfile  # type: ignore[attr-defined]
    inner.check_tarfile = lambda file: None  # type: ignore[attr-defined]
    inner.ZipFile = _Zip  # type: ignore[attr-defined]


@patch(
    "allennlp.tools.archive_surgery",
    since="AllenNLP 2.10.1 itself: unpacks as tarfile does",
    until="AllenNLP loads archives as data",
)
def archives_are_unpacked_safely_for_surgery(module: Any) -> Iterator[None]:
    yield
    module.tarfile = _Tarfile


@patch(
    "allennlp.models.model",
    since="AllenNLP 2.10.1 itself: files of vectors and initializers are not needed for what has "
    "weights, but are read where they stand in a list",
    until="remove_keys_from_params looks into lists",
)
def weights_need_no_initial_values_in_lists_either(module: Any) -> Iterator[None]:
    yield
    remove = module.remove_keys_from_params

    @functools.wraps(remove)
    def remove_keys(params: Any, *keys: Any) -> None:
        parts = params if isinstance(params, list) else []
        if isinstance(params, module.Params):
            remove(params, *keys)
            parts = list(params.values())
        for part in parts:
            remove_keys(part, *keys)

    module.remove_keys_from_params = remove_keys


class _Zip(ZipFile):
    def extractall(self, path: Any = None, *arguments: Any, **options: Any) -> None:
        unpack_zip(str(self.filename), str(path))


class _Tar:
    """The part of an open tar archive that AllenNLP and cached_path use: unpacking it."""

    def __init__(self, path: Any) -> None:
        self._path = str(path)

    def __enter__(self) -> "_Tar":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def extractall(self, folder: Any) -> None:
        unpack(self._path, str(folder), members=None)


def _open_tar(path: Any, mode: str = "r", **options: Any) -> Any:
    return _Tar(path) if mode.startswith("r") else tarfile.open(path, mode, **options)  # type: ignore


# Stands for the module `tarfile`.
_Tarfile = SimpleNamespace(is_tarfile=tarfile.is_tarfile, open=_open_tar)


def _load(
    module: Any, archive: Any, folder: str, cuda_device: int, overrides: Any, weights_file: Any
) -> Any:
    """Does what AllenNLP's `load_archive` does, for an archive that is unpacked in a folder."""
    from allennlp.common import params

    archived = read_config(os.path.join(folder, module.CONFIG_NAME))
    parsed_overrides = params.parse_overrides(
        json.dumps(overrides) if isinstance(overrides, dict) else overrides
    )
    config = copy.deepcopy(archived)
    if parsed_overrides:
        config = params.with_overrides(archived, parsed_overrides)
    restrictions = Restrictions(str(archive), archived, parsed_overrides, folder)
    _check_remote_code(config, parsed_overrides, restrictions)
    config = params.ArchivedParams(  # type: ignore[attr-defined]
        config, restrictions=Restrictions(str(archive), archived, parsed_overrides)
    )
    weights_path = weights_file or module.get_weights_path(folder)
    weights = read_weights(weights_path, str(archive))
    check_vocabulary(os.path.join(folder, "vocabulary"), weights)
    try:
        with restricted(restrictions), allocations_for(weights, restrictions):
            reader, validation_reader = module._load_dataset_readers(config.duplicate(), folder)
            model = module._load_model(config.duplicate(), weights_path, folder, cuda_device)
    except Exception as error:
        if restrictions.first_refused is None:
            raise
        raise restrictions.first_refused from error
    _check_types(model, weights)
    meta_path = os.path.join(folder, module.META_NAME)
    meta = module.Meta.from_path(meta_path) if os.path.exists(meta_path) else None
    if meta is not None:
        module._check_version_compatibility(archive, meta)
    return module.Archive(
        model=model,
        config=config,
        dataset_reader=reader,
        validation_dataset_reader=validation_reader,
        meta=meta,
    )


@contextlib.contextmanager
def _extracted(path: str) -> Iterator[str]:
    folder = tempfile.mkdtemp()
    try:
        logger.info("extracting archive file %s to temp dir %s", path, folder)
        unpack(path, folder)
        config_file = os.path.join(folder, "config.json")
        if os.path.exists(config_file):
            read_config(config_file)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _named(archive: Any, module: Any) -> Iterator[None]:
    """Makes every error raised inside name the archive."""
    try:
        yield
    except Refused as refused:
        raise plain_error(f"{archive} cannot be loaded: {refused}.") from refused
    except Exception as error:
        is_ours = isinstance(error, module.ConfigurationError)
        is_missing = isinstance(error, FileNotFoundError)
        kind = "" if is_ours or is_missing else f"{type(error).__name__}: "
        reason = str(error) if len(str(error)) <= 1000 else f"{str(error)[:1000]} ..."
        if "--include-package" in str(error):
            reason += " In Python, import the module of the class before."
        named = module.ConfigurationError(f"{archive} cannot be loaded: {kind}{reason}")
        vars(named)["is_plain"] = is_missing or getattr(error, "is_plain", False)
        raise named from error


@contextlib.contextmanager
def _not_within_itself(path: str) -> Iterator[None]:
    real, around = os.path.realpath(path), LOADING.get()
    if real in around:
        raise Refused("its config names the archive itself, or another that names it")
    if len(around) >= DEEPEST:
        raise Refused(f"it is the last of {DEEPEST} archives, the one within the other")
    token = LOADING.set((*around, real))
    try:
        yield
    finally:
        LOADING.reset(token)


def _path_within(archive_file: Any) -> str:
    """
    The path of an archive that the config of another names: a file on this machine. It is loaded
    under the same rules, so it can do nothing that the first could not do.
    """
    restrictions, name = ACTIVE.get(), str(archive_file)
    assert restrictions is not None
    if name not in restrictions.names or name.startswith(HUB):
        with restricted(None):
            from allennlp.common.file_utils import cached_path

            return cached_path(name)
    if is_address(name):
        restrictions.refuse(
            f"its config asks for the archive {name[:200]!r} of another machine. If you trust it, "
            "override that key of the config (--overrides)"
        )
    path = os.path.expanduser(name.removeprefix("file://"))
    if not os.path.exists(path):
        raise FileNotFoundError(f"file {name} not found, which its config names")
    return path


def _check_remote_code(config: Any, overrides: Any, restrictions: Restrictions) -> None:
    """Refuses the option that makes transformers run the code that comes with a model."""
    option = "trust_remote_code"
    if any(str(key).endswith(option) for _, key in values_of(overrides)):
        return
    if any(isinstance(part, dict) and part.get(option) for _, part in values_of(config)):
        restrictions.refuse(
            f"its config asks for {option}, which runs code from a server. If you trust it, give "
            "that key by --overrides"
        )


def _check_types(model: Any, weights: Weights) -> None:
    for name, tensor in model.state_dict().items():
        kind = weights.dtypes.get(name, tensor.dtype)
        if kind is not tensor.dtype:
            raise Refused(
                f"its weights have {name} as {kind}, and the model as {tensor.dtype}. Convert it, "
                "and pack the archive again"
            )


def _replace(original: Any, by: Any) -> None:
    """
    Replaces a function everywhere AllenNLP has imported it. Without the startup hook, those imports
    came first.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("allennlp", "allennlp_models"):
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, by)
