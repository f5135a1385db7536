"""What is read from the files of a vocabulary, and from those of pretrained word vectors."""

import bz2
import gzip
import io
import logging
import lzma
import random
import tarfile
import zipfile

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.modules.token_embedders import Embedding

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.embeddings import ON_ERROR_VARIABLE, read_vectors, read_words


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


TEXT = "the 0.5 -1 2\nof 1e-2 0 3.25\nnaïve 4 5 6\n"
WORDS = {"the", "of", "naïve", "missing", ". . ."}


def file_of(tmp_path, content, name="vectors.txt"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(tmp_path / name)


def vectors_of(tmp_path, content, name="vectors.txt"):
    vectors = read_vectors(file_of(tmp_path, content, name), 3, WORDS)
    return {word: vector.tolist() for word, vector in vectors.items()}


EXPECTED = {
    "the": [0.5, -1, 2],
    "of": [pytest.approx(0.01), 0, 3.25],
    "naïve": [4, 5, 6],
}


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        "3 3\n" + TEXT,
        "3\n" + TEXT,
        "\ufeff" + TEXT,
        "\ufeff3 3\n" + TEXT,
        TEXT.replace("\n", " \n"),
        TEXT.replace("\n", "\r\n"),
        "other 1 nonsense 2\n" + TEXT,
    ],
)
def test_words_have_their_vectors(content, tmp_path):
    assert vectors_of(tmp_path, content) == EXPECTED


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_told_by_content_and_damage_named(compress, tmp_path):
    whole = compress(TEXT.encode())
    assert vectors_of(tmp_path, whole, "vectors.gz") == EXPECTED
    if compress is not bytes:
        with pytest.raises(MalformedInputError, match="vectors.txt: byte .*file is damaged"):
            vectors_of(tmp_path, whole[:-6])


def archive_of(tmp_path, kind, members):
    path = tmp_path / f"vectors.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content.encode())
                archive.addfile(member, io.BytesIO(content.encode()))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_member_of_an_archive_is_chosen_as_with_allennlp(kind, tmp_path):
    path = archive_of(tmp_path, kind, {"a.txt": TEXT})
    assert set(read_vectors(str(path), 3, WORDS)) == set(EXPECTED)
    path = archive_of(tmp_path, kind, {"a.txt": "the 1 2 3\n", "b.txt": TEXT})
    assert set(read_vectors(f"({path})#b.txt", 3, WORDS)) == set(EXPECTED)
    for uri in (str(path), f"({path})#c.txt"):
        with pytest.raises(MalformedInputError, match=r"a.txt, b.txt; write \(ARCHIVE\)#FILE"):
            read_vectors(uri, 3, WORDS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(MalformedInputError, match=f"vectors.{kind}"):
        read_vectors(f"({path})#b.txt", 3, WORDS)


def test_a_word_may_have_spaces(tmp_path):
    assert vectors_of(tmp_path, TEXT + ". . . 7 8 9\n")[". . ."] == [7, 8, 9]


BAD = {
    "the  1 2 3\n": "a space too many at the word b'the '",
    "the 1 2\n": "2 numbers after b'the', but embedding_dim is 3",
    "the 1 2 3 4\n": "4 numbers after b'the', but embedding_dim is 3",
    "the 1 2 nan\n": "a number is nan, which is not finite",
    "the 1 2 1e39\n": "a number is 1e39, which is not finite",
    "the 1 x 3\n": "what is no number",
    "the 1 2_0 3\n": "an underscore in a number",
    " 1 2 3\n": "no word",
    "\n": "no word",
    "of 1 2 3\n": "the word 'of' was there before",
    "caf\udce9 1 2 3\n": "is not in UTF-8",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_line_is_named_in_a_small_file_and_left_out_of_a_large_one(
    line, tmp_path, caplog, monkeypatch
):
    def content(size):
        others = "".join(f"w{number} 1 2 3\n" for number in range(size))
        text = "of 9 9 9\n" + line + others
        return text.encode("utf-8", "surrogateescape")

    with pytest.raises(MalformedInputError) as caught:
        vectors_of(tmp_path, content(10))
    assert str(caught.value).startswith(f"{tmp_path}/vectors.txt:2: an embedding that cannot")
    assert BAD[line] in str(caught.value) and ON_ERROR_VARIABLE in str(caught.value)
    with caplog.at_level(logging.WARNING):
        assert vectors_of(tmp_path, content(1200)) == {"of": [9, 9, 9]}
    assert "1 of 1202 lines of" in caplog.text
    monkeypatch.setenv(ON_ERROR_VARIABLE, "raise")
    with pytest.raises(MalformedInputError, match="vectors.txt:2: "):
        vectors_of(tmp_path, content(1200))
    monkeypatch.setenv(ON_ERROR_VARIABLE, "skip")
    assert vectors_of(tmp_path, content(10)) == {"of": [9, 9, 9]}
    monkeypatch.setenv(ON_ERROR_VARIABLE, "ignore")
    with pytest.raises(ConfigurationError, match='is "ignore", but must be "raise"'):
        vectors_of(tmp_path, content(10))


@pytest.mark.parametrize(
    "content, message",
    [
        ("", ":1: nothing was read: the file has no word"),
        ("4 3\n" + TEXT, ":1: .*its header says 4 words, but 3 lines follow"),
        ("3 300\n" + TEXT, ":1: .*says vectors of 300 numbers, but embedding_dim is 3"),
        ("the 1 2 3 4\nof 1 2 3 4\n", ":1: .*4 numbers after b'the'"),
        (TEXT.encode("utf-16"), ":1: "),
    ],
)
def test_a_file_of_another_kind_or_that_was_cut_is_refused(content, message, tmp_path):
    with pytest.raises(MalformedInputError, match=message):
        vectors_of(tmp_path, content)


def test_a_last_line_without_its_end_is_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert vectors_of(tmp_path, TEXT[:-1]) == EXPECTED
    assert "vectors.txt:3: it ends without a line feed" in caplog.text


def vocabulary(words):
    vocab = Vocabulary()
    for word in words:
        vocab.add_token_to_namespace(word)
    return vocab


def test_an_embedding_of_allennlp_is_read_here_and_what_is_missing_drawn_as_before(tmp_path):
    vocab = vocabulary(["the", "missing", "of"])
    torch.manual_seed(3)
    weight = Embedding(3, pretrained_file=file_of(tmp_path, TEXT), vocab=vocab).weight.detach()
    pretrained = torch.tensor([[0.5, -1, 2], [0.01, 0, 3.25]])
    assert torch.equal(weight[[2, 4]], pretrained)
    torch.manual_seed(3)
    mean, deviation = pretrained.numpy().mean(), pretrained.numpy().std()
    drawn = torch.FloatTensor(5, 3).normal_(float(mean), float(deviation))
    assert torch.equal(weight[[0, 1, 3]], drawn[[0, 1, 3]])
    with pytest.raises(MalformedInputError, match="bad.txt:1: "):
        Embedding(3, pretrained_file=file_of(tmp_path, "the 1 2\n", "bad.txt"), vocab=vocab)
    with pytest.raises(ConfigurationError, match="vectors.txt has none of the 3 words"):
        path = file_of(tmp_path, TEXT)
        Embedding(3, pretrained_file=path, vocab=vocabulary(["missing"]))


def test_the_words_of_a_file_choose_those_of_a_vocabulary(tmp_path):
    path = file_of(tmp_path, "\ufeff3 3\n" + TEXT + "")
    assert read_words(path) == ["the", "of", "naïve"]
    counts = {"tokens": {"the": 3, "naïve": 1, "none": 5}}
    vocab = Vocabulary(
        counts, pretrained_files={"tokens": path}, only_include_pretrained_words=True
    )
    assert set(vocab.get_token_to_index_vocabulary()) >= {"the", "naïve"}
    assert "none" not in vocab.get_token_to_index_vocabulary()


@pytest.mark.parametrize("kind", ["txt", "txt.gz", "zip", "tar.gz"])
def test_whatever_the_bytes_the_outcome_is_vectors_or_a_named_error(kind, tmp_path):
    draw = random.Random(7)
    whole = ("3 3\n" + TEXT).encode()
    if kind == "txt.gz":
        whole = gzip.compress(whole, mtime=0)
    elif kind != "txt":
        whole = archive_of(tmp_path, kind, {"a.txt": "3 3\n" + TEXT}).read_bytes()
    for _ in range(120):
        mutated = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(max(1, len(mutated)))
            change = draw.choice(["flip", "cut", "splice"])
            if change == "flip" and mutated:
                mutated[place] ^= 1 << draw.randrange(8)
            elif change == "cut":
                del mutated[place : place + draw.randint(1, 20)]
            else:
                start = draw.randrange(len(whole))
                mutated[place:place] = whole[start : start + 10]
        try:
            vectors = vectors_of(tmp_path, bytes(mutated))
        except MalformedInputError as error:
            assert error.fault in Fault and "vectors.txt" in str(error)
        else:
            assert all(numpy.isfinite(vector).all() for vector in vectors.values())
            assert kind == "txt" or vectors == EXPECTED
