import pytest

from spigot_allennlp.data.conll_format import ConllSentence, ConllToken, read_conll
from spigot_allennlp.data.enhanced_graph import enhanced_graph
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.sample_files import CONLLU


def sentence_of(*nodes: tuple) -> ConllSentence:
    tokens = tuple(ConllToken(name, "form", deps=deps) for name, deps in nodes)
    return ConllSentence(tokens, path="file", lines=tuple(range(1, len(tokens) + 1)))


def graph_of(identifier: str):
    (sentence,) = (one for one in read_conll(str(CONLLU)) if one.identifier == identifier)
    return enhanced_graph(sentence)


def test_a_shared_argument_has_two_heads():
    arcs, tops = graph_of("control_4")
    assert (2, 1, "nsubj") in arcs and (4, 1, "nsubj:xsubj") in arcs
    assert tops == [2]


def test_a_coordination_may_have_two_tops():
    arcs, tops = graph_of("shared_2")
    assert tops == [2, 4]
    assert (2, 4, "conj:and") in arcs


def test_a_relative_clause_makes_a_cycle():
    arcs, _ = graph_of("relative_5")
    assert (2, 4, "acl:relcl") in arcs and (4, 2, "nsubj") in arcs


def test_a_path_through_an_empty_node_becomes_one_arc():
    arcs, tops = graph_of("gap_3")
    assert [arc for arc in arcs if ">" in arc[2]] == [
        (2, 4, "conj:and>cc"),
        (2, 5, "conj:and>nsubj"),
        (2, 6, "conj:and>obj"),
    ]
    assert tops == [2]


def test_an_empty_node_that_heads_no_word_leaves_no_arc():
    arcs, tops = graph_of("dropped_10")
    assert arcs == [(1, 2, "advmod"), (1, 3, "advmod"), (1, 4, "punct")]
    assert tops == [1]


def test_paths_pass_several_empty_nodes_and_end_in_a_cycle_of_them():
    sentence = sentence_of(
        ("1", "1.1:c"), ("1.1", "1.2:b"), ("1.2", "2:a|1.1:loop"), ("2", "0:root|1.2:d")
    )
    arcs, tops = enhanced_graph(sentence)
    assert arcs == [(2, 1, "a>b>c"), (2, 2, "a>d")]
    assert tops == [2]


def test_a_word_that_hangs_on_the_root_by_an_empty_node_is_a_top():
    assert enhanced_graph(sentence_of(("1", "1.1:obj"), ("1.1", "0:root"))) == ([], [1])


def test_two_arcs_between_the_same_words_become_one():
    arcs, _ = enhanced_graph(sentence_of(("1", "0:root"), ("2", "1:obj|1:nsubj")))
    assert arcs == [(1, 2, "nsubj|obj")]


@pytest.mark.parametrize(
    "deps, reason",
    [
        ("2", "file:2: an enhanced graph that cannot be read: '2' in '2'"),
        ("1:", "file:2: an enhanced graph that cannot be read"),
        ("1:a|", "file:2: an enhanced graph that cannot be read"),
        ("9:a", "file:2: no such head: '9'"),
        ("1.1:a", "file:2: no such head"),
        ("1-2:a", "file:2: no such head"),
    ],
)
def test_deps_that_cannot_be_read_are_refused_at_their_line(deps, reason):
    with pytest.raises(MalformedInputError, match=reason):
        enhanced_graph(sentence_of(("1", "0:root"), ("2", deps)))


def test_a_sentence_without_a_graph_is_refused():
    with pytest.raises(MalformedInputError, match="DEPS is _ for every token"):
        enhanced_graph(sentence_of(("1", "_"), ("2", "_")))


def test_it_has_an_empty_graph_where_that_may_be():
    sentence = sentence_of(("1", "_"), ("2", "_"))
    assert enhanced_graph(sentence, may_be_empty=True) == ([], [])


def test_empty_nodes_that_head_each_other_count_once_for_each_word():
    names = [f"1.{number}" for number in range(1, 61)]
    everyone = "|".join(f"{name}:d" for name in names)
    nodes = [(name, f"{everyone}|2:{name[2:]}") for name in names]
    arcs, tops = enhanced_graph(sentence_of(("1", "1.1:a"), *nodes, ("2", "0:root")))
    (arc,) = arcs
    assert arc[:2] == (2, 1)
    assert len(arc[2].split("|")) == 60
    assert "1>a" in arc[2].split("|") and "2>d>a" in arc[2].split("|")
    assert tops == [2]


def test_of_two_paths_through_empty_nodes_the_shorter_counts():
    nodes = [("1.1", "1.2:b|1.3:c"), ("1.2", "1.3:d"), ("1.3", "2:e")]
    arcs, _ = enhanced_graph(sentence_of(("1", "1.1:a"), *nodes, ("2", "0:root")))
    assert arcs == [(2, 1, "e>c>a")]


def test_a_path_without_bound_is_an_error():
    nodes = [(f"1.{number}", f"1.{number + 1}:d") for number in range(1, 40)]
    sentence = sentence_of(("1", "1.1:a"), *nodes, ("1.40", "0:root"))
    with pytest.raises(MalformedInputError, match="file:1: .* more than 20 empty nodes on a path"):
        enhanced_graph(sentence)
