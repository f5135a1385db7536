"""The idx format of MNIST and its relatives: arrays of any number of dimensions."""

import zlib
from gzip import BadGzipFile
from lzma import LZMAError
from math import prod
from os import PathLike
from typing import Tuple, Union

import numpy

from spigot_allennlp.data.source import open_source

# In the name of a file of images, and in that of its labels.
IMAGES, LABELS = "images-idx3", "labels-idx1"

# By the third byte of a file.
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Union[str, PathLike]) -> numpy.ndarray:
    """
    The array in a file, plain, gzip or xz, in the machine's byte order. The file begins with two
    bytes of zero, one for the type and one for the number of dimensions; the dimensions follow as
    integers of four bytes, and then the data, all of it with the highest byte first.

    # Raises

    `ValueError` that names the file, what was found in it, and what was expected.
    """
    with open_source(path, "idx") as stream:
        try:
            content = stream.read()
        except (EOFError, BadGzipFile, LZMAError, zlib.error) as error:
            raise ValueError(
                f"{path}: the compressed file is damaged ({error}). Fetch it again."
            ) from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise ValueError(
            f"{path} is no idx file: it begins with {content[:4].hex(' ') or 'nothing'}, but "
            "should with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions. "
            "MNIST's files are called train-images-idx3-ubyte(.gz) and so on."
        )
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    kind = numpy.dtype(TYPES[content[2]])
    expected = start + prod(shape) * kind.itemsize
    if len(content) != expected:
        raise ValueError(
            f"{path} holds {len(content)} bytes, but its dimensions {shape} ask for {expected}: it "
            "was cut short, or something was added. Fetch it again."
        )
    data = numpy.frombuffer(content, kind, offset=start).reshape(shape)
    return data.astype(kind.newbyteorder("="))


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
