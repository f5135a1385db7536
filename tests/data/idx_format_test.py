import gzip
from pathlib import Path

import numpy
import pytest

from spigot_allennlp.data.idx_format import read_idx, read_images
from tests.data.idx_files import CODES, idx, write_images

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 3), (0, 4)])
def test_an_array_is_read_back_in_its_type_and_shape(kind, shape, tmp_path):
    array = numpy.arange(numpy.prod(shape)).reshape(shape).astype(kind)
    (tmp_path / "array").write_bytes(idx(array))
    found = read_idx(tmp_path / "array")
    assert found.dtype == array.dtype and found.shape == shape
    assert (found == array).all()


def test_the_bytes_are_those_of_the_description(tmp_path):
    (tmp_path / "array").write_bytes(bytes.fromhex("00000802 00000002 00000003 010203 040506"))
    assert read_idx(tmp_path / "array").tolist() == [[1, 2, 3], [4, 5, 6]]


def test_it_is_told_by_its_bytes_whether_a_file_is_compressed(tmp_path):
    array = numpy.arange(6, dtype="u1").reshape(2, 3)
    (tmp_path / "array").write_bytes(gzip.compress(idx(array)))
    assert (read_idx(tmp_path / "array") == array).all()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is no idx file: it begins with nothing"),
        (b"\x89PNG\r\n", "is no idx file: it begins with 89 50 4e 47"),
        (b"\0\0\x07\1\0\0\0\0", "is no idx file: it begins with 00 00 07 01"),
        (b"\0\0\x08\1\0\0\0\3\1\2", r"10 bytes, but its dimensions \(3,\) ask for 11"),
        (b"\0\0\x08\1\0\0\0\1\1\2", r"10 bytes, but its dimensions \(1,\) ask for 9"),
        (b"\0\0\x08\3\0\0\0\1", "cut short"),
        (b"\0\0\x08\3\0\0\0\1\0\0", "cut short"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\1\1", mtime=0)[:-9], "compressed file is damaged"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content, message, tmp_path):
    (tmp_path / "array").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "array")


@pytest.mark.skipif(not MNIST.exists(), reason="the data sets are not here")
def test_mnist_is_read():
    images = read_idx(MNIST / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(MNIST / "t10k-labels-idx1-ubyte.gz")
    assert images.shape == (10000, 28, 28) and labels.shape == (10000,)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4] and images.max() == 255


def test_images_and_labels_are_read(tmp_path):
    images = numpy.arange(24, dtype=numpy.uint8).reshape(2, 3, 4)
    found, labels = read_images(write_images(tmp_path, images, [7, 1]))
    assert numpy.array_equal(found, images) and labels.tolist() == [7, 1]


def test_images_without_as_many_labels_are_refused(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 3, 4)), [7])
    with pytest.raises(ValueError, match=r"shape \[2, 3, 4\], and its labels one of \[1\]"):
        read_images(path)


def test_a_name_from_which_the_labels_do_not_follow_is_refused(tmp_path):
    with pytest.raises(ValueError, match="file of its labels cannot be found"):
        read_images(tmp_path / "images")
