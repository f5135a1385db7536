"""
The binary format of N-MNIST ([Orchard et al., 2015](https://doi.org/10.3389/fnins.2015.00437)): the
events that the pixels of a camera report when they become brighter or darker.

An event has 40 bits, the first byte first: 8 for the column, 8 for the row, 1 that is set if the
pixel became brighter, and 23 for the time in microseconds.
"""

from os import PathLike
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Union

import numpy

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import APPLE_DOUBLE, open_file, read_at_most

SUFFIX = ".bin"
EVENT_BYTES = 5
# This row does not exist: such an event means that the clock has overflowed. Add this many
# microseconds to all later times.
OVERFLOW_ROW, OVERFLOW_TIME = 240, 2**13
EXTENT = 34
# In bytes. A recording of N-MNIST has about 20,000.
LARGEST = 2**26


class CameraEvents(NamedTuple):
    """
    The changes and their pixels. All arrays have the shape `(num_events,)`, in the order of the
    file.

    # Parameters

    times : `numpy.ndarray`
        In microseconds.
    columns, rows : `numpy.ndarray`
        From the left and from the top.
    brighter : `numpy.ndarray`
        1 or 0.
    """

    times: numpy.ndarray
    columns: numpy.ndarray
    rows: numpy.ndarray
    brighter: numpy.ndarray

    def sources(self, extent: int = EXTENT) -> numpy.ndarray:
        """
        Returns a number for each combination of pixel and direction: first all pixels that become
        darker, row by row, then all that become brighter.
        """
        return (self.brighter * extent + self.rows) * extent + self.columns


class LabelledEvents(NamedTuple):
    """A recording, and the digit that was recorded; `None` if unknown."""

    events: CameraEvents
    label: Optional[str] = None


def read_events(path: Union[str, PathLike]) -> CameraEvents:
    """
    Returns the events of a file, plain or compressed.

    # Raises

    `MalformedInputError` if the file does not consist of whole events, has none, or has one that is
    outside 34 x 34 pixels or earlier than the previous one.
    """
    name = str(path)
    with open_file(path) as stream:
        content = read_at_most(stream, LARGEST + 1)
    if len(content) > LARGEST:
        detail = f"a recording of more than {LARGEST} bytes"
        raise MalformedInputError(name, None, Fault.TOO_LARGE, detail)
    if len(content) % EVENT_BYTES or not content:
        detail = f"it has {len(content)} bytes, which are not whole events of {EVENT_BYTES}"
        raise MalformedInputError(name, None, Fault.EVENTS, detail)
    records = numpy.frombuffer(content, numpy.uint8)
    events = decode_events(records)
    # The positions in the file of all events other than overflows.
    places = numpy.flatnonzero(records[1::EVENT_BYTES] != OVERFLOW_ROW) * EVENT_BYTES
    for kind, values in (("column", events.columns), ("row", events.rows)):
        if values.max(initial=0) >= EXTENT:
            first = int((values >= EXTENT).argmax())
            detail = f"an event is in {kind} {values[first]}, but the last one is {EXTENT - 1}"
            raise MalformedInputError(name, f"byte {places[first] + 1}", Fault.EVENTS, detail)
    if not len(places):
        raise MalformedInputError(name, None, Fault.EVENTS, "it has overflows of the clock alone")
    back = numpy.flatnonzero(numpy.diff(events.times) < 0)
    if len(back):
        earlier, later = events.times[back[0] : back[0] + 2]
        detail = f"an event is at {later} microseconds, but the one before it at {earlier}"
        raise MalformedInputError(name, f"byte {places[back[0] + 1] + 1}", Fault.EVENTS, detail)
    return events


def read_event_folder(path: Path) -> Iterator[Union[LabelledEvents, MalformedInputError]]:
    """
    Yields the recordings of a folder with a subfolder for each digit, as in N-MNIST, with an error
    in place of each that cannot be read. They are ordered by file name, so that the first ones are
    not all of the same digit.

    # Raises

    `MalformedInputError` if there are no recordings.
    """
    files = [
        file
        for file in path.glob("*/*")
        if file.name.lower().endswith(SUFFIX) and not file.name.startswith(APPLE_DOUBLE)
    ]
    if not files:
        detail = f"it has no folders with {SUFFIX} files; give the folder Train or Test of N-MNIST"
        raise MalformedInputError(str(path), None, Fault.NO_INSTANCES, detail)
    for file in sorted(files, key=lambda file: (file.name, file.parent.name)):
        try:
            yield LabelledEvents(read_events(file), file.parent.name)
        except MalformedInputError as error:
            # Here, any fault of a file only concerns one recording among others.
            detail = f"{error.fault.reason}: {error.detail}"
            yield MalformedInputError(str(file), error.place, Fault.RECORDING, detail)


def decode_events(content: numpy.ndarray) -> CameraEvents:
    """
    Returns the events in `content`, unsigned bytes of shape `(5 * num_events,)`. Overflow events
    are removed, and their time is added to the events after them.
    """
    columns, rows, *timing = content.reshape(-1, EVENT_BYTES).T.astype(numpy.int64)
    times = (timing[0] & 127) << 16 | timing[1] << 8 | timing[2]
    is_overflow = rows == OVERFLOW_ROW
    times = times + OVERFLOW_TIME * is_overflow.cumsum()
    kept = ~is_overflow
    return CameraEvents(times[kept], columns[kept], rows[kept], (timing[0] >> 7)[kept])


def encode_events(events: CameraEvents) -> bytes:
    """Returns the bytes of a file with these events. All times must be below 2 ** 23."""
    first = events.brighter << 7 | events.times >> 16
    parts = [events.columns, events.rows, first, events.times >> 8 & 255, events.times & 255]
    return numpy.stack(parts, axis=1).astype(numpy.uint8).tobytes()
