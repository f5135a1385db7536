import pytest
from allennlp.data import DatasetReader

from benchmarks.sentences import (
    in_batches_of_similar_length,
    sample,
    sample_of_length,
    write_sentences,
)
from spigot_allennlp.data.dataset_readers.conll import ConllReader  # noqa: F401 (registers it)
from spigot_allennlp.data.dataset_readers.sdp import SdpReader  # noqa: F401 (registers it)
from tests.nn.dependency_trees import is_tree


@pytest.mark.parametrize("length", [1, 4, 10, 90])
def test_joined_sentences_have_the_length_and_are_trees_with_a_single_root(length):
    sentences = sample_of_length(length, 3, seed=1)
    assert len(sentences) == 3
    for sentence in sentences:
        heads = sentence.tree.heads
        assert len(sentence.tree.words) == len(sentence.tree.relations) == length
        assert is_tree(heads) and heads.count(0) == 1
        assert sentence.graph.tops == (heads.index(0) + 1,)
        assert len(sentence.graph.frames) == length
        for arc in sentence.graph.arcs:
            assert 1 <= arc.predicate <= length and 1 <= arc.argument <= length


def test_the_files_are_read_by_our_readers(tmp_path):
    sentences = [*sample(3, seed=1), *sample_of_length(50, 1, seed=2)]
    files = write_sentences(tmp_path / "some", sentences)
    words = [[word.form for word in sentence.tree.words] for sentence in sentences]
    assert files.lengths == list(map(len, words))
    for name, path in (
        ("sdp", files.sdp),
        ("sdp", files.sdp_augmented),
        ("conll", files.conllu),
    ):
        instances = list(DatasetReader.by_name(name)().read(str(path)))
        assert [[str(token) for token in instance["tokens"]] for instance in instances] == words


def test_all_sentences_of_a_batch_have_about_the_same_length():
    sentences = sample(64, seed=1)
    ordered = in_batches_of_similar_length(sentences, 16)
    key = sorted(len(sentence.tree.words) for sentence in sentences)
    assert sorted(len(sentence.tree.words) for sentence in ordered) == key
    batches = [
        sorted(len(sentence.tree.words) for sentence in ordered[start : start + 16])
        for start in range(0, 64, 16)
    ]
    assert sorted(batches) == [key[start : start + 16] for start in range(0, 64, 16)]
