"""Sources of the bytes of a data set: files, perhaps compressed, or data made in memory."""

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
        The name in errors: the path of a file, or the specification of an embedded data set.
    open : `Callable[[], BinaryIO]`
        Opens the source at its beginning, as a stream that the caller must close.
    """

    name: str
    open: Callable[[], BinaryIO]


#: What macOS adds beside a file on foreign disks and in archives, before the name of the file.
APPLE_DOUBLE = "._"

#: The input of the text formats: a `Source`, or the path of a file, which `as_source` converts.
PathOrSource = Union[str, PathLike, Source]


def as_source(source: PathOrSource) -> Source:
    """
    Returns a source itself, or the source for the path of a file. The content of a pipe or a device
    is read when first needed, and kept.
    """
    if isinstance(source, Source):
        return source
    if os.path.exists(source) and not os.path.isfile(source) and not os.path.isdir(source):
        return kept_source(str(source), Path(source).read_bytes)
    return Source(str(source), partial(open_file, source))


def kept_source(name: str, read: Callable[[], bytes]) -> Source:
    """
    Returns a source for bytes that can be read only once, perhaps compressed.

    # Parameters

    name : `str`
        The name in errors.
    read : `Callable[[], bytes]`
        Returns all bytes. It is called once, when the source is first opened.
    """
    content = cache(read)

    def open_content() -> BinaryIO:
        stream: Any = BufferedReader(BytesIO(content()))  # type: ignore[arg-type]
        return decompressed(stream, name)

    return Source(name, open_content)


def open_file(path: Union[str, PathLike]) -> BinaryIO:
    """
    Opens a file as a byte stream, which the caller must close.

    A compressed file is decompressed while it is read, and checked to its end: a wrong checksum, a
    truncated file, and bytes after the end of the compressed data raise an error when they are
    read, so no reader has to check for them.

    # Parameters

    path : `Union[str, PathLike]`
        A file: plain, or compressed with gzip, bzip2, xz or, with Python 3.14 or the package
        `zstandard`, zstd. The format is detected by the first bytes, never by the name.

    # Raises

    `MalformedInputError` if the file is compressed in another way. Reading the stream raises it
    too, if the file is damaged, or its content is absurdly large (see `compression.py`).
    """
    stream = open(path, "rb")
    try:
        return decompressed(stream, str(path))
    except BaseException:
        stream.close()
        raise


def read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """
    Reads the next `size` bytes of a stream, or all that are left. Memory is only used for bytes
    that exist, whatever `size` a header asks for.
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
    Yields the members of a tar archive in order. `tarfile` itself raises many kinds of errors for
    damaged headers, and loops forever at a negative size.

    # Raises

    `tarfile.ReadError` if it is not an archive, `MalformedInputError` at a damaged header.
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
