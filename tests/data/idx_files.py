"""Files in the format of MNIST, for tests."""

import gzip
import struct

import numpy

# The codes of the types.
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(values):
    """
    The bytes of a file that holds an array: the format's rules once more, the other way round. A
    list is one of bytes.
    """
    array = values if isinstance(values, numpy.ndarray) else numpy.array(values, numpy.uint8)
    start = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.str[1:]], array.ndim, *array.shape
    )
    return start + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_images(folder, images, labels):
    """Returns the path of the images, compressed; the labels lie beside them."""
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(images.astype(numpy.uint8))))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return str(path)
