"""Where the bytes of a data set come from: a file, perhaps compressed, or the embedded data."""

import bz2
import io
import lzma
import zlib
from contextlib import suppress
from importlib import import_module
from os import PathLike
from typing import Any, BinaryIO, Callable, Dict, NamedTuple, Optional, Tuple, Type, Union, cast

from spigot_allennlp.data.errors import Fault, MalformedInputError

SYNTHETIC = "synthetic:"

# From the prefix of a path to what writes the data set that is meant, given path and layout.
_WRITERS: Dict[str, Callable[[str, str], str]] = {}

#: So many bytes are decompressed from however few. Of more, each must come of at least one
#: `LARGEST_RATIO`-th of a compressed byte: text comes of a tenth, a file of zeros of far less.
UNSUSPECTED, LARGEST_RATIO = 2**26, 500

_BUFFER = 2**16
# What a decompressor of xz may take: what `xz -9` asks for is 65 MiB.
_LZMA_MEMORY = 2**28


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
    read if it is damaged, or holds absurdly much (`UNSUSPECTED`).
    """
    if is_synthetic(path):
        return io.BytesIO(_WRITERS[SYNTHETIC](str(path), layout).encode("utf-8"))
    stream = open(path, "rb")
    try:
        start = stream.peek(_LONGEST_MAGIC)
        compression = next((known for known in _COMPRESSIONS if known.begins(start)), None)
        if compression is None:
            return stream
        if compression.decompressor is None:
            raise MalformedInputError(
                str(path), None, Fault.UNREAD_COMPRESSION, f"it is {compression.description}"
            )
        decompressed = _Decompressed(stream, str(path), compression)
        return cast(BinaryIO, io.BufferedReader(decompressed, _BUFFER))
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


class _Gzip:
    """A decompressor of gzip with the interface of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        waiting = self._decompressor.unconsumed_tail
        return self._decompressor.decompress(waiting + data if waiting else data, max_length)

    @property
    def needs_input(self) -> bool:
        return not self._decompressor.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data


class _Zstandard:
    """The same of the package `zstandard`, whose own gives all that its input holds at once."""

    def __init__(self) -> None:
        self._decompressor: Any = import_module("zstandard").ZstdDecompressor().decompressobj()
        self._waiting = self._content = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        self._waiting += data
        while self._waiting and not (self._content or self._decompressor.eof):
            self._content = self._decompressor.decompress(self._waiting[:1024])
            self._waiting = self._waiting[1024:]
        content, self._content = self._content[:max_length], self._content[max_length:]
        return content

    @property
    def needs_input(self) -> bool:
        return not (self._content or self._waiting)

    @property
    def eof(self) -> bool:
        return self._decompressor.eof and not self._content

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data + self._waiting


_DAMAGE: Tuple[Type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)
_zstd_decompressor: Optional[Callable[[], Any]] = None
with suppress(ImportError):
    _DAMAGE += (import_module("zstandard").ZstdError,)
    _zstd_decompressor = _Zstandard
with suppress(ImportError):
    _zstd_decompressor = import_module("compression.zstd").ZstdDecompressor
    _DAMAGE += (import_module("compression.zstd").ZstdError,)


class _Compression(NamedTuple):
    """
    # Parameters

    magics : `Tuple[bytes, ...]`
        How a file may begin.
    description : `str`
        What an error says of it.
    decompressor : `Callable[[], Any]`, optional
        Makes an object with the interface of `bz2.BZ2Decompressor`; `None` if it is not read here.
    padding : `bytes`
        What may follow the data, any number of times.
    """

    magics: Tuple[bytes, ...]
    description: str
    decompressor: Optional[Callable[[], Any]] = None
    padding: bytes = b""

    def begins(self, start: bytes) -> bool:
        return start.startswith(self.magics)


def _xz_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY)


# The level, and then either a block or the end of what is empty.
_BZIP2_MAGICS = tuple(
    b"BZh%d" % level + block
    for level in range(1, 10)
    for block in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
)
_COMPRESSIONS = (
    _Compression((b"\x1f\x8b",), "gzip", _Gzip, padding=b"\0"),
    _Compression((b"\xfd7zXZ\x00",), "xz", _xz_decompressor, padding=b"\0"),
    _Compression(_BZIP2_MAGICS, "bzip2", bz2.BZ2Decompressor),
    _Compression(
        (b"\x28\xb5\x2f\xfd",),
        "zstd, for which a package is missing (pip install zstandard; or: zstd -d FILE)",
        _zstd_decompressor,
    ),
    _Compression((b"PK\3\4", b"PK\5\6"), "a zip archive (unzip FILE)"),
    _Compression((b"7z\xbc\xaf\x27\x1c",), "a 7z archive (7z x FILE)"),
    _Compression((b"Rar!\x1a\x07",), "a rar archive (unrar x FILE)"),
    _Compression((b"\x04\x22\x4d\x18",), "lz4 (lz4 -d FILE)"),
    _Compression((b"\x1f\x9d",), "compress (uncompress FILE)"),
    _Compression((b"LZIP\1",), "lzip (lzip -d FILE)"),
    _Compression((b"\x5d\0\0",), "lzma (xz -d --format=lzma FILE)"),
)
_LONGEST_MAGIC = max(len(magic) for known in _COMPRESSIONS for magic in known.magics)


class _Decompressed(io.RawIOBase):
    """
    The content of a compressed file, which may consist of several streams, one after the other.

    The decompressors are called here, and not the files of `gzip`, `bz2` and `lzma`: the latter two
    take whatever follows a stream, if it is damaged, for the end of the file.
    """

    def __init__(self, stream: BinaryIO, path: str, compression: _Compression) -> None:
        assert compression.decompressor is not None
        self._stream = stream
        self._path = path
        self._compression = compression
        self._new = compression.decompressor
        self._decompressor = self._new()
        self._num_in = self._num_out = 0
        # Read from the file, but not yet given to the decompressor.
        self._waiting = b""
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        content = b""
        while not (content or self._is_at_end):
            try:
                content = self._next(len(buffer))
            except _DAMAGE as error:
                if getattr(error, "errno", None):  # of the device, not of what lies on it
                    raise
                raise self._damage(str(error)) from error
        buffer[: len(content)] = content
        self._num_out += len(content)
        if self._num_out > max(UNSUSPECTED, LARGEST_RATIO * self._num_in):
            detail = f"{self._num_in} compressed bytes hold more than {self._num_out}"
            raise MalformedInputError(self._path, None, Fault.TOO_LARGE, detail)
        return len(content)

    def _next(self, size: int) -> bytes:
        """What is next, perhaps nothing. At the end of the file it notes that it is there."""
        if self._decompressor.eof:
            self._waiting = self._after_a_stream(self._decompressor.unused_data)
            if self._is_at_end:
                return b""
            self._decompressor = self._new()
        data, self._waiting = self._waiting, b""
        is_exhausted = False
        if not data and self._decompressor.needs_input:
            data = self._read()
            is_exhausted = not data
        content = self._decompressor.decompress(data, size)
        if is_exhausted and not (content or self._decompressor.eof):
            raise EOFError("it ends before the compressed data do")
        return content

    def _after_a_stream(self, data: bytes) -> bytes:
        """The beginning of the stream that follows, without padding. Or else this is the end."""
        while True:
            data = data.lstrip(self._compression.padding) if self._compression.padding else data
            longest = max(map(len, self._compression.magics))
            more = self._read() if len(data) < longest else b""
            if not more:
                break
            data += more
        if data and not self._compression.begins(data):
            raise OSError(f"{data[:8].hex(' ')} where the compressed data should end")
        self._is_at_end = not data
        return data

    def _read(self) -> bytes:
        data = self._stream.read(_BUFFER)
        self._num_in += len(data)
        return data

    def _damage(self, reason: str) -> MalformedInputError:
        detail = f"reading {self._compression.description.split(',')[0]} stopped here ({reason})"
        place = f"byte {self._num_out + 1} of its content"
        return MalformedInputError(self._path, place, Fault.DAMAGED_ARCHIVE, detail)
