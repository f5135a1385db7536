import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from spigot_allennlp.data.dataset_readers.long_documents import LongDocumentReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.sample_files import SST, SST_COLUMNS, SST_LINES

SPEC = "synthetic:size=120,seed=6"


def words_of(instance) -> list:
    return [token.text for token in instance["tokens"]]


def test_it_is_chosen_by_name():
    reader = DatasetReader.from_params(Params({"type": "long_documents", "length": 40}))
    assert isinstance(reader, LongDocumentReader)


@pytest.mark.parametrize("granularity, neutral", [("5-class", "2"), ("3-class", "1")])
def test_documents_begin_with_the_sentences_that_are_not_neutral(granularity, neutral):
    sentences = [
        instance
        for instance in SstReader(granularity).read(SPEC)
        if instance["label"].label != neutral
    ]
    documents = list(LongDocumentReader(60, granularity).read(SPEC))
    assert len(sentences) == len(documents) > 50
    for sentence, document in zip(sentences, documents, strict=True):
        words = words_of(sentence)
        assert words_of(document)[: len(words)] == words
        assert document["label"].label == sentence["label"].label
        assert document["metadata"]["source"] == sentence["metadata"]["source"]


def test_two_classes_are_the_default():
    labels = {instance["label"].label for instance in LongDocumentReader(60).read(SPEC)}
    assert labels == {"0", "1"}


def test_they_go_on_with_whole_neutral_sentences_and_are_cut_at_the_length():
    sentences = list(SstReader().read(SPEC))
    neutral = [words_of(each) for each in sentences if each["label"].label == "2"]
    polar = [words_of(each) for each in sentences if each["label"].label != "2"]
    used = set()
    for first, document in zip(polar, LongDocumentReader(60).read(SPEC), strict=True):
        rest = words_of(document)[len(first) :]
        assert len(first) + len(rest) == 60
        while rest:
            number = next(
                number
                for number, sentence in enumerate(neutral)
                if rest[: len(sentence)] == sentence[: len(rest)]
            )
            used.add(number)
            rest = rest[len(neutral[number]) :]
    assert len(used) > 1


def test_a_long_first_sentence_is_kept_whole():
    polar = [each for each in SstReader("2-class").read(SPEC)]
    documents = LongDocumentReader(1).read(SPEC)
    assert [words_of(document) for document in documents] == [words_of(each) for each in polar]


def test_they_are_always_the_same():
    first, second = ([words_of(each) for each in LongDocumentReader().read(SPEC)] for _ in "12")
    assert first == second
    assert len({tuple(words[30:]) for words in first}) == len(first)  # each is drawn by itself


def test_the_three_formats_give_the_same_documents():
    reader = LongDocumentReader(50)
    trees, columns, lines = (
        [words_of(each) for each in reader.read(path)] for path in (SST, SST_COLUMNS, SST_LINES)
    )
    assert trees == columns == lines


def test_lemmas_and_parts_of_speech_go_with_the_words():
    lemmas = {}
    for instance in SstReader().read(SST_COLUMNS):
        lemmas.update({token.text: token.lemma_ for token in instance["tokens"]})
    for document in LongDocumentReader(50).read(SST_COLUMNS):
        assert all(token.lemma_ == lemmas[token.text] for token in document["tokens"])
        assert all(token.pos_ != "_" for token in document["tokens"])


def test_escapes_are_undone_in_all_sentences(tmp_path):
    file = tmp_path / "escaped.txt"
    file.write_text("(3 (2 -LRB-) (3 good))\n(2 (2 \\/) (2 film))\n")
    (document,) = LongDocumentReader(4, unescape=True).read(str(file))
    assert words_of(document) == ["(", "good", "/", "film"]


def test_a_file_without_neutral_sentences_is_refused(tmp_path):
    file = tmp_path / "two_classes.txt"
    file.write_text("1\tA good film\n0\tA bad film\n")
    reader = LongDocumentReader(file_granularity="2-class", on_error="skip")
    with pytest.raises(MalformedInputError, match="two_classes.txt.*2 sentences, all of another"):
        list(reader.read(str(file)))


def test_a_file_of_neutral_sentences_alone_has_no_document(tmp_path):
    file = tmp_path / "neutral.txt"
    file.write_text("(2 (2 A) (2 film))\n")
    with pytest.raises(MalformedInputError, match="neutral.txt"):
        list(LongDocumentReader().read(str(file)))


def test_what_cannot_be_read_is_left_out(tmp_path, caplog):
    file = tmp_path / "damaged.txt"
    file.write_text("(3 (2 A) (3 delight))\n(3 (2 A) (3 joy)\n(2 (2 A) (2 film))\n")
    with pytest.raises(MalformedInputError, match="damaged.txt:2"):
        list(LongDocumentReader().read(str(file)))
    (document,) = LongDocumentReader(5, on_error="skip").read(str(file))
    assert words_of(document) == ["A", "delight", "A", "film", "A"]


def test_a_length_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="length must be at least 1 but is 0"):
        LongDocumentReader(0)
