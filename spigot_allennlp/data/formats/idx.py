"""The idx format of MNIST and its relatives: arrays of any number of dimensions."""

from math import prod
from os import PathLike
from typing import Any, NamedTuple, Union

import numpy

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import open_file, read_at_most

# Parts of the names of image files, and of label files.
IMAGES, LABELS = "images-idx3", "labels-idx1"

# By the third byte of the file.
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

# In bytes. A header that asks for more counts as damaged.
LARGEST = 2**33


class LabelledImages(NamedTuple):
    """
    The images of a file, and the labels from the file beside it.

    # Parameters

    images : `numpy.ndarray`
        Unsigned bytes, shape `(number, height, width)`.
    labels : `numpy.ndarray`
        Integers from 0 on, shape `(number,)`.
    """

    images: numpy.ndarray
    labels: numpy.ndarray


def read_idx(path: Union[str, PathLike]) -> numpy.ndarray:
    """
    Returns the array in a file, plain or compressed, in the machine's byte order. The file begins
    with two zero bytes, one byte for the type, and one for the number of dimensions. Then come the
    dimensions as four-byte integers, and the data, all in big-endian order.

    # Raises

    `MalformedInputError` that names the file, what was found in it, and what was expected.
    """
    name = str(path)
    with open_file(path) as stream:
        start = bytes(read_at_most(stream, 4))
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not start[3]:
            detail = (
                f"it is no idx file, for it begins with {start.hex(' ') or 'nothing'}, but should "
                "with 00 00, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions. "
                "MNIST's files are called train-images-idx3-ubyte(.gz) and so on"
            )
            raise MalformedInputError(name, "byte 1", Fault.FORMAT, detail)
        sizes = read_at_most(stream, 4 * start[3])
        if len(sizes) < 4 * start[3]:
            detail = f"it ends within its {start[3]} dimensions"
            raise MalformedInputError(name, "byte 5", Fault.SIZE, detail)
        shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
        dtype = numpy.dtype(TYPES[start[2]])
        expected = prod(shape) * dtype.itemsize
        if expected > LARGEST or len(shape) > 32:
            # as a power of two: with 255 dimensions, the number would be too large for a float
            size = f"about 2**{expected.bit_length() - 1}"
            detail = f"its {len(shape)} dimensions {shape[:8]} ask for {size} bytes"
            raise MalformedInputError(name, "byte 5", Fault.SIZE, detail)
        content = read_at_most(stream, expected + 1)
    if len(content) != expected:
        actual = "more" if len(content) > expected else f"{len(content)}"
        detail = f"its dimensions {shape} ask for {expected} bytes of data, but it holds {actual}"
        raise MalformedInputError(name, f"byte {5 + len(sizes)}", Fault.SIZE, detail)
    data = numpy.frombuffer(content, dtype).reshape(shape)
    return data.astype(dtype.newbyteorder("="), copy=False)


def read_images(path: Union[str, PathLike]) -> LabelledImages:
    """
    Returns images and their labels, from the image file and the label file beside it. The name of
    the latter has "labels-idx1" in place of "images-idx3".

    # Raises

    `MalformedInputError` that says what is wrong with one of the files, or with the pair.
    """
    name = str(path)
    if IMAGES not in name:
        detail = (
            f"it is not called ...{IMAGES}..., so that the file of its labels cannot be found. "
            "Give the file of the images under its own name"
        )
        raise MalformedInputError(name, None, Fault.FORMAT, detail)
    labels_name = LABELS.join(name.rsplit(IMAGES, 1))
    images, labels = read_idx(name), read_idx(labels_name)
    if images.dtype != numpy.uint8:
        detail = f"the images are numbers of type {images.dtype}"
        raise MalformedInputError(name, "byte 3", Fault.ARRAY_TYPE, detail)
    if labels.dtype.kind not in "iu" or labels.min(initial=0) < 0:
        detail = f"the labels are numbers of type {labels.dtype}"
        if labels.dtype.kind == "i":
            detail = f"a label is {labels.min()}"
        raise MalformedInputError(labels_name, "byte 3", Fault.ARRAY_TYPE, detail)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        detail = (
            f"this is an array of shape {list(images.shape)}, and {labels_name} one of "
            f"{list(labels.shape)}; expected are images and as many labels"
        )
        raise MalformedInputError(name, None, Fault.ARRAY_PAIR, detail)
    if len(images) and not images.size:
        detail = f"images of {images.shape[1]} x {images.shape[2]} pixels"
        raise MalformedInputError(name, "byte 9", Fault.ARRAY_PAIR, detail)
    return LabelledImages(images, labels)


def as_bytes(image: Any) -> numpy.ndarray:
    """
    Returns the same image as unsigned bytes.

    # Parameters

    image : `Any`
        An array, or rows of numbers, each an integer from 0 to 255.

    # Raises

    `ValueError` that says what was found instead: rows of unequal length, floats from 0 to 1, or
    values that are not numbers.
    """
    way_out = "Give rows of equal length, of whole numbers from 0 (black) to 255 (white)."
    try:
        pixels = numpy.asarray(image)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"The rows of the image are of unequal length. {way_out}") from error
    if not pixels.size or pixels.ndim == 0:
        raise ValueError(f"The image has no pixels. {way_out}")
    if pixels.dtype == numpy.uint8:
        return pixels
    if pixels.dtype.kind not in "iuf":
        kinds = sorted({type(pixel).__name__ for pixel in pixels.reshape(-1).tolist()})
        raise ValueError(f"The image has pixels that are no numbers ({kinds[0]}). {way_out}")
    wrong = ~((pixels >= 0) & (pixels <= 255) & (pixels == numpy.round(pixels)))
    if wrong.any():
        hint = " Multiply intensities from 0 to 1 by 255." if _are_intensities(pixels) else ""
        raise ValueError(f"A pixel of the image is {pixels[wrong][0]}. {way_out}{hint}")
    return pixels.astype(numpy.uint8)


def _are_intensities(pixels: numpy.ndarray) -> bool:
    return pixels.dtype.kind == "f" and bool(((pixels >= 0) & (pixels <= 1)).all())
