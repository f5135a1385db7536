"""
The binary format of N-MNIST ([Orchard et al., 2015](https://doi.org/10.3389/fnins.2015.00437)):
what the pixels of a camera report when they become brighter or darker.

An event has 40 bits, the first byte first: 8 for the column, 8 for the row, 1 that is set where it
became brighter, and 23 for the time in microseconds.
"""

from os import PathLike
from typing import NamedTuple, Union

import numpy

from spigot_allennlp.data.source import open_source

EVENT_BYTES = 5
# This row does not exist: such an event says that the clock has overflown, and later times are so
# many microseconds later than they say.
OVERFLOW_ROW, OVERFLOW_TIME = 240, 2**13
EXTENT = 34


class Events(NamedTuple):
    """
    All of shape `(num_events,)`, in the order of the file.

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
        One number for each pixel and direction of change: first all that became darker, row by row,
        then all that became brighter.
        """
        return (self.brighter * extent + self.rows) * extent + self.columns


def read_events(path: Union[str, PathLike]) -> Events:
    """
    # Raises

    `ValueError` if the file is not made of whole events, or has one outside 34 x 34 pixels.
    """
    with open_source(path, "events") as stream:
        content = stream.read()
    if len(content) % EVENT_BYTES:
        raise ValueError(
            f"{path} has {len(content)} bytes, which are not whole events of {EVENT_BYTES}. It may "
            "be cut short: fetch it again."
        )
    events = decode_events(numpy.frombuffer(content, numpy.uint8))
    for name, places in (("column", events.columns), ("row", events.rows)):
        if places.max(initial=0) >= EXTENT:
            raise ValueError(
                f"{path} has an event in {name} {places.max()}, but N-MNIST has {EXTENT} of them, "
                "from 0 on. It may be in another format."
            )
    return events


def decode_events(content: numpy.ndarray) -> Events:
    """Without the overflow events, whose time is added to those after them."""
    columns, rows, *rest = content.reshape(-1, EVENT_BYTES).T.astype(numpy.int64)
    times = (rest[0] & 127) << 16 | rest[1] << 8 | rest[2]
    is_overflow = rows == OVERFLOW_ROW
    times = times + OVERFLOW_TIME * is_overflow.cumsum()
    kept = ~is_overflow
    return Events(times[kept], columns[kept], rows[kept], (rest[0] >> 7)[kept])


def encode_events(events: Events) -> bytes:
    """The other way round; all times below 2 ** 23."""
    first = events.brighter << 7 | events.times >> 16
    parts = [events.columns, events.rows, first, events.times >> 8 & 255, events.times & 255]
    return numpy.stack(parts, axis=1).astype(numpy.uint8).tobytes()
