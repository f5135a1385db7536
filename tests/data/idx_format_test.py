import numpy
import pytest

from spigot_allennlp.data.idx_format import read_idx, read_images
from tests.data.idx_files import idx, write_images


def test_images_and_labels_are_read(tmp_path):
    images = numpy.arange(24, dtype=numpy.uint8).reshape(2, 3, 4)
    found, labels = read_images(write_images(tmp_path, images, [7, 1]))
    assert numpy.array_equal(found, images) and labels.tolist() == [7, 1]


def test_a_file_that_is_not_compressed_is_read_as_well(tmp_path):
    (tmp_path / "labels").write_bytes(idx([3, 1]))
    assert read_idx(tmp_path / "labels").tolist() == [3, 1]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "does not begin as an idx file"),
        (b"PNG and more", "but with 50 4e 47 20"),
        (idx([1, 2, 3])[:-1], r"says that its shape is \[3\], but has 2 values"),
        (idx([[1, 2]])[:12], "but has 0 values"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, message, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "file")


def test_images_without_as_many_labels_are_refused(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 3, 4)), [7])
    with pytest.raises(ValueError, match=r"shape \[2, 3, 4\], and its labels one of \[1\]"):
        read_images(path)


def test_a_name_from_which_the_labels_do_not_follow_is_refused(tmp_path):
    with pytest.raises(ValueError, match="file of its labels cannot be found"):
        read_images(tmp_path / "images")
