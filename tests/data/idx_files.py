"""Files in the format of MNIST, for tests."""

import gzip

import numpy


def idx(values):
    """The bytes of a file that holds an array of bytes."""
    array = numpy.asarray(values, numpy.uint8)
    sizes = numpy.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write_images(folder, images, labels):
    """Returns the path of the images, compressed; the labels lie beside them."""
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(images)))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return str(path)
