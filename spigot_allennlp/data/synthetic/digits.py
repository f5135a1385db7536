"""
Synthetic digits, as on a seven-segment display: images, and recordings of a camera that moves in
front of these images and reports events, as in N-MNIST ([Orchard et al.,
2015](https://doi.org/10.3389/fnins.2015.00437)).

The digits are easy to tell apart, but not linearly separable: their segments vary in thickness,
position and slant, and there is noise.
"""

import random
from typing import Iterator, List, NamedTuple, Tuple

import numpy
from numpy import ndarray

from spigot_allennlp.data.formats.events import EXTENT, CameraEvents
from spigot_allennlp.data.synthetic.specification import parse_specification

#: Height and width of the image of a digit, in pixels.
SIZE = 28


class Point(NamedTuple):
    """A place in an image, in pixels from the top and from the left, possibly fractional."""

    row: float
    column: float


# The segments of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
_SEGMENTS = (
    (0, 1, 2, 4, 5, 6),
    (2, 5),
    (0, 2, 3, 4, 6),
    (0, 2, 3, 5, 6),
    (1, 2, 3, 5),
    (0, 1, 3, 5, 6),
    (0, 1, 3, 4, 5, 6),
    (0, 2, 5),
    (0, 1, 2, 3, 4, 5, 6),
    (0, 1, 2, 3, 5, 6),
)
# Both ends of each segment: the row in halves of the digit's height, the column in its widths.
_ENDS = (
    (Point(0, 0), Point(0, 1)),
    (Point(0, 0), Point(1, 0)),
    (Point(0, 1), Point(1, 1)),
    (Point(1, 0), Point(1, 1)),
    (Point(1, 0), Point(2, 0)),
    (Point(1, 1), Point(2, 1)),
    (Point(2, 0), Point(2, 1)),
)
# Where the digit appears in each view of the camera, (rows from the top, columns from the left):
# three sweeps, as in N-MNIST.
_OFFSETS = ((0, 0), (1, 1), (2, 2), (3, 3), (2, 4), (1, 5), (0, 6), (0, 4), (0, 2), (0, 0))
_MICROSECONDS_BETWEEN_VIEWS = 30_000
#: The change of brightness, out of 255, up to which a pixel reports nothing.
_THRESHOLD = 60


def generate_digits(spec: str) -> Iterator[Tuple[ndarray, int]]:
    """
    Yields images of digits, unsigned bytes of shape `(28, 28)`, each with its digit.

    # Parameters

    spec : `str`
        For example `"synthetic:size=500,seed=1"`. Image i is the same for every size.

    # Raises

    `ValueError` that says what is wrong in `spec`.
    """
    specification = parse_specification(spec)
    for number in range(specification.size):
        generator = random.Random(f"digits:{specification.seed}:{number}")
        digit = generator.randrange(10)
        yield render_digit(digit, generator), digit


def render_digit(digit: int, generator: random.Random) -> ndarray:
    """Returns an image of the digit, shape `(28, 28)`. `generator` makes the random choices."""
    top, left = generator.uniform(4, 8), generator.uniform(7, 11)
    half_height, width = generator.uniform(6, 8), generator.uniform(8, 11)
    slant, thickness = generator.uniform(-0.2, 0.2), generator.uniform(1.0, 1.8)
    rows, columns = numpy.mgrid[0:SIZE, 0:SIZE].astype(float)
    distance = numpy.full((SIZE, SIZE), numpy.inf)
    for segment in _SEGMENTS[digit]:
        start, end = (
            Point(
                top + half_height * corner.row,
                left + width * corner.column + slant * half_height * (1 - corner.row),
            )
            for corner in _ENDS[segment]
        )
        distance = numpy.minimum(distance, _distance_to_segment(rows, columns, start, end))
    ink = numpy.clip(thickness + 0.5 - distance, 0, 1)
    noise = numpy.frombuffer(generator.randbytes(SIZE * SIZE), numpy.uint8).reshape(SIZE, SIZE)
    specks = (noise > 250) * 0.5
    darkness = generator.uniform(0.7, 1)
    return (255 * numpy.clip(ink * darkness + specks, 0, 1)).astype(numpy.uint8)


def _distance_to_segment(rows: ndarray, columns: ndarray, start: Point, end: Point) -> ndarray:
    """Returns the distance of every pixel from the line segment between two points."""
    along = numpy.subtract(end, start)
    share = ((rows - start.row) * along[0] + (columns - start.column) * along[1]) / (along @ along)
    share = numpy.clip(share, 0, 1)
    nearest = Point(start.row + share * along[0], start.column + share * along[1])
    return numpy.hypot(rows - nearest.row, columns - nearest.column)


def generate_events(spec: str) -> Iterator[Tuple[CameraEvents, int]]:
    """
    Yields the events of recordings, each with the digit that it shows.

    # Parameters

    spec : `str`
        For example `"synthetic:size=500,seed=1"`. Recording i is the same for every size.

    # Raises

    `ValueError` that says what is wrong in `spec`.
    """
    for image, digit in generate_digits(spec):
        yield render_events(image), digit


def render_events(image: ndarray) -> CameraEvents:
    """
    Returns the events that a moving camera reports for an image of shape `(28, 28)`. The more the
    brightness of a pixel changes between two views, the sooner it reports this.
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
