"""Where the bytes of a data set come from: a file, perhaps compressed, or the embedded data."""

import gzip
import lzma
from io import BytesIO
from os import PathLike
from typing import BinaryIO, Callable, Dict, Union, cast

SYNTHETIC = "synthetic:"

# From the prefix of a path to what writes the data set that is meant, given path and layout.
_WRITERS: Dict[str, Callable[[str, str], str]] = {}

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"


def writes(prefix: str) -> Callable[[Callable[[str, str], str]], Callable[[str, str], str]]:
    """
    Says that the decorated function writes the data sets whose paths begin with `prefix`. It says
    so itself, since a writer stands on the formats, and the formats stand on this file.
    """

    def note(writer: Callable[[str, str], str]) -> Callable[[str, str], str]:
        _WRITERS[prefix] = writer
        return writer

    return note


def is_synthetic(path: Union[str, PathLike]) -> bool:
    """Whether `path` names the embedded data set, as in `"synthetic:size=2000,seed=1"`."""
    return str(path).startswith(SYNTHETIC)


def open_source(path: Union[str, PathLike], layout: str) -> BinaryIO:
    """
    Opens a data set as a stream of bytes. To be closed by the caller.

    # Parameters

    path : `Union[str, PathLike]`
        A file: plain, gzip or xz, told apart by its first bytes, never by its name. Or the
        embedded data set: `"synthetic:"` and its settings, for which no file is needed.
    layout : `str`
        The format in which the embedded data set is to be written: `"sdp"`, `"sdp2014"`,
        `"sdp_augmented"`, `"conllx"`, `"conllu"`, `"sst"`, `"sst_columns"` or `"sst_lines"`. A file
        is what it is.
    """
    if is_synthetic(path):
        return BytesIO(_WRITERS[SYNTHETIC](str(path), layout).encode("utf-8"))
    stream = open(path, "rb")
    start = stream.peek(len(XZ_MAGIC))
    if start.startswith(GZIP_MAGIC):
        stream.close()
        return cast(BinaryIO, gzip.open(path, "rb"))
    if start.startswith(XZ_MAGIC):
        stream.close()
        return cast(BinaryIO, lzma.open(path, "rb"))
    return stream
