"""Small images to be told apart: bars that lie, stand or slant, and a ring, anywhere, in noise."""

from typing import Tuple

import numpy

CLASSES = ("lying", "standing", "falling", "rising", "ring")
NOISE = 40  # of 255


def draw_image(random: numpy.random.Generator, size: int) -> Tuple[numpy.ndarray, int]:
    """
    An image of `size` by `size` pixels, unsigned bytes, and the number of its class in `CLASSES`.
    """
    label = int(random.integers(len(CLASSES)))
    row, column = random.integers(1, size - 1, 2)
    rows, columns = numpy.indices((size, size))
    distances = {
        "lying": abs(rows - row),
        "standing": abs(columns - column),
        "falling": abs((rows - row) - (columns - column)),
        "rising": abs((rows - row) + (columns - column)),
        "ring": abs(numpy.hypot(rows - row, columns - column) - size / 4),
    }
    ink = 255 * (distances[CLASSES[label]] < 0.7)
    noise = random.integers(-NOISE, NOISE + 1, (size, size))
    return numpy.clip(ink + noise, 0, 255).astype(numpy.uint8), label
