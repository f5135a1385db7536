"""
Synthetic recordings of an event camera: the synthetic digits, before which the camera moves.

A pixel reports an event when it becomes brighter or darker, as in N-MNIST
([Orchard et al., 2015](https://doi.org/10.3389/fnins.2015.00437)).
"""

from typing import Iterator, List, Tuple

import numpy
from numpy import ndarray

from spigot_allennlp.data.formats.events import EXTENT, CameraEvents
from spigot_allennlp.data.synthetic.images import SIZE, generate_digits

# Where the digit appears in each view of the camera, (rows from the top, columns from the left):
# three sweeps, as in N-MNIST.
_OFFSETS = ((0, 0), (1, 1), (2, 2), (3, 3), (2, 4), (1, 5), (0, 6), (0, 4), (0, 2), (0, 0))
_MICROSECONDS_BETWEEN_VIEWS = 30_000
#: A change of brightness, of 255, up to which a pixel reports nothing.
_THRESHOLD = 60


def generate_events(spec: str) -> Iterator[Tuple[CameraEvents, int]]:
    """
    Yields the events of a recording and the digit that it shows.

    # Parameters

    spec : `str`
        Such as `"synthetic:size=500,seed=1"`. Recording i is the same for every size.

    # Raises

    `ValueError` that says what in `spec` is wrong.
    """
    for image, digit in generate_digits(spec):
        yield render_events(image), digit


def render_events(image: ndarray) -> CameraEvents:
    """
    Returns what a moving camera reports of an image of shape `(28, 28)`. The more the brightness of
    a pixel changes from one view to the next, the sooner it reports that.
    """
    views = []
    for row, column in _OFFSETS:
        view = numpy.zeros((EXTENT, EXTENT), numpy.int64)
        view[row : row + SIZE, column : column + SIZE] = image
        views.append(view)
    steps: List[CameraEvents] = []
    for step, change in enumerate(numpy.diff(numpy.stack(views), axis=0)):
        rows, columns = numpy.nonzero(abs(change) > _THRESHOLD)
        strength = change[rows, columns]
        delays = (255 - abs(strength)) * _MICROSECONDS_BETWEEN_VIEWS // 256
        times = step * _MICROSECONDS_BETWEEN_VIEWS + delays
        steps.append(CameraEvents(times, columns, rows, (strength > 0).astype(numpy.int64)))
    events = CameraEvents(*map(numpy.concatenate, zip(*steps, strict=True)))
    order = numpy.argsort(events.times, kind="stable")
    return CameraEvents(*(values[order] for values in events))
