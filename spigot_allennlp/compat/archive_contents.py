"""
Checks the files of a model's archive: the config must be plain data, the weights complete, and the
vocabulary in proportion to the weights.
"""

import json
import logging
import os
import pickle
import pickletools
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, NamedTuple, Tuple, Union
from zipfile import ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from spigot_allennlp.compat.unpacking import Refused

logger = logging.getLogger(__name__)

DEEPEST, LONGEST_CONFIG = 100, 2**24
# A namespace may have entries without a row in any tensor, such as labels or lemmas, but only up to
# a limit. Entries with rows also need one: far more than the largest published vectors have (7
# million) would exhaust the memory.
ENTRIES_WITHOUT_ROWS, MOST_ENTRIES = 1_000_000, 20_000_000


class Weights(NamedTuple):
    """
    What the loader needs to know about the weights before it builds a model for them.

    # Parameters

    bytes, largest : `int`
        The size of all tensors, and of the largest, in bytes. Shared storage counts once.
    longest : `int`
        The longest dimension of any tensor: no namespace of the vocabulary has more rows.
    number : `int`
        The number of tensors.
    dtypes : `Dict[str, Any]`
        The dtype of each tensor.
    """

    bytes: int
    largest: int
    longest: int
    number: int
    dtypes: Dict[str, Any]


def read_config(path: str) -> Dict[str, Any]:
    """
    The config of an archive, read as plain JSON, which is what AllenNLP writes. AllenNLP itself
    reads it as Jsonnet, which can read files and environment variables, and can run forever.

    # Raises

    `Refused`
        If there is no such file, it is not a JSON object, or it is too large or too deep for a
        config.
    """
    name = os.path.basename(path)
    try:
        if os.path.getsize(path) > LONGEST_CONFIG:
            raise Refused(f"{name} in it has more than {LONGEST_CONFIG} bytes")
        text = Path(path).read_text(encoding="utf-8")
        config = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_constant=_refuse_constant,
            parse_float=_number,
        )
    except OSError as error:
        raise Refused(f"it has no {name} that can be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise Refused(
            f"{name} in it is not the plain JSON that AllenNLP writes ({str(error)[:200]}). "
            "Jsonnet is not evaluated there: evaluate it once, and pack what comes out"
        ) from error
    if not isinstance(config, dict):
        raise Refused(f"{name} in it is no JSON object, but a {type(config).__name__}")
    if any(depth > DEEPEST for depth, _ in values_of(config)):
        raise Refused(f"{name} in it is nested more than {DEEPEST} deep")
    return config


def values_of(config: Any) -> Iterator[Tuple[int, Any]]:
    """All strings, numbers and keys in a config, with the depth of each."""
    waiting = [(0, config)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, dict):
            waiting.extend((depth + 1, part) for pair in value.items() for part in pair)
        elif isinstance(value, (list, tuple)):
            waiting.extend((depth + 1, part) for part in value)


def _without_doubles(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {double[:100]!r} is there twice")
    return dict(pairs)


def _number(text: str) -> Union[int, float]:
    """
    Jsonnet writes 2.0 as 2, which AllenNLP then takes for an `int`. This keeps that behaviour.
    """
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e17 else number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def check_vocabulary(folder: str, weights: Weights) -> None:
    """
    Checks, before any word is read, that the weights have enough rows for the vocabulary.

    # Raises

    `Refused`
        If there is no vocabulary, or a namespace has more than a million entries, and more than the
        weights have rows.
    """
    if not os.path.isdir(folder):
        raise Refused(f"it has no folder {os.path.basename(folder)}")
    most = max(ENTRIES_WITHOUT_ROWS, min(weights.longest, MOST_ENTRIES))
    for file in filter(Path.is_file, sorted(Path(folder).rglob("*"))):
        entries = 0
        with open(file, "rb") as lines:
            while block := lines.read(2**20):
                entries += block.count(b"\n")
        if entries > most:
            raise Refused(
                f"its vocabulary {file.name[:100]!r} has {entries} entries, and no tensor of its "
                f"weights has more than {weights.longest} rows"
            )


def read_weights(path: str, archive: str) -> Weights:
    """
    Reads the weights once, as data, in no more memory than the size of the file.

    A warning names tensors with values that are not finite: a model can run with them, but its
    output is meaningless.

    # Raises

    `Refused`
        If the file is damaged, is not a dictionary of tensors, asks to run code, or asks for
        tensors that are larger than the file.
    """
    import torch

    name = os.path.basename(path)
    try:
        _check_pickles(path)
        # For a zip file, torch then maps the file into memory, and reads only what is used.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
        if not isinstance(state, Mapping):
            raise Refused(f"{name} in it is no dictionary of tensors, but a {type(state).__name__}")
        tensors = {key: value for key, value in state.items() if torch.is_tensor(value)}
        sizes: Dict[int, int] = {}
        not_finite = []
        for key, tensor in tensors.items():
            storage = _storage_of(str(key), tensor)
            sizes[storage.data_ptr()] = storage.nbytes()
            if tensor.dtype.is_floating_point and not torch.isfinite(tensor).all():
                not_finite.append(key)
    except Refused:
        raise
    except FileNotFoundError as error:
        raise Refused(f"it has no {name}") from error
    except Exception as error:  # the many errors of pickle, zipfile and torch
        # For objects that are not tensors, torch's message tells how to load them anyway.
        is_code = isinstance(error, pickle.UnpicklingError)
        reason = str(error).partition("\n")[0][:200]
        raise Refused(
            f"{name} in it is damaged, or holds more than weights"
            + ("" if is_code else f" ({type(error).__name__}: {reason})")
        ) from error
    if not_finite:
        logger.warning(
            "%s: of its weights %d have values that are not finite (NaN or infinity): %s%s. What "
            "this model predicts means nothing. Take the weights of an epoch before.",
            *(archive, len(not_finite), ", ".join(map(str, not_finite[:3]))),
            ", ..." if len(not_finite) > 3 else "",
        )
    return Weights(
        bytes=sum(sizes.values()),
        largest=max(sizes.values(), default=0),
        longest=max((side for tensor in tensors.values() for side in tensor.shape), default=0),
        number=len(tensors),
        dtypes={key: tensor.dtype for key, tensor in tensors.items()},
    )


def _storage_of(name: str, tensor: Any) -> Any:
    """The storage of a tensor, which must hold all of its numbers."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
        raise Refused(f"the tensor {name[:100]} in it has no numbers of its own")
    storage = tensor.untyped_storage()
    if tensor.numel() * tensor.element_size() > max(storage.nbytes(), 2**20):
        raise Refused(f"the tensor {name[:100]} in it is larger than its numbers")
    return storage


def _check_pickles(path: str) -> None:
    """Checks that no size in a pickle is larger than its file, before torch makes the tensors."""
    size = os.path.getsize(path)
    if not is_zipfile(path):  # as torch wrote it before 1.6
        if tarfile.is_tarfile(path):
            raise Refused("its weights are in a format that torch gave up in 2017")
        with open(path, "rb") as file:
            for number in range(5):  # a mark, the version, the sizes of numbers, tensors, names
                _check_numbers(file, size, counts=number > 2)
        return
    with ZipFile(path) as packed:
        members = packed.infolist()
        is_packed = any(member.compress_type != ZIP_STORED for member in members)
        if is_packed or sum(member.file_size for member in members) > size:
            raise BadZipFile("larger than its file")
        for member in members:
            if member.filename.endswith(".pkl"):
                with packed.open(member) as data:
                    _check_numbers(data, size, counts=True)  # type: ignore[arg-type]


def _check_numbers(pickled: BinaryIO, size: int, counts: bool) -> None:
    for operation, argument, _ in pickletools.genops(pickled):
        if counts and isinstance(argument, int) and argument > size:
            if "PUT" not in operation.name and "GET" not in operation.name:
                raise Refused("its weights ask for a tensor that is larger than their file")
