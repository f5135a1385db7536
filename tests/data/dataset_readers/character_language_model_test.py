import gzip

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.fields import SequenceLabelField

from spigot_allennlp.data.dataset_readers.character_language_model import (
    CharacterLanguageModelReader,
)
from spigot_allennlp.data.errors import MalformedInputError


def pieces_of(reader, path):
    return [
        ("".join(token.text for token in instance["tokens"]), "".join(instance["labels"].labels))
        for instance in reader.read(str(path))
    ]


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text").write_text("abcdefghij", encoding="utf-8")
    return tmp_path / "text"


def test_a_text_is_cut_into_pieces_and_each_character_labelled_with_the_next(text):
    pieces = pieces_of(CharacterLanguageModelReader(length=3), text)
    assert pieces == [("abc", "bcd"), ("def", "efg"), ("ghi", "hij")]


def test_a_rest_without_a_whole_piece_is_left_out(text):
    assert pieces_of(CharacterLanguageModelReader(length=4), text)[-1] == ("efgh", "fghi")
    assert len(pieces_of(CharacterLanguageModelReader(length=5), text)) == 1


def test_parts_of_a_text_do_not_overlap(text):
    assert pieces_of(CharacterLanguageModelReader(2, part=(0, 0.5)), text)[-1] == ("cd", "de")
    assert pieces_of(CharacterLanguageModelReader(2, part=(0.5, 1)), text)[0] == ("fg", "gh")


def test_each_stream_goes_on_where_its_last_piece_ended(text):
    pieces = pieces_of(CharacterLanguageModelReader(length=2, num_streams=2), text)
    assert pieces == [("ab", "bc"), ("ef", "fg"), ("cd", "de"), ("gh", "hi")]


@pytest.mark.parametrize("length, num_streams, characters", [(3, 1, 10), (3, 2, 7), (2, 3, 7)])
def test_streams_are_as_long_as_the_text_allows(text, length, num_streams, characters):
    reader = CharacterLanguageModelReader(length=length, num_streams=num_streams)
    read = sum(len(piece) for piece, _ in pieces_of(reader, text))
    assert read + 1 == characters


def test_a_text_that_is_too_short_for_all_streams_is_refused(text):
    reader = CharacterLanguageModelReader(length=3, num_streams=4)
    with pytest.raises(ConfigurationError, match="too few for 4 streams, each of a piece of 3,"):
        list(reader.read(str(text)))


def test_line_ends_are_characters_and_files_may_be_compressed(tmp_path):
    (tmp_path / "text.gz").write_bytes(gzip.compress("a\nbä\n".encode()))
    assert pieces_of(CharacterLanguageModelReader(length=4), tmp_path / "text.gz") == [
        ("a\nbä", "\nbä\n")
    ]


def test_the_embedded_text_has_sentences_in_lines():
    pieces = pieces_of(CharacterLanguageModelReader(length=50), "synthetic:size=9,seed=1")
    text = "".join(piece for piece, _ in pieces)
    assert text.count("\n") >= 5 and " " in text and "." in text


def test_characters_and_labels_have_the_same_numbers(text):
    reader = CharacterLanguageModelReader(length=9)
    instances = list(reader.read(str(text)))
    reader.apply_token_indexers(instances[0])
    instances[0].index_fields(Vocabulary.from_instances(instances))
    tensors = instances[0].as_tensor_dict(instances[0].get_padding_lengths())
    characters = tensors["tokens"]["tokens"]["tokens"]
    assert characters[1:].tolist() == tensors["labels"][:-1].tolist()


@pytest.mark.parametrize("part", [(0.5, 0.5), (0.9, 0.1), (-0.1, 1), (0, 1.1)])
def test_parts_that_are_none_are_refused(part):
    with pytest.raises(ConfigurationError, match="must be two growing shares"):
        CharacterLanguageModelReader(part=part)


def test_a_text_that_is_too_short_is_refused(text):
    with pytest.raises(ConfigurationError, match="gives 10 characters, too few for a piece of 10"):
        list(CharacterLanguageModelReader(length=10).read(str(text)))


def test_a_file_that_is_not_in_utf_8_is_refused(tmp_path):
    (tmp_path / "text").write_bytes(b"a\nb\xff")
    with pytest.raises(MalformedInputError, match="text:2: .*no text in UTF-8: ff as byte 4"):
        list(CharacterLanguageModelReader().read(str(tmp_path / "text")))
    (tmp_path / "text").write_bytes(b"a\n\nb\0c")
    with pytest.raises(MalformedInputError, match="text:3: .*no text in UTF-8: 00 as byte 5"):
        list(CharacterLanguageModelReader().read(str(tmp_path / "text")))
    (tmp_path / "text").write_bytes("some text".encode("utf-16"))
    with pytest.raises(MalformedInputError, match="text:1: .*begins as UTF-16 does"):
        list(CharacterLanguageModelReader().read(str(tmp_path / "text")))


def test_a_byte_order_mark_is_no_character(tmp_path):
    (tmp_path / "text").write_bytes("abcd".encode("utf-8-sig"))
    assert pieces_of(CharacterLanguageModelReader(3), tmp_path / "text") == [("abc", "bcd")]


def test_the_place_of_a_bad_byte_counts_from_the_byte_order_mark_on(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfab\xff")
    with pytest.raises(MalformedInputError, match="text:1: .*: ff as byte 6 "):
        list(CharacterLanguageModelReader(length=1).read(str(tmp_path / "text")))


def test_its_labels_may_be_unknown_without_a_warning(text, caplog, monkeypatch):
    monkeypatch.setattr(SequenceLabelField, "_already_warned_namespaces", set())  # warns once only
    list(CharacterLanguageModelReader(length=3).read(str(text)))
    assert "namespace" not in caplog.text
