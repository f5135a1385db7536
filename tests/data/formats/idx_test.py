import gzip
from pathlib import Path

import numpy
import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.idx import as_bytes, read_idx, read_images
from tests.data.idx_files import CODES, idx, write_images

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 3), (0, 4)])
def test_an_array_is_read_back_in_its_type_and_shape(kind, shape, tmp_path):
    array = numpy.arange(numpy.prod(shape)).reshape(shape).astype(kind)
    (tmp_path / "array").write_bytes(idx(array))
    array_read = read_idx(tmp_path / "array")
    assert array_read.dtype == array.dtype and array_read.shape == shape
    assert (array_read == array).all()


def test_the_bytes_are_those_of_the_description(tmp_path):
    (tmp_path / "array").write_bytes(bytes.fromhex("00000802 00000002 00000003 010203 040506"))
    assert read_idx(tmp_path / "array").tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_compressed_file_is_recognised_by_its_bytes(tmp_path):
    array = numpy.arange(6, dtype="u1").reshape(2, 3)
    (tmp_path / "array").write_bytes(gzip.compress(idx(array)))
    assert (read_idx(tmp_path / "array") == array).all()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is no idx file, for it begins with nothing"),
        (b"\x89PNG\r\n", "is no idx file, for it begins with 89 50 4e 47"),
        (b"\0\0\x07\1\0\0\0\0", "is no idx file, for it begins with 00 00 07 01"),
        (
            b"\0\0\x08\1\0\0\0\3\1\2",
            r"byte 9: .* its dimensions \(3,\) ask for 3 bytes of data, but it holds 2",
        ),
        (
            b"\0\0\x08\1\0\0\0\1\1\2",
            r"its dimensions \(1,\) ask for 1 bytes of data, but it holds more",
        ),
        (b"\0\0\x08\3\0\0\0\1", "cut short"),
        (b"\0\0\x08\3\0\0\0\1\0\0", "cut short"),
        (b"\0\0\x08\0", "is no idx file"),
        (b"\0\0\x08\xff" + bytes(8), "it ends within its 255 dimensions"),
        (
            b"\0\0\x0e\3" + b"\xff" * 12 + bytes(9),
            r"its 3 dimensions .* ask for about 2\*\*98 bytes",
        ),
        (b"\0\0\x08\xff" + b"\xff" * 1020, r"its 255 dimensions .* ask for about 2\*\*8159 bytes"),
        (b"\0\0\x08\1\x7f\xff\xff\xff\1", "ask for 2147483647 bytes of data, but it holds 1"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\1\1", mtime=0)[:-9], "compressed file is damaged"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content, message, tmp_path):
    (tmp_path / "array").write_bytes(content)
    with pytest.raises(MalformedInputError, match=f"array.*{message}"):
        read_idx(tmp_path / "array")


@pytest.mark.skipif(not MNIST.exists(), reason="the data sets are not here")
def test_mnist_is_read():
    images = read_idx(MNIST / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(MNIST / "t10k-labels-idx1-ubyte.gz")
    assert images.shape == (10000, 28, 28) and labels.shape == (10000,)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4] and images.max() == 255


def test_images_and_labels_are_read(tmp_path):
    images = numpy.arange(24, dtype=numpy.uint8).reshape(2, 3, 4)
    images_read, labels = read_images(write_images(tmp_path, images, [7, 1]))
    assert numpy.array_equal(images_read, images) and labels.tolist() == [7, 1]


def test_images_without_as_many_labels_are_refused(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 3, 4)), [7])
    with pytest.raises(ValueError, match=r"shape \[2, 3, 4\], and .*labels-idx1.* one of \[1\]"):
        read_images(path)


def test_a_name_from_which_the_labels_do_not_follow_is_refused(tmp_path):
    with pytest.raises(ValueError, match="file of its labels cannot be found"):
        read_images(tmp_path / "images")


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "f4", "f8"])
def test_images_of_other_numbers_than_bytes_are_refused(kind, tmp_path):
    path = write_images(tmp_path, numpy.zeros((1, 2, 2)), [7])
    with open(path, "wb") as file:
        file.write(idx(numpy.full((1, 2, 2), 3, kind)))
    with pytest.raises(MalformedInputError, match="images-idx3.*numbers of type") as caught:
        read_images(path)
    assert caught.value.fault is Fault.ARRAY_TYPE


@pytest.mark.parametrize("labels", [numpy.ones(1, "f4"), numpy.full(1, -3, "i2")])
def test_labels_that_are_no_whole_numbers_from_zero_on_are_refused(labels, tmp_path):
    path = write_images(tmp_path, numpy.zeros((1, 2, 2)), labels)
    with pytest.raises(MalformedInputError, match="labels-idx1.*(type float32|a label is -3)"):
        read_images(path)


def test_images_without_pixels_are_refused(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 0, 4)), [7, 1])
    with pytest.raises(MalformedInputError, match="images of 0 x 4 pixels"):
        read_images(path)


@pytest.mark.parametrize(
    "image, message",
    [
        ([[0.0, 0.5], [1.0, 0.2]], "is 0.5.*Multiply intensities from 0 to 1 by 255"),
        ([[0, 256]], "pixel of the image is 256"),
        ([[0, -1]], "pixel of the image is -1"),
        ([[0, float("nan")]], "pixel of the image is nan"),
        ([[0, 10**30]], "no numbers|is 1"),
        ([[0, None]], "no numbers"),
        ([["0", "1"]], r"no numbers \(str\)"),
        ([[True, False]], r"no numbers \(bool\)"),
        ([[0, 1], [2]], "unequal length"),
        ([], "no pixels"),
        (None, "no pixels|no numbers"),
        ({"a": 1}, "no pixels|no numbers"),
    ],
)
def test_what_is_no_image_of_bytes_is_refused_with_the_way_out(image, message):
    with pytest.raises(ValueError, match=message) as caught:
        as_bytes(image)
    assert "whole numbers from 0 (black) to 255 (white)" in str(caught.value)


def test_whole_numbers_are_bytes_whatever_their_type():
    for image in ([[0, 255]], [[0.0, 255.0]], numpy.array([[0, 255]], "i8")):
        assert as_bytes(image).dtype == numpy.uint8 and as_bytes(image).tolist() == [[0, 255]]
