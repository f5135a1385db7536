import pytest

from spigot_allennlp.data.sentiment_sentence import GRADES, classes_of_labels


@pytest.mark.parametrize(
    "granularity, of_file, expected",
    [
        ("5-class", "5-class", "01234"),
        ("3-class", "5-class", "00122"),
        ("2-class", "5-class", "00-11"),
        ("3-class", "3-class", "012"),
        ("2-class", "3-class", "0-1"),
        ("2-class", "2-class", "01"),
    ],
)
def test_a_number_of_the_file_becomes_a_class_that_is_as_negative(granularity, of_file, expected):
    classes = classes_of_labels(granularity, of_file)
    numbers = [str(number) for number in range(len(expected))]
    assert [classes[number] or "-" for number in numbers] == list(expected)
    assert set(classes) == {*numbers, *GRADES}


@pytest.mark.parametrize("of_file", ["2-class", "3-class", "5-class"])
def test_a_name_means_the_same_in_every_file(of_file):
    classes = classes_of_labels("2-class", of_file)
    assert [classes[name] for name in GRADES] == ["0", "0", None, "1", "1"]


@pytest.mark.parametrize(
    "granularity, of_file", [("5-class", "3-class"), ("5-class", "2-class"), ("3-class", "2-class")]
)
def test_a_file_cannot_tell_more_classes_than_it_has(granularity, of_file):
    with pytest.raises(ValueError, match=f"{of_file} labels cannot tell .* {granularity}"):
        classes_of_labels(granularity, of_file)
