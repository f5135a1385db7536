"""Where the bytes of a data set come from: a file, perhaps compressed, or the embedded data."""

import io
from os import PathLike
from typing import BinaryIO, Callable, Dict, Union

from spigot_allennlp.data.compression import decompressed

SYNTHETIC = "synthetic:"

# From the prefix of a path to what writes the data set that is meant, given path and layout.
_WRITERS: Dict[str, Callable[[str, str], str]] = {}


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

    A compressed stream is checked while it is read, to the end of the file: a checksum that is
    wrong, a file that was cut, and bytes behind the end of the compressed data are errors of the
    read that meets them, so that no reader has to look for them.

    # Parameters

    path : `Union[str, PathLike]`
        A file: plain, or compressed with gzip, bzip2, xz or, where Python 3.14 or the package
        `zstandard` is there, zstd, told apart by its first bytes, never by its name. Or the
        embedded data set: `"synthetic:"` and its settings, for which no file is needed.
    layout : `str`
        The format in which the embedded data set is to be written: `"sdp"`, `"sdp2014"`,
        `"sdp_augmented"`, `"conllx"`, `"conllu"`, `"sst"`, `"sst_columns"` or `"sst_lines"`. A file
        is what it is.

    # Raises

    `MalformedInputError`, here if the file is compressed in another way, and while the stream is
    read if it is damaged, or holds absurdly much (see `compression.py`).
    """
    if is_synthetic(path):
        return io.BytesIO(_WRITERS[SYNTHETIC](str(path), layout).encode("utf-8"))
    stream = open(path, "rb")
    try:
        return decompressed(stream, str(path))
    except BaseException:
        stream.close()
        raise


def read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """
    The next `size` bytes of a stream, or as many as there are. What is not there takes no memory,
    whatever `size` a header has asked for.
    """
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(size - len(content), 2**20))
        if not piece:
            break
        content += piece
    return content
