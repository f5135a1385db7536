"""
Files of word vectors in the text formats of GloVe and word2vec, a word and its numbers per line.
"""

import logging
import lzma
import os
import re
import struct
import tarfile
import zipfile
import zlib
from codecs import BOM_UTF8
from contextlib import contextmanager
from typing import BinaryIO, Callable, Container, Dict, Iterator, List, NamedTuple, Optional, cast

import numpy
from allennlp.common.file_utils import cached_path

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import open_file, read_at_most, tar_members
from spigot_allennlp.data.skipped_report import SkippedReport

logger = logging.getLogger(__name__)

#: The environment variable that decides what to do with bad lines. AllenNLP's `Embedding` is built
#: from its own arguments, which archives contain, so a config cannot pass it another option.
ON_ERROR_VARIABLE = "SPIGOT_ALLENNLP_EMBEDDINGS_ON_ERROR"
#: One in this many lines may be bad. The public files have a few bad lines among millions, and
#: these should not require setting a variable. A damaged file, or one with other dimensions, has
#: many.
TOLERATED = 1000

LONGEST_LINE = 2**22
# The archive modules raise these errors for damaged archives.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
)
# From this number on, reading stops at once if more lines are bad than good.
_EARLY = 100


class _Line(NamedTuple):
    """A line of a file: the word, unchanged, and the text of its numbers."""

    number: int
    word: bytes
    numbers: bytes


def read_vectors(uri: str, embedding_dim: int, wanted: Container[str]) -> Dict[str, numpy.ndarray]:
    """
    Returns the vectors of the `wanted` words in single precision, in the order of the file.

    A line has a word and its numbers, separated by single spaces. A word may contain spaces, since
    the last `embedding_dim` columns are the numbers. A byte order mark, carriage returns before the
    line feed and spaces at the end of a line are ignored. A first line with two integers is a
    header, as in word2vec: the number of words and of dimensions. With one integer, it is the
    number of words.

    A line is bad if it has too few or too many numbers, a number that is not finite, a word that is
    not UTF-8, or a wanted word that occurred before. Bad lines are left out and reported, up to one
    in `TOLERATED`; more are an error. The environment variable named by `ON_ERROR_VARIABLE` may be
    "raise", which makes the first bad line an error, or "skip", which leaves out any number.

    # Parameters

    uri : `str`
        A file, a URL, or `(archive)#member`, as in AllenNLP. It may be plain or compressed,
        whatever its name, or in a zip or tar archive.
    embedding_dim : `int`
    wanted : `Container[str]`

    # Raises

    `MalformedInputError` with file and line, including if the file is damaged or empty, or has
    fewer lines than its header says.
    """
    vectors: Dict[str, numpy.ndarray] = {}

    def take(word: str, line: _Line) -> None:
        if word in wanted:
            if word in vectors:
                raise _bad(uri, line, f"the word {word[:50]!r} was there before")
            vectors[word] = _vector(line, uri)

    num_lines = _read(uri, embedding_dim, take)
    logger.info("%s has %d words, %d of them in the vocabulary", uri, num_lines, len(vectors))
    return vectors


def read_words(uri: str) -> List[str]:
    """
    Returns the words of a file, in order. The number of dimensions is that of the first line. Bad
    lines and errors are as in `read_vectors`.
    """
    words: List[str] = []
    _read(uri, _dimensions(uri), lambda word, line: words.append(word))
    return words


def _read(uri: str, embedding_dim: int, take: Callable[[str, _Line], None]) -> int:
    """
    Passes each word with its line to `take`, which may raise a `MalformedInputError` for a bad
    line, and returns the number of lines. Bad lines are left out and reported, or are an error; see
    `read_vectors`.
    """
    on_error = _on_error()
    skipped, num_lines = SkippedReport(), 0
    first: Optional[MalformedInputError] = None
    for line in _lines(uri, embedding_dim, on_error):
        num_lines += 1
        try:
            word = _word(line, uri)
            _check_count(line, embedding_dim, uri)
            take(word, line)
        except MalformedInputError as error:
            first = first or error
            skipped.add(error)
            is_hopeless = len(skipped) >= _EARLY and 2 * len(skipped) > num_lines
            if on_error == "raise" or (is_hopeless and on_error != "skip"):
                raise first from None
    if first is not None and on_error != "skip" and len(skipped) * TOLERATED > num_lines:
        raise first
    if len(skipped):
        logger.warning(
            "%d of %d lines of %s were left out:\n%s",
            len(skipped),
            num_lines,
            uri,
            skipped.report(),
        )
    return num_lines


def _on_error() -> str:
    value = os.environ.get(ON_ERROR_VARIABLE, "few")
    if value not in ("few", "raise", "skip"):
        raise PlainConfigurationError(
            f'{ON_ERROR_VARIABLE} is "{value}", but must be "raise" (end the run at a line that '
            'cannot be read), "skip" (leave out all that cannot) or "few" (leave out at most one '
            f"in {TOLERATED}; the default)."
        )
    return value


def _bad(uri: str, line: _Line, detail: str) -> MalformedInputError:
    return MalformedInputError(uri, line.number, Fault.VECTOR, detail)


def _word(line: _Line, uri: str) -> str:
    if not line.word:
        raise _bad(uri, line, "it has no word before its numbers")
    if line.word.endswith(b" ") or line.word.startswith(b" "):
        raise _bad(uri, line, f"a space too many at the word {line.word[:50]!r}")
    try:
        return line.word.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"the word {line.word[:50]!r} is not in UTF-8 ({error.reason})"
        raise _bad(uri, line, detail) from error


def _check_count(line: _Line, embedding_dim: int, uri: str) -> None:
    count = line.numbers.count(b" ") + 1 if line.numbers else 0
    # A word may have spaces, but numbers after its first space belong to the vector.
    extra = line.word.split(b" ")[1:]
    if count < embedding_dim or (extra and _is_number(extra[-1])):
        count += len(extra)
        detail = (
            f"{count} numbers after {line.word.split(b' ')[0][:50]!r}, but embedding_dim is "
            f"{embedding_dim}"
        )
        raise _bad(uri, line, detail)


def _is_number(text: bytes) -> bool:
    return re.fullmatch(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text) is not None


def _vector(line: _Line, uri: str) -> numpy.ndarray:
    fields = line.numbers.split(b" ")
    try:
        if b"_" in line.numbers:
            raise ValueError("an underscore in a number")
        with numpy.errstate(over="ignore"):
            vector = numpy.array([float(field) for field in fields]).astype(numpy.float32)
    except ValueError as error:
        raise _bad(uri, line, f"what is no number: {str(error)[:100]}") from error
    if not numpy.isfinite(vector).all():
        wrong = fields[int((~numpy.isfinite(vector)).argmax())]
        raise _bad(uri, line, f"a number is {wrong[:50].decode('latin-1')}, which is not finite")
    return vector


def _lines(uri: str, embedding_dim: int, on_error: str) -> Iterator[_Line]:
    """
    Yields the lines after the header, and checks the header against `embedding_dim` and the number
    of lines.
    """
    header: List[int] = []
    number = 0
    with _opened(uri) as stream:
        while raw := stream.readline(LONGEST_LINE):
            number += 1
            if len(raw) == LONGEST_LINE:
                detail = f"it has more than {LONGEST_LINE} bytes and begins with {raw[:50]!r}"
                raise MalformedInputError(uri, number, Fault.VECTOR, detail)
            if number == 1:
                raw = raw.removeprefix(BOM_UTF8)
                header = _header(raw)
                if header and embedding_dim not in (1, header[-1]) and len(header) == 2:
                    detail = (
                        f"its header says vectors of {header[1]} numbers, but embedding_dim is "
                        f"{embedding_dim}"
                    )
                    raise MalformedInputError(uri, number, Fault.VECTOR, detail)
                # If vectors have one number, a line of two integers may be a word with its vector.
                if header and (embedding_dim > 1 or len(header) == 1):
                    continue
                header = []
            if not raw.endswith(b"\n"):
                _last_without_end(uri, number, on_error)
            yield _split(number, raw.rstrip(b"\r\n "), embedding_dim)
    num_lines = number - bool(header)
    if not num_lines:
        raise MalformedInputError(uri, 1, Fault.NO_INSTANCES, "the file has no word")
    if header and num_lines != header[0]:
        detail = f"its header says {header[0]} words, but {num_lines} lines follow"
        if num_lines < header[0] and on_error != "skip":
            raise MalformedInputError(uri, 1, Fault.SIZE, detail)
        logger.warning("%s: %s", uri, detail)


def _last_without_end(uri: str, number: int, on_error: str) -> None:
    detail = "it ends without a line feed, and may be cut short within its last number"
    if on_error == "raise":
        raise MalformedInputError(uri, number, Fault.SIZE, detail)
    logger.warning("%s:%d: %s", uri, number, detail)


def _split(number: int, line: bytes, embedding_dim: int) -> _Line:
    if line.count(b" ") == embedding_dim:  # as in nearly all lines
        word, _, numbers = line.partition(b" ")
        return _Line(number, word, numbers)
    parts = line.rsplit(b" ", embedding_dim)
    return _Line(number, parts[0], b" ".join(parts[1:]))


def _header(line: bytes) -> List[int]:
    """Returns the one or two integers of a header, or none if the line is not a header."""
    fields = line.split()
    is_header = 1 <= len(fields) <= 2 and all(
        field.isdigit() and len(field) < 19 for field in fields
    )
    return [int(field) for field in fields] if is_header else []


def _dimensions(uri: str) -> int:
    """Returns the number of dimensions in the header or, without one, of the first line."""
    with _opened(uri) as stream:
        for _ in range(2):
            line = stream.readline(LONGEST_LINE).removeprefix(BOM_UTF8)
            header = _header(line)
            if len(header) == 2:
                return header[1]
            if not header:
                return max(1, len(line.rstrip(b"\r\n ").split(b" ")) - 1)
    return 1


@contextmanager
def _opened(uri: str) -> Iterator[BinaryIO]:
    """Opens the bytes of a file, or of a member of an archive."""
    match = re.fullmatch(r"\((.*)\)#(.*)", uri)
    main, member = match.groups() if match else (uri, None)
    path = str(cached_path(main))
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                with archive.open(_chosen(names, member, uri)) as stream:
                    yield cast(BinaryIO, stream)
            return
        with open_file(path) as stream:
            start = bytes(read_at_most(stream, tarfile.BLOCKSIZE))
        if start[257:262] == b"ustar":
            with _member_of_tar(path, member, uri) as stream:
                yield stream
            return
        if member is not None:
            detail = "it is neither a zip nor a tar archive, from which a member can be chosen"
            raise MalformedInputError(uri, None, Fault.FORMAT, detail)
        with open_file(path) as stream:
            yield stream
    except (MalformedInputError, FileNotFoundError, PermissionError):
        raise
    except _DAMAGE as error:
        raise MalformedInputError(
            uri, None, Fault.DAMAGED_ARCHIVE, f"reading stopped ({str(error)[:200]})"
        ) from error


@contextmanager
def _member_of_tar(path: str, member: Optional[str], uri: str) -> Iterator[BinaryIO]:
    """Opens a member. The archive is first read to its end, to find the names and any damage."""
    with open_file(path) as source:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            names = [entry.name for entry in tar_members(archive, uri) if entry.isfile()]
        while source.read(2**20):
            pass
    chosen = _chosen(names, member, uri)
    with open_file(path) as source:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for entry in archive:
                if entry.name == chosen and entry.isfile():
                    content = archive.extractfile(entry)
                    assert content is not None  # it is a file
                    with content:
                        yield cast(BinaryIO, content)
                    return


def _chosen(names: List[str], member: Optional[str], uri: str) -> str:
    if member in names:
        return cast(str, member)
    if member is None and len(names) == 1:
        return names[0]
    wanted = "several files" if member is None else f"no {member!r}"
    detail = f"it has {wanted}, but {', '.join(names[:5]) or 'nothing'}; write (ARCHIVE)#FILE"
    raise MalformedInputError(uri, None, Fault.FORMAT, detail)
