"""
The embedded digits: drawn as on a display of seven segments, here thick, there thin, moved, slanted
and with noise. Easy, but not linearly separable.
"""

import random
from typing import Iterator, Tuple

import numpy

from spigot_allennlp.data.synthetic.specification import parse_specification

SIZE = 28
# The segments of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
SEGMENTS = (
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
# Both ends of each segment, (down, right), in halves of the height and in widths.
ENDS = (
    ((0, 0), (0, 1)),
    ((0, 0), (1, 0)),
    ((0, 1), (1, 1)),
    ((1, 0), (1, 1)),
    ((1, 0), (2, 0)),
    ((1, 1), (2, 1)),
    ((2, 0), (2, 1)),
)


def generate_digits(spec: str) -> Iterator[Tuple[numpy.ndarray, int]]:
    """
    Images of bytes, `(28, 28)`, and their digits.

    # Parameters

    spec : `str`
        Such as "synthetic:size=500,seed=1". Image i is the same for every size.

    # Raises

    `ValueError` that says what in `spec` is wrong.
    """
    size, seed = parse_specification(spec)[:2]
    for number in range(size):
        draw = random.Random(f"digits:{seed}:{number}")
        digit = draw.randrange(10)
        yield draw_digit(digit, draw), digit


def draw_digit(digit: int, draw: random.Random) -> numpy.ndarray:
    """One image."""
    top, left = draw.uniform(4, 8), draw.uniform(7, 11)
    high, wide = draw.uniform(6, 8), draw.uniform(8, 11)
    slant, thickness = draw.uniform(-0.2, 0.2), draw.uniform(1.0, 1.8)
    down, right = numpy.mgrid[0:SIZE, 0:SIZE].astype(float)
    distance = numpy.full((SIZE, SIZE), numpy.inf)
    for segment in SEGMENTS[digit]:
        ends = [
            (top + high * y, left + wide * x + slant * high * (1 - y)) for y, x in ENDS[segment]
        ]
        distance = numpy.minimum(distance, _distance(down, right, *ends))
    ink = numpy.clip(thickness + 0.5 - distance, 0, 1)
    noise = numpy.frombuffer(draw.randbytes(SIZE * SIZE), numpy.uint8).reshape(SIZE, SIZE)
    specks = (noise > 250) * 0.5
    return (255 * numpy.clip(ink * draw.uniform(0.7, 1) + specks, 0, 1)).astype(numpy.uint8)


def _distance(
    down: numpy.ndarray,
    right: numpy.ndarray,
    start: Tuple[float, float],
    end: Tuple[float, float],
) -> numpy.ndarray:
    """Of every point from a stretch of a line."""
    along = numpy.subtract(end, start)
    share = ((down - start[0]) * along[0] + (right - start[1]) * along[1]) / (along @ along)
    share = numpy.clip(share, 0, 1)
    return numpy.hypot(down - start[0] - share * along[0], right - start[1] - share * along[1])
