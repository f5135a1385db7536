"""The embedded event recordings: the embedded digits, before a camera that is moved to and fro."""

from typing import Iterator, Tuple

import numpy

from spigot_allennlp.data.event_format import EXTENT, Events
from spigot_allennlp.data.synthetic_digits import SIZE, generate_digits

# Where the camera looks one after the other, (down, right); three sweeps, as with N-MNIST.
GAZES = ((0, 0), (1, 1), (2, 2), (3, 3), (2, 4), (1, 5), (0, 6), (0, 4), (0, 2), (0, 0))
STEP = 30_000  # microseconds
CONTRAST = 60


def generate_events(spec: str) -> Iterator[Tuple[Events, int]]:
    """
    Events and digits; see `generate_digits` for `spec`.

    # Raises

    `ValueError` that says what in `spec` is wrong.
    """
    for image, digit in generate_digits(spec):
        yield film(image), digit


def film(image: numpy.ndarray) -> Events:
    """The more a pixel changes, the sooner it says so."""
    views = []
    for down, right in GAZES:
        view = numpy.zeros((EXTENT, EXTENT), numpy.int64)
        view[down : down + SIZE, right : right + SIZE] = image
        views.append(view)
    found = []
    for number, change in enumerate(numpy.diff(numpy.stack(views), axis=0)):
        rows, columns = numpy.nonzero(abs(change) > CONTRAST)
        strength = change[rows, columns]
        times = number * STEP + (255 - abs(strength)) * STEP // 256
        found.append((times, columns, rows, (strength > 0).astype(numpy.int64)))
    times, columns, rows, brighter = (numpy.concatenate(each) for each in zip(*found, strict=True))
    order = numpy.argsort(times, kind="stable")
    return Events(times[order], columns[order], rows[order], brighter[order])
