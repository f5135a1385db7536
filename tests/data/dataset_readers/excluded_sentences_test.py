"""What a reader does with sound sentences whose tree or graph a model cannot have."""

import logging

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.errors import Fault, MalformedInputError


def conll(*trees):
    """A treebank of sentences whose words have these heads."""
    sentences = []
    for heads in trees:
        rows = [[str(n), "w", "w", "X", "X", "_", str(head), "r", "_", "_"] for n, head in heads]
        sentences.append("".join("\t".join(row) + "\n" for row in rows) + "\n")
    return "".join(sentences)


SOUND = [(1, 0), (2, 1)]
CROSSING = [(1, 0), (2, 4), (3, 1), (4, 1)]
TWO_ROOTS = [(1, 0), (2, 0)]
CYCLE = [(1, 0), (2, 3), (3, 2)]


def write(tmp_path, *trees):
    path = tmp_path / "trees.conll"
    path.write_text(conll(*trees))
    return str(path)


@pytest.mark.parametrize(
    "tree, options, fault",
    [(CROSSING, {"projective": True}, Fault.NON_PROJECTIVE), (TWO_ROOTS, {}, Fault.ROOTS)],
)
def test_what_a_structure_has_not_is_refused_or_left_out_with_the_way_out(
    tmp_path, caplog, tree, options, fault
):
    path = write(tmp_path, SOUND, tree, SOUND)
    with pytest.raises(MalformedInputError) as caught:
        list(ConllReader(**options).read(path))
    assert caught.value.fault is fault
    for skip in ({"on_error": "skip"}, {"on_excluded": "skip"}):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert len(list(ConllReader(**options, **skip).read(path))) == 2
        assert fault.remedy in caplog.text and "33.3 % of the 3 sentences" in caplog.text


def test_a_malformed_sentence_is_an_error_still_where_only_the_excluded_are_skipped(tmp_path):
    path = write(tmp_path, SOUND, CYCLE)
    with pytest.raises(MalformedInputError, match="a cycle"):
        list(ConllReader(on_excluded="skip").read(path))


def test_excluded_sentences_can_be_an_error_where_the_malformed_are_skipped(tmp_path):
    reader = ConllReader(on_error="skip", on_excluded="raise", projective=True)
    assert len(list(reader.read(write(tmp_path, SOUND, CYCLE)))) == 1
    with pytest.raises(MalformedInputError, match="non_projective_tree"):
        list(reader.read(write(tmp_path, SOUND, CROSSING)))


def test_by_the_way_out_they_are_read(tmp_path):
    path = write(tmp_path, SOUND, CROSSING, TWO_ROOTS)
    assert len(list(ConllReader(projective=False, multiple_roots=True).read(path))) == 3


@pytest.mark.parametrize("reader", [SdpReader, SyntheticTreebankReader])
def test_a_role_twice_is_left_out_where_it_is_deterministic(reader, caplog):
    source = "synthetic:size=40,seed=1"
    every = list(reader().read(source))
    twice = [one for one in every if has_twice(one, "ARG1")]
    assert twice and len(twice) < len(every)
    options = {"deterministic_roles": ["ARG1"], "on_excluded": "skip"}
    kept = list(reader(**options).read(source))
    assert len(kept) == len(every) - len(twice) and not any(has_twice(one, "ARG1") for one in kept)
    assert Fault.ROLE_TWICE.reason in caplog.text


def has_twice(instance, role):
    graph = instance["graph"]
    predicates = [
        predicate
        for (_, predicate), label in zip(graph.indices, graph.labels, strict=True)
        if label == role
    ]
    return len(predicates) > len(set(predicates))


def test_another_reaction_is_refused():
    with pytest.raises(ConfigurationError, match='on_excluded is "ignore".*"raise".*"skip"'):
        ConllReader(on_excluded="ignore")
