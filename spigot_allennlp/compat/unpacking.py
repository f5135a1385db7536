"""
Unpacks an untrusted tar archive into its own folder and nowhere else.

`tarfile.extractall` writes to `../x`, to `/x` and through links, accepts any size that a header
declares, stops silently at a damaged header, and does not read on to the gzip checksum.
"""

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import unicodedata
import zlib
from pathlib import Path
from typing import Any, BinaryIO, List, Optional, Set
from zipfile import BadZipFile, ZipFile

# The size limit of an unpacked archive in GiB, whatever its packed size.
LIMIT_VARIABLE = "SPIGOT_ALLENNLP_ARCHIVE_GIB"

GIB = 2**30
DEFAULT_LIMIT = 16 * GIB
# Without that variable, decompression bombs are refused too: zeros shrink a thousandfold, weights
# hardly at all, vocabularies fivefold. Content that is small anyway may be compressed at any rate.
MOST_PACKED, SMALL = 200, GIB // 4
# A model's archive has about ten files, plus one per namespace of the vocabulary.
MOST_MEMBERS = 10_000
# The types of members that describe the next member:
DESCRIBING = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
# The limit for a path that is too long for a tar header, and so has its own entry.
LONGEST_NAME = 2**16

# The files of a model's archive that loading depends on. A second one would replace the first.
UNIQUE = ("config.json", "weights.th", "best.th", "meta.json", "vocabulary")

OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
DAMAGED = (
    *(tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError),
    RuntimeError,  # RecursionError, and zipfile's error for a password or an unknown compression
)


class Refused(Exception):
    """
    Says why an archive is not loaded. Not a subclass of anything that AllenNLP catches while it
    builds objects, so AllenNLP cannot continue with another guess.
    """


def unpack(archive: str, folder: str, members: Optional[int] = MOST_MEMBERS) -> None:
    """
    Writes the files of a tar archive, compressed or not, into an empty folder.

    Reads to the end of the file, so its checksum is verified. This is stricter than the `data`
    filter of tarfile, which not every Python 3.10 has: no links are written, and links to earlier
    files become copies. After an error, the folder holds what was written so far, and the caller
    must remove it.

    # Parameters

    archive : `str`
        The path of the archive.
    folder : `str`
        The path of an existing folder.
    members : `int`, optional (default = `10_000`)
        How many files and folders the archive may have; `None` for any number.

    # Raises

    `Refused`
        If the archive is damaged or not a tar archive, would write outside of the folder, has
        devices, links to elsewhere or two files with the same important name, or is larger than
        allowed.
    """
    if not os.path.isfile(archive):
        raise Refused("it is no regular file")
    try:
        with _opened(archive) as packed:
            stream = _Measured(packed, _limit(os.path.getsize(archive)))
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as tar:  # type: ignore
                _write_members(tar, Path(folder), members)
                _read_to_the_end(tar.fileobj)
    except DAMAGED as error:
        raise Refused(
            f"it is damaged, or no tar archive ({type(error).__name__}: {str(error)[:200]}). "
            "Copy or download it again"
        ) from error


def unpack_zip(archive: str, folder: str) -> None:
    """
    The same for a zip archive, which is simpler: it has no links, Python keeps its names inside the
    folder, and the sizes of all files are at its end.

    # Raises

    `Refused`
        If it is damaged, or larger than allowed.
    """
    try:
        with ZipFile(archive) as file:
            size = sum(member.file_size for member in file.infolist())
            _check_size(size, _limit(os.path.getsize(archive)))
            file.extractall(folder)
    except (BadZipFile, *DAMAGED) as error:
        raise Refused(f"it is damaged ({type(error).__name__}: {str(error)[:200]})") from error


def _opened(archive: str) -> BinaryIO:
    with open(archive, "rb") as file:
        start = file.read(6)
    for magic, opener in OPENERS.items():
        if start.startswith(magic):
            return opener(archive, "rb")  # type: ignore[operator]
    return open(archive, "rb")


def _limit(packed: int) -> int:
    """Returns how many bytes an archive with `packed` bytes may have after unpacking."""
    limit = os.environ.get(LIMIT_VARIABLE)
    if limit is None:
        return min(DEFAULT_LIMIT, max(SMALL, MOST_PACKED * packed))
    try:
        return int(float(limit) * GIB)
    except (ValueError, OverflowError):
        raise Refused(f"{LIMIT_VARIABLE} must be a number of GiB, but is {limit[:100]!r}") from None


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Refused(
            f"unpacked, it has more than {limit / GIB:.4g} GiB, which is more than it may have. If "
            f"you trust it, set {LIMIT_VARIABLE} to the number of GiB that it may have"
        )


class _Measured:
    """A stream that raises an error after `limit` bytes."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit, self._size = stream, limit, 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._size += len(data)
        _check_size(self._size, self._limit)
        return data


class _Header(tarfile.TarInfo):
    """
    The header of a member. At a damaged header, tarfile would stop as if the archive ended there.
    """

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> "_Header":
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise  # the block of zeros that ends an archive
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"a header cannot be read, {error}") from error
        if header.type in DESCRIBING and header.size > LONGEST_NAME:
            raise Refused(f"a header of it has {header.size} bytes")
        if header.size < 0:
            raise Refused(f"{header.name[:100]!r} in it has {header.size} bytes")
        if header.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse_sparse(header)
        return header

    def _refuse_sparse(self, *arguments: Any) -> None:
        raise Refused(f"{self.name[:100]!r} in it is a sparse file")

    # tarfile calls the one for the version in the header.
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


def _write_members(tar: tarfile.TarFile, folder: Path, most: Optional[int]) -> None:
    names: Set[str] = set()
    for number, member in enumerate(tar, start=1):
        if most is not None and number > most:
            raise Refused(f"it has more than {most} members")
        parts = _parts(member.name)
        target = folder.joinpath(*parts)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        _check_unique(parts, names)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if member.issym() or member.islnk():
            _copy_linked(member, parts, target, folder)
        elif member.isreg():
            source = tar.extractfile(member)
            assert source is not None
            with open(target, "xb") as file:
                shutil.copyfileobj(source, file, 2**20)
        else:
            raise Refused(f"{member.name[:100]!r} in it is neither a file nor a folder")


def _parts(name: str) -> List[str]:
    """The parts of a path within the archive; none for the archive itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    leads_outside = name.startswith("/") or ".." in parts
    if leads_outside or "\0" in name or (os.sep == "\\" and ("\\" in name or ":" in name)):
        raise Refused(f"{name[:100]!r} in it would be written outside of the folder for it")
    return parts


def _check_unique(parts: List[str], names: Set[str]) -> None:
    """`names` holds the earlier names, in the form that a case-insensitive file system compares."""
    name = unicodedata.normalize("NFC", "/".join(parts)).casefold()
    if not parts or (name in names and parts[0].casefold() in UNIQUE):
        raise Refused(f"it has two files with the name {name[:100]!r}")
    names.add(name)


def _copy_linked(member: tarfile.TarInfo, parts: List[str], target: Path, folder: Path) -> None:
    # A symbolic link is relative to its folder, a hard link to the archive.
    start = parts[:-1] if member.issym() else []
    source = folder.joinpath(*start, *_parts(member.linkname))
    if not source.is_file():
        raise Refused(
            f"{member.name[:100]!r} in it is a link to {member.linkname[:100]!r}, which is no file "
            "that came before it. Pack the file itself"
        )
    shutil.copyfile(source, target)


def _read_to_the_end(stream: Any) -> None:
    """After its last block, an archive has only zeros, then a checksum if it is compressed."""
    while True:
        block = stream.read(2**20)
        if not block:
            return
        if block.strip(b"\0"):
            raise Refused("there is something behind its end")
