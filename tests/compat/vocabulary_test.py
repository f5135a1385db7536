"""What a vocabulary read from files still knows."""

import tarfile

from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer


def counted():
    tokens = [Token(word) for word in ["a", "b", "a"]]
    field = TextField(tokens, {"words": SingleIdTokenIndexer()})
    return Vocabulary.from_instances([Instance({"tokens": field})])


def test_counts_come_back_from_a_folder(tmp_path):
    counted().save_to_files(tmp_path / "vocabulary")
    loaded = Vocabulary.from_files(tmp_path / "vocabulary")
    assert loaded._retained_counter["tokens"] == {"a": 2, "b": 1}
    assert loaded.get_namespaces() == {"tokens"}


def test_counts_come_back_from_an_archive(tmp_path):
    counted().save_to_files(tmp_path / "vocabulary")
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(tmp_path / "vocabulary", arcname="vocabulary")
    for path in [str(archive), f"{archive}!vocabulary"]:
        assert Vocabulary.from_files(path)._retained_counter["tokens"]["a"] == 2


def test_a_vocabulary_without_counts_is_read_as_ever(tmp_path):
    vocabulary = Vocabulary()
    vocabulary.add_token_to_namespace("a")
    vocabulary.save_to_files(tmp_path / "vocabulary")
    loaded = Vocabulary.from_files(tmp_path / "vocabulary")
    assert loaded.get_token_index("a") == vocabulary.get_token_index("a")
    assert not loaded._retained_counter
