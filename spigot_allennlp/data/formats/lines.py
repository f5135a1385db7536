"""
`numbered_lines` reads a text as numbered lines, each with the error in its bytes, if any.

For formats with one sentence per line, `sentence_lines` also detects empty lines. Each format gives
`parse_lines` a function that turns a `Line` into a sentence.
"""

import logging
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from functools import partial
from typing import BinaryIO, Callable, Iterable, Iterator, NamedTuple, Optional, TypeVar, Union

from spigot_allennlp.data.errors import MalformedInputError, attempt, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import PathOrSource, Source, as_source

logger = logging.getLogger(__name__)

Sentence = TypeVar("Sentence")

# The longest line, in bytes. No more of a file is in memory at a time, however its lines end.
LINE_LIMIT = 1 << 22
# Of a line that is too long, or in another encoding, an error shows this many bytes at most.
KEPT_BYTES = 1000

# By byte order mark, longer ones first: that of UTF-32 begins with that of UTF-16.
_FAULTS_OF_MARKS = {
    BOM_UTF32_LE: Fault.UTF_32,
    BOM_UTF32_BE: Fault.UTF_32,
    BOM_UTF16_LE: Fault.UTF_16,
    BOM_UTF16_BE: Fault.UTF_16,
}
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_UNDEFINED_IN_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


class Line(NamedTuple):
    """
    A line of a text.

    # Parameters

    number : `int`
        The number of the line, from 1.
    text : `str`
        The text of the line, without its end. Bytes that are not UTF-8 are read as Latin-1, so that
        ids and columns can still be recognised. Of a line that is too long, the beginning.
    error : `Optional[MalformedInputError]`
        What is wrong with its bytes; `None` if nothing is wrong.
    is_ended : `bool`
        Whether a line feed ends it. If not, it is the last line, and may be truncated.
    """

    number: int
    text: str
    error: Optional[MalformedInputError] = None
    is_ended: bool = True


LineResult = Union[Line, MalformedInputError]


def numbered_lines(source: PathOrSource) -> Iterator[Line]:
    """
    Yields the lines of a text. Only a line feed ends a line, not a carriage return or a Unicode
    separator, which may be part of a token.

    # Raises

    `MalformedInputError` if a compressed file is damaged, and if no line of the file can be read:
    it is UTF-16 or UTF-32, its lines end in bare carriage returns, or it is not text.
    """
    source = as_source(source)
    errors = _LineErrors(source)
    with source.open() as stream:
        for number, raw in enumerate(_raw_lines(stream), start=1):
            is_ended = raw.endswith(b"\n")
            if number == 1:
                errors.check_file(raw, is_ended)
            text = _sound_text(raw)
            if text is None:
                yield Line(number, _faulty_text(raw), errors.of_line(number, raw), is_ended)
            else:
                yield Line(number, text[:-1] if is_ended else text, None, is_ended)


def sentence_lines(source: PathOrSource) -> Iterator[LineResult]:
    """
    Yields the lines of a text with one sentence per line, with an error in place of each line that
    has a fault, or is empty, since a sentence may be missing there. Empty lines at the end of the
    file are ignored.
    """
    source = as_source(source)
    num_empty, is_empty = 0, True
    for line in numbered_lines(source):
        if line.error is None and not line.text.strip(" \t\v\f"):
            num_empty += 1
        else:
            for number in range(line.number - num_empty, line.number):
                yield MalformedInputError(source.name, number, Fault.EMPTY_LINE, "it has no words")
            num_empty, is_empty = 0, False
            yield line.error or _line_unless_blank(source.name, line)
    if is_empty:
        yield MalformedInputError(source.name, 1, Fault.EMPTY_FILE, "no line has a word")


def parse_lines(
    name: str, lines: Iterable[LineResult], parse: Callable[[Line], Sentence]
) -> Iterator[Union[Sentence, MalformedInputError]]:
    """
    Yields the result of `parse` for each of the `lines` of the text `name`, with an error in place
    of each that cannot be read. Warns if the last line was read but has no line feed, since it may
    be truncated.
    """
    for line in lines:
        if isinstance(line, MalformedInputError):
            yield line
            continue
        result = attempt(parse, line)
        if not isinstance(result, MalformedInputError) and not line.is_ended:
            warn_that_it_may_be_cut(name, line.number, "the file ends without a line feed")
        yield result


def _line_unless_blank(name: str, line: Line) -> LineResult:
    """Returns the line, or an error if it has only white space."""
    if not line.text.strip():
        detail = f"{quoted(line.text)} instead of nothing"
        return MalformedInputError(name, line.number, Fault.WHITE_SPACE_LINE, detail)
    return line


def warn_that_it_may_be_cut(name: str, number: int, reason: str) -> None:
    """
    Warns that the text `name` may have lost its end, at line `number`, for the given `reason`.
    Nothing is wrong with what was read, and files written by hand often end like this, but so do
    truncated files.
    """
    logger.warning(
        "%s:%d: %s. Either the file was cut short, and something is missing, or it was written so: "
        "then end it with a line feed, and after columns with an empty line.",
        name,
        number,
        reason,
    )


def _raw_lines(stream: BinaryIO) -> Iterator[bytes]:
    """
    Yields the lines of a stream with their line ends. Of a line that is too long, the beginning.
    """
    read = partial(stream.readline, LINE_LIMIT + 1)
    for raw in iter(read, b""):
        yield raw
        while len(raw) > LINE_LIMIT and not raw.endswith(b"\n"):
            raw = read()


def _sound_text(raw: bytes) -> Optional[str]:
    """Returns the text of a line with its end, or `None` if its bytes have a fault."""
    is_faulty = b"\r" in raw or b"\0" in raw or raw.startswith(BOM_UTF8)
    # Usually just the comparison, since this is called for each line.
    is_faulty = is_faulty or (len(raw) > LINE_LIMIT and _is_too_long(raw))
    try:
        return None if is_faulty else raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_too_long(raw: bytes) -> bool:
    """Returns whether these are only the first bytes of a line beyond `LINE_LIMIT`."""
    return len(raw) > LINE_LIMIT and not raw.endswith(b"\n")


def _faulty_text(raw: bytes) -> str:
    """Returns what can be shown of a line with faulty bytes."""
    raw = raw[:KEPT_BYTES] if _is_too_long(raw) else raw
    raw = raw.removeprefix(BOM_UTF8).rstrip(b"\r\n")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class _LineErrors:
    """Makes the errors for lines with bytes that cannot be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._encoding: Optional[Fault] = None

    def check_file(self, raw: bytes, is_ended: bool) -> None:
        """
        Checks the first line.

        # Raises

        `MalformedInputError` if it shows that the whole file cannot be read.
        """
        for mark, fault in _FAULTS_OF_MARKS.items():
            if raw.startswith(mark):
                raise self._error(1, fault, f"{mark.hex(' ').upper()} before the first character")
        utf_16 = _utf_16_without_mark(raw[:1024])
        if utf_16 is not None:
            raise self._error(1, utf_16, f"NUL bytes between characters: {quoted(_latin(raw))}")
        if _is_too_long(raw) and b"\0" in raw:
            raise self._error(1, Fault.FORMAT, "a line without end and with NUL bytes: no text")
        if not is_ended and b"\r" in raw:
            count = raw.count(b"\r")
            detail = f"{count} carriage returns, the first as byte {raw.index(13) + 1}"
            raise self._error(1, Fault.CARRIAGE_RETURN_ALONE, f"{detail}, and no line feed")

    def of_line(self, number: int, raw: bytes) -> MalformedInputError:
        """Returns what is wrong with a line that has no valid text."""
        if _is_too_long(raw):
            detail = f"more than {LINE_LIMIT} bytes: {quoted(_latin(raw))}"
            return self._error(number, Fault.LINE_TOO_LONG, detail)
        if raw.startswith(BOM_UTF8):
            fault = Fault.BYTE_ORDER_MARK if number == 1 else Fault.BYTE_ORDER_MARK_WITHIN
            return self._error(number, fault, "EF BB BF before the first character")
        if b"\0" in raw:
            return self._error(number, Fault.NUL, f"00 as byte {raw.index(0) + 1} of the line")
        if b"\r" in raw:
            place = raw.index(13)
            is_end = not raw[place:].strip(b"\r\n")
            fault = Fault.CARRIAGE_RETURN if is_end else Fault.CARRIAGE_RETURN_WITHIN
            return self._error(number, fault, f"0D as byte {place + 1} of the line")
        return self._error(number, self._encoding_fault(), _not_utf_8(raw))

    def _error(self, number: int, fault: Fault, detail: str) -> MalformedInputError:
        return MalformedInputError(self._source.name, number, fault, detail)

    def _encoding_fault(self) -> Fault:
        """Returns the encoding fault of the whole file, which is read once for this."""
        if self._encoding is None:
            with self._source.open() as stream:
                self._encoding = _encoding_fault_of(_raw_lines(stream))
        return self._encoding


def _not_utf_8(raw: bytes) -> str:
    """Says where and why the bytes of a line stop being UTF-8."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        start, reason = error.start, error.reason
        if re.match(rb"\xED[\xA0-\xBF]", raw[start:]):
            reason = "half of a surrogate pair, as CESU-8 has it"
        return f"{raw[start]:02X} as byte {start + 1} of the line ({reason})"
    raise AssertionError("the line is UTF-8")


def _encoding_fault_of(lines: Iterator[bytes]) -> Fault:
    """
    Returns the encoding fault of a file, judged by all its `lines`. In western languages, the few
    letters that are not ASCII occur singly, and all bytes are defined in Windows-1252.
    """
    num_utf_8, num_other, num_runs, num_bytes, is_defined = 0, 0, 0, 0, True
    try:
        for raw in lines:
            if raw.isascii():
                continue
            try:
                raw.decode("utf-8")
                num_utf_8 += 1
            except UnicodeDecodeError:
                runs = _NOT_ASCII.findall(raw)
                num_other, num_runs = num_other + 1, num_runs + len(runs)
                num_bytes += sum(map(len, runs))
                is_defined = is_defined and not _UNDEFINED_IN_WINDOWS_1252.search(raw)
    except MalformedInputError:
        pass  # The main reader will meet the damage later. This is the result up to here.
    is_western = is_defined and num_bytes < 2 * num_runs
    # In a multi-byte encoding, a short line can be UTF-8 by chance.
    if num_utf_8 and (is_western or 20 * num_utf_8 >= num_other):
        return Fault.ENCODING_MIXED
    return Fault.ENCODING if is_western else Fault.ENCODING_UNKNOWN


def _utf_16_without_mark(start: bytes) -> Optional[Fault]:
    """Returns the form of UTF-16 that begins with these bytes, without a byte order mark."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if even + odd < 2 or 10 * (even + odd) < len(start):
        return None
    if odd > 9 * even:
        return Fault.UTF_16_LE
    return Fault.UTF_16_BE if even > 9 * odd else None


def _latin(raw: bytes) -> str:
    """Returns the first bytes as text, whatever their encoding."""
    return raw[:KEPT_BYTES].decode("latin-1")
