"""Where the bytes of a data set come from: files, perhaps compressed, or data made in memory."""

import os
import tarfile
from functools import cache, partial
from io import BufferedReader, BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, NamedTuple, Union

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.compression import decompressed


class Source(NamedTuple):
    """
    Bytes that can be read more than once.

    # Parameters

    name : `str`
        What errors call it: the path of a file, or the specification of an embedded data set.
    open : `Callable[[], BinaryIO]`
        Opens it at its beginning, as a stream to be closed by the caller.
    """

    name: str
    open: Callable[[], BinaryIO]


#: What macOS leaves beside a file on foreign disks and in archives, under the file's own name.
APPLE_DOUBLE = "._"

#: What the text formats read: a `Source`, or the path of a file, which `as_source` makes one.
PathOrSource = Union[str, PathLike, Source]


def as_source(source: PathOrSource) -> Source:
    """
    Returns the source itself, or that of the file whose path it is. What a pipe or a device holds
    is read when it is needed first, and kept.
    """
    if isinstance(source, Source):
        return source
    if os.path.exists(source) and not os.path.isfile(source) and not os.path.isdir(source):
        return kept_source(str(source), Path(source).read_bytes)
    return Source(str(source), partial(open_file, source))


def kept_source(name: str, read: Callable[[], bytes]) -> Source:
    """
    Returns the source of bytes that can be read once, perhaps compressed.

    # Parameters

    name : `str`
        What errors call it.
    read : `Callable[[], bytes]`
        Returns all of them. It is called once, when the source is opened first.
    """
    content = cache(read)

    def open_content() -> BinaryIO:
        stream: Any = BufferedReader(BytesIO(content()))  # type: ignore[arg-type]
        return decompressed(stream, name)

    return Source(name, open_content)


def open_file(path: Union[str, PathLike]) -> BinaryIO:
    """
    Opens a file as a stream of bytes, to be closed by the caller.

    A compressed file is decompressed while it is read, and checked to its end: a wrong checksum, a
    file that was cut, and bytes behind the end of the compressed data are errors of the read that
    meets them, so that no reader has to look for them.

    # Parameters

    path : `Union[str, PathLike]`
        A file: plain, or compressed with gzip, bzip2, xz or, where Python 3.14 or the package
        `zstandard` is there, zstd; known by its first bytes, never by its name.

    # Raises

    `MalformedInputError`, here if the file is compressed in another way, and while the stream is
    read if it is damaged, or holds absurdly much (see `compression.py`).
    """
    stream = open(path, "rb")
    try:
        return decompressed(stream, str(path))
    except BaseException:
        stream.close()
        raise


def read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """
    Reads the next `size` bytes of a stream, or as many as there are. What is not there takes no
    memory, whatever `size` a header has asked for.
    """
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(size - len(content), 2**20))
        if not piece:
            break
        content += piece
    return content


def tar_members(archive: tarfile.TarFile, path: str) -> Iterator[tarfile.TarInfo]:
    """
    Yields the members of a tar archive in their order. `tarfile` alone has errors of many kinds for
    damaged headers, and loops forever at a size below zero.

    # Raises

    `tarfile.ReadError` if it is no archive, `MalformedInputError` at a damaged header.
    """
    last = -1
    while True:
        place = f"byte {archive.offset + 1} of the archive"
        try:
            member = archive.next()
        except tarfile.ReadError:
            raise
        except (
            tarfile.TarError,
            ValueError,
            ArithmeticError,
            LookupError,
            RecursionError,
        ) as error:
            detail = f"a header that cannot be read ({str(error)[:200]})"
            raise MalformedInputError(path, place, Fault.TAR, detail) from error
        if member is None:
            return
        if member.size < 0 or member.offset <= last:
            detail = f"a header that says its member has {member.size} bytes"
            raise MalformedInputError(path, place, Fault.TAR, detail)
        last = member.offset
        yield member
