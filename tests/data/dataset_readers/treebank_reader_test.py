"""What a reader does with sound sentences whose tree or graph a model cannot have."""

import logging
from itertools import product

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.dataset_readers.treebank_reader import (
    GraphRules,
    TreebankReader,
    TreeRules,
    find_crossing,
    find_cycle,
)
from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import Fault
from tests.data.sample_files import SDP_2015


def test_text_to_instance_takes_the_layers_by_position():
    instance = ConllReader().text_to_instance(
        ["Go"], ["go"], ["VB"], [0], ["root"], [], [1], "one", "file:1"
    )
    assert instance["heads"].labels == [0]
    assert instance["tops"].labels == [1]
    assert instance["metadata"].metadata["id"] == "one"
    assert instance["metadata"].metadata["source"] == "file:1"


def test_a_batch_of_a_loader_of_two_processes_has_the_tensors_of_every_field():
    reader = SdpReader(companion=".conll")
    vocabulary = Vocabulary.from_instances(reader.read(SDP_2015))
    loader = MultiProcessDataLoader(reader, str(SDP_2015), batch_size=10, num_workers=2)
    loader.index_with(vocabulary)
    batches = list(loader)
    assert sum(len(batch["metadata"]) for batch in batches) == 10
    for batch in batches:
        size, length = batch["heads"].shape
        assert batch["tokens"]["tokens"]["tokens"].shape == (size, length)
        assert batch["graph"].shape == (size, length, length)
        assert batch["tops"].shape == batch["relations"].shape == (size, length)


class OthersReader(TreebankReader):
    """A reader of somebody else, of sentences that are given to it."""

    def __init__(self, *sentences, **options):
        super().__init__(**options)
        self.sentences = sentences

    def _sentences(self, path):
        for number, sentence in enumerate(self.sentences, start=1):
            yield attempt(self._annotate, sentence, path, number)

    def _annotate(self, sentence, path, number):
        sentence = AnnotatedSentence(**sentence, source=f"{path}:{number}")
        numbers = [number] * len(sentence.words)
        if sentence.heads is not None:
            sentence.heads = self._tree_rules.check(sentence.heads, path, numbers)
        if sentence.arcs is not None:
            sentence.arcs = self._graph_rules.check(sentence.arcs, path, numbers)
        return sentence


@pytest.mark.parametrize(
    "sentence, message",
    [
        ({"words": []}, "a sentence without words"),
        ({"words": ["a", ""]}, "a word is empty, or no text: .*''"),
        ({"words": ["a", None]}, "a word is empty, or no text: .*None"),
        ({"words": ["a", "b"], "pos": ["N"]}, "1 pos for 2 words"),
        ({"words": ["a", "b"], "heads": [0, 1], "relations": ["x"]}, "1 relations for 2 words"),
        ({"words": [], "heads": [0]}, "1 heads for 0 words"),
        ({"words": ["a", "b"], "heads": [0]}, "1 heads for 2 words"),
        ({"words": ["a", "b"], "heads": [0, 3]}, "the head is '3', of 2 tokens"),
        ({"words": ["a", "b"], "heads": [0, -1]}, "the head is '-1', of 2 tokens"),
        ({"words": ["a", "b"], "heads": ["0", "1"]}, "the head is '0', of 2 tokens"),
        ({"words": ["a"], "tops": [2]}, r"the positions \[2\] are outside a sentence of 1 words"),
        ({"words": ["a"], "arcs": [(0, 1, "X")]}, r"the positions \[0\] are outside"),
        ({"words": ["a"], "tops": ["1"]}, r"the positions \['1'\] are outside"),
        ({"words": ["a"], "arcs": [("1", 1, "Y")]}, r"the positions \['1'\] are outside"),
        ({"words": [], "arcs": [(1, 1, "X"), (1, 2, "X")]}, "the tokens 1 and 2 are both X"),
        ({"words": ["a"], "arcs": [(1, 1, "X"), (1, "2", "X")]}, "the tokens 1 and 2 are both X"),
        ({"words": ["a"], "arcs": [(1, 1, None)]}, "from 1 to 1 has the role None"),
        ({"words": ["a"], "arcs": [(1, 1, "X"), (1, 1, "Y")]}, "several arcs from 1 to 1"),
        ({"words": ["a"], "arcs": [(1, 1, "X"), (1, 5, "X")]}, "the tokens 1 and 5 are both X"),
    ],
)
def test_what_does_not_fit_in_a_reader_of_somebody_else_has_its_line(sentence, message, caplog):
    given = {"words": ["x"]}, sentence, {"words": ["y"]}
    reader = OthersReader(*given, deterministic_roles=["X"])
    with pytest.raises(MalformedInputError, match=f"^a.jsonl:(2:)? .*{message}") as raised:
        list(reader.read("a.jsonl"))
    assert raised.value.location == "a.jsonl:2" or not sentence["words"]
    reader = OthersReader(*given, deterministic_roles=["X"], on_error="skip")
    assert [str(instance["tokens"][0]) for instance in reader.read("a.jsonl")] == ["x", "y"]
    first, error, last = reader.instances_and_errors("a.jsonl")
    assert isinstance(error, MalformedInputError)


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
def test_what_a_structure_has_not_is_refused_or_skipped_with_the_way_out(
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
def test_a_role_twice_is_skipped_where_it_is_deterministic(reader, caplog):
    source = "synthetic:size=40,seed=1"
    every = list(reader().read(source))
    twice = [instance for instance in every if has_twice(instance, "ARG1")]
    assert twice and len(twice) < len(every)
    options = {"deterministic_roles": ["ARG1"], "on_excluded": "skip"}
    kept = list(reader(**options).read(source))
    assert len(kept) == len(every) - len(twice) and not any(
        has_twice(instance, "ARG1") for instance in kept
    )
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
    with pytest.raises(
        ConfigurationError, match='on_excluded is "ignore", but must be one of raise, skip'
    ):
        ConllReader(on_excluded="ignore")


LINES = range(11, 20)

LENGTHS = range(1, 5)


def reaches_root(heads: tuple, word: int) -> bool:
    for _ in heads:
        word = heads[word - 1] if word else 0
    return word == 0


def descends(heads: tuple, word: int, ancestor: int) -> bool:
    while word not in (0, ancestor):
        word = heads[word - 1]
    return word == ancestor


def is_projective(heads: tuple) -> bool:
    """Every word between a head and its dependent descends from the head."""
    return all(
        descends(heads, between, head)
        for word, head in enumerate(heads, 1)
        for between in range(min(word, head) + 1, max(word, head))
    )


def all_heads(length: int):
    return product(range(length + 1), repeat=length)


def is_tree(heads: tuple) -> bool:
    return all(reaches_root(heads, word) for word in range(1, len(heads) + 1))


def fault_of(rules: TreeRules, heads: tuple):
    try:
        assert rules.check(heads, "file", LINES) == list(heads)
    except MalformedInputError as error:
        return error.fault
    return None


def expected_fault(heads: tuple, multiple_roots: bool, projective: bool):
    if not is_tree(heads):
        return Fault.CYCLE
    if heads.count(0) > 1 and not multiple_roots:
        return Fault.ROOTS
    return Fault.NON_PROJECTIVE if projective and not is_projective(heads) else None


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("multiple_roots", [False, True])
@pytest.mark.parametrize("projective", [False, True])
def test_every_choice_of_heads_is_judged_rightly(length, multiple_roots, projective):
    rules = TreeRules(multiple_roots, projective)
    for heads in all_heads(length):
        assert fault_of(rules, heads) is expected_fault(heads, multiple_roots, projective)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_cycle_is_one(length):
    for heads in all_heads(length):
        cycle = find_cycle(heads)
        assert bool(cycle) == (not is_tree(heads))
        for word, following in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            assert heads[word - 1] == following


def test_the_word_whose_arc_is_crossed_is_named():
    assert find_crossing([0, 4, 1, 1]) == 3
    assert find_crossing([2, 0, 2, 2]) is None


@pytest.mark.parametrize(
    "heads, message",
    [
        ([2, 0, 4, 3], "file:13: a cycle in the tree: 3 -> 4 -> 3"),
        ([1, 0], "file:11: a cycle in the tree: 1 -> 1"),
        ([0, 1, 0], "file:13: more than one root in the tree: the tokens 1, 3 have head 0"),
        ([0, None], "file:12: no such head: the head is _"),
    ],
)
def test_the_error_names_the_line_of_a_token_concerned(heads, message):
    with pytest.raises(MalformedInputError) as caught:
        TreeRules().check(heads, "file", LINES)
    assert str(caught.value).startswith(message)


def test_crossing_arcs_are_named():
    with pytest.raises(MalformedInputError, match="another arc crosses that from 1 to 3"):
        TreeRules(projective=True).check([0, 4, 1, 1], "file", LINES)


def test_a_role_twice_is_refused_where_it_is_deterministic():
    arcs = [(2, 1, "ARG1"), (2, 3, "ARG2"), (2, 4, "ARG2"), (1, 3, "ARG1")]
    for roles in ((), ("ARG1",), ("BV",)):
        assert GraphRules(roles).check(arcs, "file", LINES) == arcs
    with pytest.raises(MalformedInputError, match="file:14: .*: the tokens 3 and 4 are both ARG2"):
        GraphRules(("ARG1", "ARG2")).check(arcs, "file", LINES)
