"""Recordings of speech: WAV files in a folder or in a tar archive, which may be compressed."""

import io
import tarfile
from collections import Counter
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Callable, Iterator, List, NamedTuple, Optional, Union

import numpy

from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import APPLE_DOUBLE, open_file, read_at_most, tar_members

SUFFIX = ".wav"

# The size limit of a recording in bytes: twelve minutes of one channel at CD quality.
LARGEST = 2**26
RATES = range(1000, 400_001)
MOST_CHANNELS = 64

PCM, EXTENSIBLE = 1, 0xFFFE
# The bytes after the two format bytes in a WAVE_FORMAT_EXTENSIBLE header.
SUBFORMAT = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")
# A length that was never filled in, for example because the recorder wrote to a pipe.
UNKNOWN_LENGTH = 0xFFFFFFFF

_BLOCK = tarfile.BLOCKSIZE


class Recording(NamedTuple):
    """
    The sound in a file.

    # Parameters

    name : `str`
        The name of the file, without folder and suffix.
    rate : `int`
        Samples per second.
    signal : `numpy.ndarray`
        From -1 to 1, shape `(num_samples,)`.
    """

    name: str
    rate: int
    signal: numpy.ndarray


def read_recordings(path: Union[str, PathLike]) -> Iterator[Union[Recording, MalformedInputError]]:
    """
    Yields all recordings in order of their names, with an error in place of each that cannot be
    read. A recording is a file with the suffix `.wav`, in upper or lower case.

    # Raises

    `MalformedInputError` if the whole archive is damaged, or has no recordings.
    """
    is_empty = True
    is_folder = Path(path).is_dir()
    for file in _files_of_folder(Path(path)) if is_folder else _files_of_archive(str(path)):
        is_empty = False
        yield attempt(_recording, str(path), file)
    if is_empty:
        detail = f"no file in it is named *{SUFFIX}; give the folder or the tar archive with them"
        raise MalformedInputError(str(path), None, Fault.NO_INSTANCES, detail)


class _File(NamedTuple):
    """The raw content of a WAV file, or why there is none."""

    name: str
    content: Union[bytes, bytearray, MalformedInputError]


def _recording(path: str, file: _File) -> Recording:
    if isinstance(file.content, MalformedInputError):
        raise file.content
    return read_wav(file.content, path, file.name)


def _is_recording(name: str) -> bool:
    return name.lower().endswith(SUFFIX) and not name.startswith(APPLE_DOUBLE)


def _files_of_folder(path: Path) -> Iterator[_File]:
    files = [file for file in path.rglob("*") if _is_recording(file.name) and file.is_file()]
    for file in sorted(files, key=lambda file: (file.stem, str(file))):
        with open(file, "rb") as stream:
            yield _File(str(file.relative_to(path)), read_at_most(stream, LARGEST + 1))


def _files_of_archive(path: str) -> List[_File]:
    with open_file(path) as source:
        stream = io.BytesIO(source.read())
    files: List[_File] = []
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in tar_members(archive, path):
                if _is_recording(PurePosixPath(member.name).name) and not member.isdir():
                    files.append(_File(member.name, _content_of(archive, member, path)))
            end = archive.offset
    except tarfile.ReadError as error:
        detail = f"neither a folder nor a tar archive that can be read ({error})"
        raise MalformedInputError(path, None, Fault.FORMAT, detail) from error
    _check_end(stream.getvalue(), end, path)
    for name, count in Counter(file.name for file in files).items():
        if count > 1:
            detail = f"{count} members are named {name[:200]!r}"
            raise MalformedInputError(path, None, Fault.TAR, detail)
    return sorted(files, key=lambda file: (PurePosixPath(file.name).stem, file.name))


def _content_of(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: str
) -> Union[bytes, MalformedInputError]:
    """Returns the bytes of a member or, for a link, of its target."""
    place = f"member {member.name[:200]}"
    size = member.size
    try:
        if member.islnk() or member.issym():
            # Private, but `extractfile` itself uses it. There is no public way to learn the size.
            size = archive._find_link_target(member).size  # type: ignore[attr-defined]
        if size > LARGEST:
            return _too_long(path, place, size)
        stream = archive.extractfile(member)
        content = b"" if stream is None else stream.read()
    except (tarfile.TarError, ValueError, LookupError, RecursionError) as error:
        detail = f"its content cannot be read ({str(error)[:200]})"
        raise MalformedInputError(path, place, Fault.TAR, detail) from error
    if len(content) != size:
        detail = f"it has {len(content)} bytes, but its header says {size}"
        raise MalformedInputError(path, place, Fault.TAR, detail)
    return content


def _check_end(content: bytes, end: int, path: str) -> None:
    """
    Checks that only zeros follow in the archive, at least a block of them: except for the first
    header, `tarfile` takes one that it cannot read for the end of the archive.
    """
    place = f"byte {end + 1} of the archive"
    if len(content) < end + _BLOCK:
        detail = "it is cut short, for it ends without a block of zeros"
        raise MalformedInputError(path, place, Fault.TAR, detail)
    if content.count(0, end) != len(content) - end:
        detail = "a header that cannot be read, or something behind the end of the archive"
        raise MalformedInputError(path, place, Fault.TAR, detail)


def _too_long(path: str, place: str, size: int) -> MalformedInputError:
    detail = f"it has {size} bytes, but a recording at most {LARGEST}"
    return MalformedInputError(path, place, Fault.RECORDING, detail)


class _Format(NamedTuple):
    """The content of the chunk "fmt " of a WAV file; `width` is the size of a sample in bits."""

    tag: int
    channels: int
    rate: int
    bytes_per_second: int
    bytes_per_frame: int
    width: int


def read_wav(content: Union[bytes, bytearray], path: str, name: str) -> Recording:
    """
    Returns the mean of the channels of a WAV file of 16 bits (PCM, also as WAVE_FORMAT_EXTENSIBLE).
    It reads the chunks itself, since the module `wave` accepts truncated files.

    # Parameters

    content : `bytes`
        The content of the file.
    path : `str`
        The path of the folder or archive.
    name : `str`
        The name of the file in it.

    # Raises

    `MalformedInputError` that names the file if it is incomplete, in another format or empty.
    """
    place = f"member {name[:200]}"
    if len(content) > LARGEST:
        raise _too_long(path, place, len(content))
    chunks = _read_chunks(content, path, place)
    fmt = chunks.format
    if fmt.width != 16 or not 1 <= fmt.channels <= MOST_CHANNELS or fmt.rate not in RATES:
        detail = (
            f"{fmt.channels} channels of {fmt.width} bits at {fmt.rate} samples a second; "
            f"expected are 16 bits, 1 to {MOST_CHANNELS} channels and {RATES[0]} to {RATES[-1]} "
            "samples a second"
        )
        raise MalformedInputError(path, place, Fault.RECORDING_FORMAT, detail)
    if (
        fmt.bytes_per_frame != 2 * fmt.channels
        or fmt.bytes_per_second != fmt.rate * fmt.bytes_per_frame
        or len(chunks.data) % fmt.bytes_per_frame
    ):
        detail = (
            f"a header that contradicts itself: {fmt.channels} channels of 16 bits at "
            f"{fmt.rate} samples a second, but {fmt.bytes_per_frame} bytes a frame and "
            f"{fmt.bytes_per_second} a second, {len(chunks.data)} in all"
        )
        raise MalformedInputError(path, place, Fault.RECORDING, detail)
    if not chunks.data:
        raise MalformedInputError(path, place, Fault.EMPTY_RECORDING, "it has 0 frames")
    samples = numpy.frombuffer(chunks.data, "<i2").reshape(-1, fmt.channels)
    return Recording(PurePosixPath(name).stem, fmt.rate, samples.mean(axis=1) / 2**15)


class _Chunks(NamedTuple):
    """The relevant chunks of a WAV file: the content of "fmt ", and the bytes of the samples."""

    format: _Format
    data: Union[bytes, bytearray]


def _read_chunks(content: Union[bytes, bytearray], path: str, place: str) -> _Chunks:
    """Returns the two relevant chunks of a WAV file. Others are skipped."""

    def malformed(detail: str, fault: Fault = Fault.RECORDING) -> MalformedInputError:
        return MalformedInputError(path, place, fault, detail)

    start = bytes(content[:12])
    if start[:4] in (b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3\3", b"ID3\4"):
        detail = f"it begins as {start[:4].decode('latin-1')!r}, not as a WAV file"
        raise malformed(detail, Fault.RECORDING_FORMAT)
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        raise malformed(f"it is no WAV file, for it begins with {start.hex(' ') or 'nothing'}")
    fmt: Optional[_Format] = None
    data: Optional[Union[bytes, bytearray]] = None
    for kind, position, size in _chunk_headers(content):
        if kind == b"fmt " and fmt is None:
            fmt = _parse_format(bytes(content[position : position + min(size, 40)]), malformed)
        elif kind == b"data" and data is None:
            data = content[position : position + size]
            if len(data) < size:
                hint = (
                    ""
                    if size != UNKNOWN_LENGTH
                    else (". That length was never filled in: sox --ignore-length IN.wav OUT.wav")
                )
                detail = f"{len(data)} bytes of samples, but its header says {size}{hint}"
                raise malformed(detail)
        elif kind in (b"fmt ", b"data"):
            raise malformed(f"it has two chunks {kind.decode()!r}")
    if fmt is None or data is None:
        missing = "fmt " if fmt is None else "data"
        raise malformed(f"it ends without a chunk {missing!r}, after {len(content)} bytes")
    return _Chunks(fmt, data)


class _ChunkHeader(NamedTuple):
    """The kind of a chunk, the start of its content, and its stated number of bytes."""

    kind: bytes
    position: int
    size: int


def _chunk_headers(content: Union[bytes, bytearray]) -> Iterator[_ChunkHeader]:
    position = 12
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        yield _ChunkHeader(bytes(content[position : position + 4]), position + 8, size)
        position += 8 + size + size % 2


def _parse_format(content: bytes, malformed: Callable[..., MalformedInputError]) -> _Format:
    """Returns the content of the chunk "fmt "."""
    if len(content) < 16:
        raise malformed(f"its chunk 'fmt ' has {len(content)} bytes, but must have 16")
    sizes = (2, 2, 4, 4, 2, 2)
    numbers, start = [], 0
    for size in sizes:
        numbers.append(int.from_bytes(content[start : start + size], "little"))
        start += size
    fmt = _Format(*numbers)
    is_pcm = fmt.tag == PCM or (
        fmt.tag == EXTENSIBLE and content[24:26] == b"\1\0" and content[26:40] == SUBFORMAT
    )
    if not is_pcm:
        detail = f"its samples are of format {fmt.tag}, and not 16-bit integers (PCM)"
        raise malformed(detail, Fault.RECORDING_FORMAT)
    return fmt
