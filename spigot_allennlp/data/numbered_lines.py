"""A file as a stream of numbered lines, each with what its bytes have wrong with them."""

from codecs import BOM_UTF8
from typing import Iterator, NamedTuple, Optional

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.source import open_source


class Line(NamedTuple):
    """
    One line of a file.

    # Parameters

    number : `int`
        Its number, from 1.
    text : `str`
        Its text, without the line's end. Where the bytes are not UTF-8 they are read as Latin-1, so
        that ids and columns can still be told.
    fault : `Optional[MalformedInputError]`
        A byte order mark, a carriage return or bytes that are not UTF-8; else `None`.
    """

    number: int
    text: str
    fault: Optional[MalformedInputError] = None


def numbered_lines(path: str, layout: str) -> Iterator[Line]:
    """
    The lines of `path`, one at a time. Only a line feed ends a line: not a carriage return, nor one
    of the separators of Unicode, which may be part of a token. See `open_source` for `layout`.

    # Raises

    `MalformedInputError` where a compressed file is damaged.
    """
    with open_source(path, layout) as stream:
        for number, raw in enumerate(stream, start=1):
            yield _line(path, number, raw)


def _line(path: str, number: int, raw: bytes) -> Line:
    fault: Optional[MalformedInputError] = None
    if number == 1 and raw.startswith(BOM_UTF8):
        fault = MalformedInputError(
            path, number, Fault.BYTE_ORDER_MARK, "EF BB BF before the first character"
        )
        raw = raw[len(BOM_UTF8) :]
    if b"\r" in raw:
        column = raw.index(b"\r") + 1
        fault = fault or MalformedInputError(
            path, number, Fault.CARRIAGE_RETURN, f"0D as byte {column} of the line"
        )
        raw = raw.rstrip(b"\r\n")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        text = raw.decode("latin-1")
        byte = f"{raw[error.start]:02X} as byte {error.start + 1} of the line ({error.reason})"
        fault = fault or MalformedInputError(path, number, Fault.ENCODING, byte)
    return Line(number, text[:-1] if text.endswith("\n") else text, fault)
