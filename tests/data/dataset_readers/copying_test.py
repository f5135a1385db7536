import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.copying import CopyingReader


def words_of(instance) -> str:
    return "".join(token.text for token in instance["tokens"])


def test_symbols_are_wanted_after_the_delay_in_their_order():
    instance = CopyingReader().text_to_instance(["3", "1", "8"], delay=4)
    assert words_of(instance) == "318" + "000" + "9" + "000"
    assert "".join(instance["labels"].labels) == "0000000" + "318"
    assert instance["scored"].tensor.tolist() == [False] * 7 + [True] * 3


def test_a_sequence_has_as_many_steps_as_the_papers_say():
    instance = next(iter(CopyingReader(delay=100).read("synthetic:size=1,seed=1")))
    assert len(instance["tokens"]) == 120
    assert set(words_of(instance)[:10]) <= set("12345678")


def test_the_path_overrules_the_delay_and_the_number_of_symbols():
    path = "synthetic:size=2,seed=1,delay=6,num_symbols=2"
    assert [len(instance["tokens"]) for instance in CopyingReader().read(path)] == [10, 10]


def test_a_sequence_is_the_same_for_every_size_and_differs_between_seeds():
    def read(path):
        return [words_of(instance) for instance in CopyingReader(delay=5).read(path)]

    assert read("synthetic:size=4,seed=1")[:2] == read("synthetic:size=2,seed=1")
    assert len({*read("synthetic:size=4,seed=1"), *read("synthetic:size=4,seed=2")}) == 8


@pytest.mark.parametrize(
    "path, message",
    [
        ("train.txt", "CopyingReader reads no file, but was given 'train.txt'"),
        ("synthetic:delays=3", "no key 'delays'.*Did you mean \"delay\""),
        ("synthetic:delay=0", "delay is '0', but must be a whole number from 1 on"),
    ],
)
def test_what_it_cannot_read_is_refused(path, message):
    with pytest.raises(ConfigurationError, match=message):
        list(CopyingReader().read(path))


def test_a_delay_below_one_is_refused():
    with pytest.raises(ConfigurationError, match="delay must be at least 1 but is 0"):
        CopyingReader(delay=0)
