import numpy
import pytest

from spigot_allennlp.data.dataset_readers.pixel_sequence import (
    SHAPES,
    PixelSequenceReader,
    sample_shape,
)
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.idx_files import idx

IMAGE = numpy.array([[0, 255, 51], [102, 153, 204]], dtype=numpy.uint8)


@pytest.fixture
def files(tmp_path):
    images = numpy.stack([IMAGE, IMAGE[::-1]])
    (tmp_path / "some-images-idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "some-labels-idx1-ubyte").write_bytes(idx(numpy.array([7, 3], dtype="u1")))
    return tmp_path


def pixels_of(instance):
    return pytest.approx(instance["inputs"].tensor.squeeze(-1).tolist())


def test_pixels_come_row_by_row_from_zero_to_one_with_the_label_from_beside(files):
    first, second = PixelSequenceReader().read(str(files / "some-images-idx3-ubyte"))
    assert [0, 1, 0.2, 0.4, 0.6, 0.8] == pixels_of(first)
    assert (first["label"].label, second["label"].label) == ("7", "3")


def test_the_first_of_a_number_of_images_is_held_out(tmp_path):
    path = tmp_path / "some-images-idx3-ubyte"
    path.write_bytes(idx(numpy.stack([IMAGE] * 7)))
    (tmp_path / "some-labels-idx1-ubyte").write_bytes(idx(numpy.arange(7, dtype="u1")))
    reader = PixelSequenceReader(held_out_every=3)

    def labels(part):
        return [instance["label"].label for instance in reader.read(f"{path}{part}")]

    assert labels("#train") == ["1", "2", "4", "5"]
    assert labels("#held_out") == ["0", "3", "6"]
    assert labels("") == list("0123456")


def test_squares_of_pixels_become_their_mean():
    instance = PixelSequenceReader(downsample=2).text_to_instance(IMAGE)
    assert [(0 + 1 + 0.4 + 0.6) / 4] == pixels_of(instance)
    assert "label" not in instance.fields


def test_a_permutation_is_the_same_for_all_images_and_all_readers():
    once, again = (PixelSequenceReader(permutation_seed=3) for _ in range(2))
    number = numpy.arange(64, dtype=numpy.uint8).reshape(8, 8)
    first = (once.text_to_instance(number)["inputs"].tensor * 255).round()
    assert (first == (again.text_to_instance(number)["inputs"].tensor * 255).round()).all()
    assert first.squeeze(-1).tolist() != list(range(64))
    assert sorted(first.squeeze(-1).tolist()) == list(range(64))


def test_generated_images_have_the_size_that_is_asked_for_and_all_classes():
    instances = list(PixelSequenceReader().read("synthetic:size=60,seed=1,image_size=6"))
    assert {len(instance["inputs"].tensor) for instance in instances} == {36}
    assert {instance["label"].label for instance in instances} == set("01234")


def test_the_ink_of_a_generated_image_is_where_its_class_says():
    random = numpy.random.default_rng(1)
    images = [sample_shape(random, 9) for _ in range(80)]
    for image, label in images:
        ink = image > 150
        if SHAPES[label] == "lying":
            assert ink.sum() == 9 and ink.any(axis=1).sum() == 1
        elif SHAPES[label] == "standing":
            assert ink.sum() == 9 and ink.any(axis=0).sum() == 1


def test_a_file_whose_labels_cannot_be_found_is_refused(files):
    (files / "some-images-idx3-ubyte").rename(files / "pictures")
    with pytest.raises(MalformedInputError, match="file of its labels cannot be found"):
        list(PixelSequenceReader().read(str(files / "pictures")))


def test_labels_that_are_not_as_many_as_images_are_refused(files):
    (files / "some-labels-idx1-ubyte").write_bytes(idx(numpy.array([7], dtype="u1")))
    with pytest.raises(MalformedInputError, match="expected are images and as many labels"):
        list(PixelSequenceReader().read(str(files / "some-images-idx3-ubyte")))


def test_a_damaged_file_is_named(files):
    (files / "some-images-idx3-ubyte").write_bytes(b"nothing")
    with pytest.raises(MalformedInputError, match="some-images-idx3-ubyte: .*is no idx file"):
        list(PixelSequenceReader().read(str(files / "some-images-idx3-ubyte")))


@pytest.mark.parametrize("image", [[1, 2, 3], [[1, 2]], [[0.5, 0.2], [0.1, 0.3]], [[1, 2], [3]]])
def test_what_is_no_image_of_bytes_or_too_small_is_refused(image):
    with pytest.raises(ValueError, match="must have rows and columns|whole numbers"):
        PixelSequenceReader(downsample=2).text_to_instance(image)
