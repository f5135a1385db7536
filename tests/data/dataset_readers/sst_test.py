import logging
from collections import Counter

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader

from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.sample_files import SST, SST_COLUMNS, SST_LINES, stanford

SPEC = "synthetic:size=80,seed=6"
GRANULARITIES = ["5-class", "3-class", "2-class"]


def labels_of(instances) -> list:
    return [instance["label"].label for instance in instances]


def words_of(instances) -> list:
    return [[token.text for token in instance["tokens"]] for instance in instances]


def test_it_is_chosen_by_name():
    reader = DatasetReader.from_params(
        Params(
            {
                "type": "sst",
                "granularity": "2-class",
                "max_instances": 3,
                "on_error": "skip",
                "token_indexers": {"pos": {"type": "single_id", "feature_name": "pos_"}},
            }
        )
    )
    instances = list(reader.read(SST))
    assert isinstance(reader, SstReader)
    assert labels_of(instances) == ["1", "1", "0"]
    assert set(instances[0]["tokens"].token_indexers) == {"pos"}


@pytest.mark.parametrize(
    "granularity, labels",
    [("5-class", "3410312321"), ("3-class", "2200201210"), ("2-class", "11001010")],
)
def test_the_three_formats_give_the_same_sentences_with_the_same_labels(granularity, labels):
    reader = SstReader(granularity, file_granularity="5-class")
    trees, columns, lines = (list(reader.read(path)) for path in (SST, SST_COLUMNS, SST_LINES))
    assert labels_of(trees) == labels_of(columns) == labels_of(lines) == list(labels)
    assert words_of(trees) == words_of(columns) == words_of(lines)


def test_lemmas_and_parts_of_speech_are_those_of_the_columns():
    instance = list(SstReader().read(SST_COLUMNS))[4]
    assert [token.lemma_ for token in instance["tokens"]][:4] == ["although", "the", "song", "be"]
    assert [token.pos_ for token in instance["tokens"]][:4] == ["IN", "DT", "NNS", "VBP"]
    assert instance["metadata"].metadata["lemmas"][2] == "song"
    assert instance["metadata"].metadata["id"] == "sst_5"


def test_where_they_are_not_given_a_token_says_so():
    instance = next(iter(SstReader().read(SST)))
    assert set(instance.fields) == {"tokens", "metadata", "label"}
    assert (instance["tokens"][0].lemma_, instance["tokens"][0].pos_) == ("_", "_")
    assert instance["metadata"].metadata == {
        "id": None,
        "words": ["Lovely", "!"],
        "lemmas": None,
        "pos": None,
        "source": f"{SST}:1",
    }


@pytest.mark.parametrize("path", [SST, SST_COLUMNS, SST_LINES])
def test_escapes_are_undone_on_request_alone(path):
    assert words_of(SstReader().read(path))[8][2] == "-LRB-"
    instance = list(SstReader(unescape=True).read(path))[8]
    words = "A sketch ( in two parts ) .".split()
    assert [token.text for token in instance["tokens"]] == words
    assert instance["metadata"].metadata["words"] == words
    assert (instance["tokens"][2].lemma_ == "(") == (path == SST_COLUMNS)


def test_phrases_are_instances_where_they_are_asked_for():
    instances = list(SstReader(phrases=True, max_instances=6).read(SST))
    assert labels_of(instances) == ["3", "3", "2", "4", "2", "2"]
    neutral = [
        instance for instance in SstReader(phrases=True).read(SST) if instance["label"].label == "2"
    ]
    every = len(list(SstReader(phrases=True).read(SST)))
    assert len(list(SstReader("2-class", phrases=True).read(SST))) == every - len(neutral)


@pytest.mark.parametrize("layout", ["auto", "columns"])
def test_a_file_that_knows_no_phrases_is_refused_where_they_are_asked_for(layout):
    with pytest.raises(ConfigurationError, match='sst_columns.txt is in the layout "columns"'):
        list(SstReader(phrases=True, layout=layout).read(SST_COLUMNS))


def test_a_layout_that_is_given_is_not_looked_for():
    with pytest.raises(MalformedInputError, match="sst.txt:1: wrong column count"):
        list(SstReader(layout="lines").read(SST))


def test_numbers_in_lines_count_the_classes_of_the_file(tmp_path):
    path = tmp_path / "binary.tsv"
    path.write_text("0\tdull\n1\tgood\n")
    assert labels_of(SstReader("2-class").read(path)) == ["0", "1"]
    assert labels_of(SstReader("2-class", file_granularity="5-class").read(path)) == ["0", "0"]
    with pytest.raises(MalformedInputError, match="sst_lines.tsv:1: .* '3'.*\"file_granularity\""):
        list(SstReader("2-class").read(SST_LINES))


@pytest.mark.parametrize("layout", ["auto", "trees", "columns", "lines"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_the_embedded_data_set_has_the_labels_that_its_own_reader_gives(granularity, layout):
    ours = list(SstReader(granularity, layout=layout).read(SPEC))
    theirs = list(SyntheticTreebankReader(sentiment=granularity).read(SPEC))
    assert labels_of(ours) == labels_of(theirs)
    assert words_of(ours) == words_of(theirs)
    if layout == "columns":
        for instance, other in zip(ours, theirs, strict=True):
            for layer in ("id", "lemmas", "pos"):
                assert instance["metadata"].metadata[layer] == other["metadata"].metadata[layer]


def test_a_file_that_was_cut_and_a_wrong_label_and_an_empty_line_end_the_run(tmp_path):
    text = SST.read_text(encoding="utf-8")
    path = tmp_path / "sst.txt"
    for bad, message in (
        (text[:-30], "sst.txt:10: a tree that is not well bracketed: the line ends before the"),
        (text.replace("(3", "(7", 1), "sst.txt:1: no such sentiment label: the label '7' at"),
        (text.replace("\n", "\n\n", 1), "sst.txt:2: an empty line between two sentences"),
    ):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(MalformedInputError, match=message):
            list(SstReader().read(path))


def test_under_skip_they_are_left_out_and_reported(tmp_path, caplog):
    path = tmp_path / "sst.txt"
    path.write_text("(3 (7 It) (3 works))\n\n" + SST.read_text(encoding="utf-8")[:-30])
    with caplog.at_level(logging.WARNING):
        instances = list(SstReader(on_error="skip").read(path))
    assert labels_of(instances) == list("341031232")
    (record,) = caplog.records
    assert record.getMessage().startswith(f"3 sentences of {path} were left out:\n1 x ")


def test_a_file_that_is_neutral_throughout_has_nothing_for_two_classes(tmp_path):
    path = tmp_path / "sst.txt"
    path.write_text("(2 (2 It) (2 is))\n")
    with pytest.raises(MalformedInputError, match="left out: none is of the kind that was asked"):
        list(SstReader("2-class").read(path))


def test_an_instance_can_be_made_of_words_with_or_without_a_label():
    reader = SstReader("2-class")
    instance = reader.text_to_instance(["It", "works"], ["it", "work"], ["PRP", "VBZ"], "1", "a")
    assert instance["label"].label == "1"
    assert instance["tokens"][1].lemma_ == "work"
    assert instance["metadata"].metadata["id"] == "a"
    assert set(reader.text_to_instance(["It"]).fields) == {"tokens", "metadata"}


def test_an_instance_without_words_or_with_a_label_that_is_none_is_refused():
    reader = SstReader("2-class")
    with pytest.raises(ConfigurationError, match="A sentence without words"):
        reader.text_to_instance([])
    with pytest.raises(ConfigurationError, match='label is "2", but must be one of 0, 1'):
        reader.text_to_instance(["It"], label="2")
    with pytest.raises(ConfigurationError, match="1 lemmas for 2 words"):
        reader.text_to_instance(["It", "works"], lemmas=["it"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"granularity": "binary"}, 'granularity is "binary", but must be one of 2-class, 3-class'),
        ({"file_granularity": "6-class"}, 'file_granularity is "6-class", but must be one of'),
        ({"layout": "sdp"}, 'layout is "sdp", but must be one of auto, trees, columns, lines'),
        ({"file_granularity": "2-class"}, "2-class labels cannot tell the classes of 5-class"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ConfigurationError, match=message):
        SstReader(**options)


def test_a_loader_of_two_processes_makes_batches_of_every_instance_once():
    reader = SstReader("3-class", phrases=True)
    vocabulary = Vocabulary.from_instances(reader.read(SST))
    loader = MultiProcessDataLoader(reader, str(SST), batch_size=16, num_workers=2)
    loader.index_with(vocabulary)
    counts = Counter(label for batch in loader for label in batch["label"].tolist())
    names = vocabulary.get_index_to_token_vocabulary("labels")
    labels = Counter(labels_of(reader.read(SST)))
    assert {names[index]: count for index, count in counts.items()} == labels


@pytest.mark.parametrize(
    "granularity, sizes", [("5-class", (8544, 1101)), ("2-class", (6920, 872))]
)
def test_the_stanford_treebank_has_the_sentences_of_its_description(granularity, sizes):
    for name, size in zip(("train.txt", "dev.txt"), sizes, strict=True):
        labels = Counter(labels_of(SstReader(granularity).read(stanford(name))))
        assert sum(labels.values()) == size
        assert sorted(labels) == [str(number) for number in range(int(granularity[0]))]


def test_the_embedded_data_set_is_trees():
    # Of these alone, the phrases can be read.
    phrases = [
        instance["metadata"].metadata["words"] for instance in SstReader(phrases=True).read(SPEC)
    ]
    sentences = [instance["metadata"].metadata["words"] for instance in SstReader().read(SPEC)]
    assert len(phrases) == sum(2 * len(words) - 1 for words in sentences)
