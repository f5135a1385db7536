"""Decompresses files while reading: detects the format by the first bytes, and checks the end."""

import bz2
import io
import lzma
import zlib
from contextlib import suppress
from importlib import import_module
from pathlib import PurePath
from typing import Any, BinaryIO, Callable, NamedTuple, Optional, Tuple, Type, cast

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault

#: A file of any size may decompress to this many bytes. Beyond that, it may decompress to at most
#: `LARGEST_RATIO` times its size: text has a ratio of about 10, a file of zeros a far larger one.
UNSUSPECTED, LARGEST_RATIO = 2**26, 500

#: The suffixes of files that `decompressed` reads.
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")

_BUFFER = 2**16
# The memory limit for decompressing xz. `xz -9` needs 65 MiB.
_LZMA_MEMORY = 2**28


def format_suffix(name: str) -> str:
    """Returns the last suffix of a file name that is not one of `SUFFIXES`; "" if there is none."""
    suffixes = [suffix for suffix in PurePath(name).suffixes if suffix not in SUFFIXES]
    return suffixes[-1] if suffixes else ""


def decompressed(stream: BinaryIO, path: str) -> BinaryIO:
    """
    Returns the content of a file that is open at its start: decompressed from gzip, bzip2, xz or
    zstd, as detected by its first bytes, or the `stream` itself.

    # Raises

    `MalformedInputError` if the file is compressed in another way. Reading the content raises it
    too, if the file is damaged, or its content is absurdly large (`UNSUSPECTED`).
    """
    start = cast(io.BufferedReader, stream).peek(_LONGEST_MAGIC)
    compression = next((known for known in _COMPRESSIONS if known.begins(start)), None)
    if compression is None:
        return stream
    if compression.decompressor is None:
        detail = f"it is {compression.description}"
        raise MalformedInputError(path, None, Fault.UNREAD_COMPRESSION, detail)
    return cast(BinaryIO, io.BufferedReader(_Decompressed(stream, path, compression), _BUFFER))


class _Gzip:
    """Decompresses gzip, with the interface of the decompressors of bz2 and lzma."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        tail = self._decompressor.unconsumed_tail
        return self._decompressor.decompress(tail + data if tail else data, max_length)

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
    """
    Decompresses zstd with the package `zstandard`. The package's own object returns all content of
    its input at once, and cannot be limited to `max_length` bytes.
    """

    def __init__(self) -> None:
        self._decompressor: Any = import_module("zstandard").ZstdDecompressor().decompressobj()
        self._pending = self._content = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        self._pending += data
        while self._pending and not (self._content or self._decompressor.eof):
            self._content = self._decompressor.decompress(self._pending[:1024])
            self._pending = self._pending[1024:]
        content, self._content = self._content[:max_length], self._content[max_length:]
        return content

    @property
    def needs_input(self) -> bool:
        return not (self._content or self._pending)

    @property
    def eof(self) -> bool:
        return self._decompressor.eof and not self._content

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data + self._pending


_DAMAGE: Tuple[Type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)
_zstd_decompressor: Optional[Callable[[], Any]] = None
with suppress(ImportError):
    _DAMAGE += (import_module("zstandard").ZstdError,)
    _zstd_decompressor = _Zstandard
with suppress(ImportError):
    _zstd_decompressor = import_module("compression.zstd").ZstdDecompressor
    _DAMAGE += (import_module("compression.zstd").ZstdError,)


class Compression(NamedTuple):
    """
    A compression format, which is read here or only named in an error.

    # Parameters

    magics : `Tuple[bytes, ...]`
        The possible first bytes of a file.
    description : `str`
        The name of the format in errors.
    decompressor : `Callable[[], Any]`, optional
        Makes an object with the interface of `bz2.BZ2Decompressor`; `None` if not supported.
    padding : `bytes`
        Bytes that may follow the data, any number of times.
    """

    magics: Tuple[bytes, ...]
    description: str
    decompressor: Optional[Callable[[], Any]] = None
    padding: bytes = b""

    def begins(self, start: bytes) -> bool:
        """Returns whether a file that begins with `start` has this format."""
        return start.startswith(self.magics)


def _xz_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY)


# The magic bytes of each level, with what follows: a block, or the end of an empty file.
_BZIP2_MAGICS = tuple(
    b"BZh%d" % level + block
    for level in range(1, 10)
    for block in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
)
_COMPRESSIONS = (
    Compression((b"\x1f\x8b",), "gzip", _Gzip, padding=b"\0"),
    Compression((b"\xfd7zXZ\x00",), "xz", _xz_decompressor, padding=b"\0"),
    Compression(_BZIP2_MAGICS, "bzip2", bz2.BZ2Decompressor),
    Compression(
        (b"\x28\xb5\x2f\xfd",),
        "zstd, for which a package is missing (pip install zstandard; or: zstd -d FILE)",
        _zstd_decompressor,
    ),
    Compression((b"PK\3\4", b"PK\5\6"), "a zip archive (unzip FILE)"),
    Compression((b"7z\xbc\xaf\x27\x1c",), "a 7z archive (7z x FILE)"),
    Compression((b"Rar!\x1a\x07",), "a rar archive (unrar x FILE)"),
    Compression((b"\x04\x22\x4d\x18",), "lz4 (lz4 -d FILE)"),
    Compression((b"\x1f\x9d",), "compress (uncompress FILE)"),
    Compression((b"LZIP\1",), "lzip (lzip -d FILE)"),
    Compression((b"\x5d\0\0",), "lzma (xz -d --format=lzma FILE)"),
)
_LONGEST_MAGIC = max(len(magic) for known in _COMPRESSIONS for magic in known.magics)


class _Decompressed(io.RawIOBase):
    """
    Reads the content of a compressed file, which may consist of several consecutive streams.

    It uses the decompressors, not the file objects of `gzip`, `bz2` and `lzma`, since the latter
    two take a damaged second stream for the end of the file.
    """

    def __init__(self, stream: BinaryIO, path: str, compression: Compression) -> None:
        assert compression.decompressor is not None
        self._stream = stream
        self._path = path
        self._compression = compression
        self._new = compression.decompressor
        self._decompressor = self._new()
        self._num_in = self._num_out = 0
        # Bytes that were read from the file, but not yet passed to the decompressor.
        self._pending = b""
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
        """Returns the next bytes, perhaps none. Sets `_is_at_end` at the end of the file."""
        if self._decompressor.eof:
            self._pending = self._after_a_stream(self._decompressor.unused_data)
            if self._is_at_end:
                return b""
            self._decompressor = self._new()
        data, self._pending = self._pending, b""
        is_exhausted = False
        if not data and self._decompressor.needs_input:
            data = self._read()
            is_exhausted = not data
        content = self._decompressor.decompress(data, size)
        if is_exhausted and not (content or self._decompressor.eof):
            raise EOFError("it ends before the compressed data do")
        return content

    def _after_a_stream(self, data: bytes) -> bytes:
        """
        Returns the beginning of the next stream, without padding; empty at the end of the file.
        """
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
