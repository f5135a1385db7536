"""
Synthetic images: digits, as a seven-segment display shows them, and simple shapes.

The digits are easy to tell apart, but not linearly separable: their segments vary in thickness,
position and slant, under noise. The shapes are small enough to be read pixel by pixel.
"""

import random
from typing import Iterator, NamedTuple, Tuple

import numpy
from numpy import ndarray

from spigot_allennlp.data.synthetic.specification import parse_specification

#: Height and width of the image of a digit, in pixels.
SIZE = 28

#: The classes of shapes: a line in one of four directions, or a circle.
SHAPES = ("lying", "standing", "falling", "rising", "ring")


class Point(NamedTuple):
    """A place in an image, in pixels from the top and from the left; need not be whole numbers."""

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
# Both ends of each segment; the row in halves of the digit's height, the column in its widths.
_ENDS = (
    (Point(0, 0), Point(0, 1)),
    (Point(0, 0), Point(1, 0)),
    (Point(0, 1), Point(1, 1)),
    (Point(1, 0), Point(1, 1)),
    (Point(1, 0), Point(2, 0)),
    (Point(1, 1), Point(2, 1)),
    (Point(2, 0), Point(2, 1)),
)
# The greatest noise of a pixel in the image of a shape, of 255.
_NOISE = 40


def generate_digits(spec: str) -> Iterator[Tuple[ndarray, int]]:
    """
    Yields images of digits, unsigned bytes of shape `(28, 28)`, each with the digit.

    # Parameters

    spec : `str`
        Such as `"synthetic:size=500,seed=1"`. Image i is the same for every size.

    # Raises

    `ValueError` that says what in `spec` is wrong.
    """
    specification = parse_specification(spec)
    for number in range(specification.size):
        generator = random.Random(f"digits:{specification.seed}:{number}")
        digit = generator.randrange(10)
        yield render_digit(digit, generator), digit


def render_digit(digit: int, generator: random.Random) -> ndarray:
    """Returns an image of the digit, of shape `(28, 28)`; `generator` decides how it looks."""
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


def sample_shape(generator: numpy.random.Generator, size: int) -> Tuple[ndarray, int]:
    """
    Samples an image of a shape, unsigned bytes of shape `(size, size)`, under noise. Returns it
    with its class, an index into `SHAPES`.
    """
    label = int(generator.integers(len(SHAPES)))
    row, column = generator.integers(1, size - 1, 2)
    rows, columns = numpy.indices((size, size))
    distances = {
        "lying": abs(rows - row),
        "standing": abs(columns - column),
        "falling": abs((rows - row) - (columns - column)),
        "rising": abs((rows - row) + (columns - column)),
        "ring": abs(numpy.hypot(rows - row, columns - column) - size / 4),
    }
    ink = 255 * (distances[SHAPES[label]] < 0.7)
    noise = generator.integers(-_NOISE, _NOISE + 1, (size, size))
    return numpy.clip(ink + noise, 0, 255).astype(numpy.uint8), label


def _distance_to_segment(rows: ndarray, columns: ndarray, start: Point, end: Point) -> ndarray:
    """Returns the distance of every pixel from the line segment between two points."""
    along = numpy.subtract(end, start)
    share = ((rows - start.row) * along[0] + (columns - start.column) * along[1]) / (along @ along)
    share = numpy.clip(share, 0, 1)
    nearest = Point(start.row + share * along[0], start.column + share * along[1])
    return numpy.hypot(rows - nearest.row, columns - nearest.column)
