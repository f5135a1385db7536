"""The format of MNIST: arrays of bytes with their shape in front."""

import math
from os import PathLike
from typing import Tuple, Union

import numpy

from spigot_allennlp.data.source import open_source

BYTES = 8  # the code of the type
IMAGES, LABELS = "images-idx3", "labels-idx1"


def read_idx(path: Union[str, PathLike]) -> numpy.ndarray:
    """
    The array of bytes in a file, which may be compressed.

    # Raises

    `ValueError` that says what is wrong with the file.
    """
    with open_source(path, "idx") as stream:
        start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] != BYTES or not 1 <= start[3] <= 8:
            raise ValueError(
                f"{path} does not begin as an idx file of bytes does (00 00 08, and the number of "
                f"dimensions) but with {start.hex(' ')}. Give one of the files of MNIST."
            )
        sizes = [int.from_bytes(stream.read(4), "big") for _ in range(start[3])]
        values = numpy.frombuffer(stream.read(), dtype=numpy.uint8)
    if len(values) != math.prod(sizes):
        raise ValueError(
            f"{path} says that its shape is {sizes}, but has {len(values)} values. It may be "
            "cut short: fetch it again."
        )
    return values.reshape(sizes)


def read_images(path: Union[str, PathLike]) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """
    Images, `(number, height, width)`, and labels, `(number,)`: from the file of the images, and
    that of the labels beside it, whose name has "labels-idx1" where this has "images-idx3".

    # Raises

    `ValueError` that says what is wrong.
    """
    name = str(path)
    if IMAGES not in name:
        raise ValueError(
            f"{name} is not called ...{IMAGES}..., so that the file of its labels cannot be found. "
            "Give the file of the images under its own name."
        )
    images, labels = read_idx(name), read_idx(LABELS.join(name.rsplit(IMAGES, 1)))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"{name} holds an array of shape {list(images.shape)}, and its labels one of "
            f"{list(labels.shape)}; expected are images and as many labels."
        )
    return images, labels
