"""The error for a malformed file. It says where the fault is, and names the way out."""

import os
import re
from typing import Any, Callable, Optional, Union

from spigot_allennlp.data.faults import Fault

# The number of characters in a message, from a piece of a file and from a detail.
QUOTED_CHARACTERS, DETAIL_CHARACTERS = 80, 1000

# Maps the first bytes of a compressed file to the command that writes its content.
# `formats/compression.py` reads such files, and raises the errors of this module.
_UNPACKERS = {
    b"\x1f\x8b": "gzip -dc",
    b"\xfd7zXZ\x00": "xz -dc",
    b"BZh": "bzip2 -dc",
    b"\x28\xb5\x2f\xfd": "zstd -dc",
}
# A command that some faults name as the way out: it reads FILE, and writes NEW_FILE.
_COMMAND = re.compile(r"`([^`]+) < FILE > NEW_FILE`")


class MalformedInputError(ValueError):
    """
    Raised for, or yielded in place of, a part of a file that cannot be read: a sentence, a
    recording, or the whole file.

    # Parameters

    path : `str`
        The file.
    place : `Union[int, str, None]`
        Where the fault is in the file: the 1-based line of a text; a few words in a file without
        lines, such as `"member 7_theo_0.wav"` or `"byte 16"`; or `None`, the whole file.
    fault : `Fault`
        The kind of fault: reason and way out.
    detail : `str`
        What was found, and what was expected. It is truncated if it is longer than a few lines.
        Show what was found with `quoted`, so that a message is never as long as a file.
    """

    #: The message says everything, so `allennlp` prints it without a traceback.
    is_plain = True

    def __init__(self, path: str, place: Union[int, str, None], fault: Fault, detail: str) -> None:
        # With the unchanged arguments, the error can be pickled, and so passed between processes.
        # The report of skipped parts has many lines, and is truncated where it is made.
        if len(detail) > DETAIL_CHARACTERS and fault is not Fault.NOTHING_LEFT:
            detail = f"{detail[:DETAIL_CHARACTERS]}..."
        super().__init__(path, place, fault, detail)
        self.path = path
        self.place = place
        self.fault = fault
        self.detail = detail

    @property
    def line(self) -> Optional[int]:
        """Returns the line, if the place is a line."""
        return self.place if isinstance(self.place, int) else None

    @property
    def location(self) -> str:
        """Returns `file:line`, `file: place` or `file`."""
        if self.place is None:
            return self.path
        return f"{self.path}:{self.place}" if self.line else f"{self.path}: {self.place}"

    @property
    def remedy(self) -> str:
        """
        Returns the way out. If it has a command, and the file exists and is compressed (its first
        bytes are read to find out), the command unpacks the file first.
        """
        remedy = self.fault.remedy
        unpacker = _unpacker(self.path) if _COMMAND.search(remedy) else None
        if unpacker is None:
            return remedy
        return _COMMAND.sub(rf"`{unpacker} < FILE | \1 > NEW_FILE`", remedy)

    @property
    def explanation(self) -> str:
        """
        Returns the message without advice that only applies to readers, for code without a reader.
        """
        return f"{self.location}: {self.fault.reason}: {self.detail}. {self.remedy}"

    def __str__(self) -> str:
        if self.fault.is_of_file:
            return self.explanation
        return (
            f'{self.explanation} A reader with "on_error": "skip" leaves such {self.fault.items} '
            "out, and counts them."
        )


def quoted(text: str) -> str:
    """Returns a text in quotes, or only its beginning if it is long."""
    if len(text) <= QUOTED_CHARACTERS:
        return repr(text)
    return f"{text[:QUOTED_CHARACTERS]!r}... ({len(text)} characters)"


def attempt(function: Callable, *arguments: Any) -> Any:
    """
    Returns `function(*arguments)`, or the `MalformedInputError` that it raises. So a generator can
    yield the error of a bad sentence and continue with the next.

    An argument may itself be such an error, in place of something that could not be read before.
    Then it is returned, and the function is not called.
    """
    for argument in arguments:
        if isinstance(argument, MalformedInputError):
            return argument
    try:
        return function(*arguments)
    except MalformedInputError as error:
        return error


def _unpacker(path: str) -> Optional[str]:
    """Returns the command that writes the content of a compressed file."""
    if not os.path.isfile(path):  # opening a pipe may block forever
        return None
    try:
        with open(path, "rb") as stream:
            start = stream.read(max(map(len, _UNPACKERS)))
    except OSError:
        return None
    return next((tool for magic, tool in _UNPACKERS.items() if start.startswith(magic)), None)
