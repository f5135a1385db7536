"""The error for what is wrong with a file: it says where, and names the way out."""

import os
import re
from typing import Any, Callable, Optional, Union

from spigot_allennlp.data.faults import Fault

# A message shows so many characters of a piece of a file, and of a detail.
QUOTED_CHARACTERS, DETAIL_CHARACTERS = 80, 1000

# From the first bytes of a compressed file to the command that writes what is in it. How such a
# file is read here is in `formats/compression.py`, which raises the errors of this module.
_UNPACKERS = {
    b"\x1f\x8b": "gzip -dc",
    b"\xfd7zXZ\x00": "xz -dc",
    b"BZh": "bzip2 -dc",
    b"\x28\xb5\x2f\xfd": "zstd -dc",
}
# The command that some faults name as the way out: it reads FILE, and writes NEW_FILE.
_COMMAND = re.compile(r"`([^`]+) < FILE > NEW_FILE`")


class MalformedInputError(ValueError):
    """
    Raised for, or yielded in the place of, a part of a file that cannot be read: a sentence, a
    recording, or the file as a whole.

    # Parameters

    path : `str`
        The file.
    place : `Union[int, str, None]`
        Where in the file the fault shows: the 1-based line of a text; in a file that has no lines,
        a few words, as `"member 7_theo_0.wav"` or `"byte 16"`; or `None`, the file as a whole.
    fault : `Fault`
        The kind of fault: reason and way out.
    detail : `str`
        What stands there, and what was expected. It is cut if it is longer than some lines, and
        what stands there is best shown by `quoted`, so that a message is never as long as a file.
    """

    #: The message is all that its reader needs: `allennlp` prints it without a trace.
    is_plain = True

    def __init__(self, path: str, place: Union[int, str, None], fault: Fault, detail: str) -> None:
        # The unchanged arguments let the error be pickled, and so cross processes.
        # The report of what was skipped of a text has many lines, and is cut where it is made.
        if len(detail) > DETAIL_CHARACTERS and fault is not Fault.NOTHING_LEFT:
            detail = f"{detail[:DETAIL_CHARACTERS]}..."
        super().__init__(path, place, fault, detail)
        self.path = path
        self.place = place
        self.fault = fault
        self.detail = detail

    @property
    def line(self) -> Optional[int]:
        """Returns the line, where the place is a line."""
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
        Returns the way out. If that has a command, and the file is there and compressed, as its
        first bytes show, which are read here, the command unpacks it first.
        """
        remedy = self.fault.remedy
        unpacker = _unpacker(self.path) if _COMMAND.search(remedy) else None
        if unpacker is None:
            return remedy
        return _COMMAND.sub(rf"`{unpacker} < FILE | \1 > NEW_FILE`", remedy)

    @property
    def explanation(self) -> str:
        """Returns the message without what only a reader can do, for what reads without one."""
        return f"{self.location}: {self.fault.reason}: {self.detail}. {self.remedy}"

    def __str__(self) -> str:
        if self.fault.is_of_file:
            return self.explanation
        return (
            f'{self.explanation} A reader with "on_error": "skip" leaves such {self.fault.items} '
            "out, and counts them."
        )


def quoted(text: str) -> str:
    """Returns a text in quotes; if it is long, only its beginning."""
    if len(text) <= QUOTED_CHARACTERS:
        return repr(text)
    return f"{text[:QUOTED_CHARACTERS]!r}... ({len(text)} characters)"


def attempt(function: Callable, *arguments: Any) -> Any:
    """
    Returns `function(*arguments)`, or the `MalformedInputError` that it raises: so a generator can
    yield the error of a bad sentence, and continue with the next.

    An argument may be such an error, too, in the place of what could not be read before; then it is
    returned, and the function is not called.
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
    if not os.path.isfile(path):  # to open a pipe may take forever
        return None
    try:
        with open(path, "rb") as stream:
            start = stream.read(max(map(len, _UNPACKERS)))
    except OSError:
        return None
    return next((tool for magic, tool in _UNPACKERS.items() if start.startswith(magic)), None)
