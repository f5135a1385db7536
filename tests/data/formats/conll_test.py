import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.blocks import Block
from spigot_allennlp.data.formats.conll import (
    ConllSentence,
    ConllToken,
    enhanced_graph,
    format_conll,
    parse_conll,
    scan_conll,
    without_lemmas,
)
from tests.data.sample_files import CONLLU, CONLLX, records_of, wescience

cells = st.text(
    st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=5
).filter(lambda cell: cell == cell.strip(" "))


def block_of(*rows: str) -> Block:
    return Block("file", (), rows, tuple(range(1, len(rows) + 1)))


def row(name: str, head: str = "_") -> str:
    return "\t".join([name, "form", *"____", head, *"___"])


@st.composite
def sentences(draw) -> ConllSentence:
    length = draw(st.integers(1, 5))
    heads = st.none() | st.integers(0, length)
    tokens = []
    names = ["0.1"] if draw(st.booleans()) else []
    for word in range(1, length + 1):
        names += [f"{word}-{word + 1}"] if word % 2 and word < length else []
        names += [str(word), f"{word}.1", f"{word}.2"][: draw(st.integers(1, 3))]
    for name in names:
        before, after = [draw(cells) for _ in range(5)], [draw(cells) for _ in range(3)]
        tokens.append(ConllToken(name, *before, draw(heads), *after))
    return ConllSentence(tuple(tokens), draw(st.sampled_from([(), ("# sent_id = 1", "#")])))


@given(sentences())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_what_is_written_is_read_again(sentence):
    lines = format_conll(sentence).split("\n")
    start = len(sentence.comments)
    block = Block("file", tuple(lines[:start]), tuple(lines[start:-2]), tuple(range(99)))
    assert parse_conll(block) == sentence


@pytest.mark.parametrize("path", [CONLLX, CONLLU])
def test_the_fixtures_round_trip_byte_for_byte(path):
    text = "".join(map(format_conll, records_of(scan_conll(str(path)))))
    assert text.encode() == path.read_bytes()


@pytest.mark.parametrize("name", ["dev", "ood_holmes", "train"])
def test_the_treebank_round_trips_byte_for_byte(name):
    path = wescience(f"{name}.conll")
    text = "".join(map(format_conll, records_of(scan_conll(str(path)))))
    assert text.encode() == path.read_bytes()


def test_it_agrees_with_the_conllu_library():
    conllu = pytest.importorskip("conllu")
    theirs = conllu.parse(CONLLU.read_text(encoding="utf-8"))
    ours = list(records_of(scan_conll(str(CONLLU))))
    assert len(ours) == len(theirs) == 10
    for mine, other in zip(ours, theirs, strict=True):
        words = [token for token in other if isinstance(token["id"], int)]
        assert [word.form for word in mine.words] == [word["form"] for word in words]
        assert [word.head for word in mine.words] == [word["head"] for word in words]
        assert [word.relation for word in mine.words] == [word["deprel"] for word in words]
        assert mine.identifier == other.metadata["sent_id"]


def test_multiword_tokens_and_empty_nodes_are_kept_but_are_no_words():
    spanish = list(records_of(scan_conll(str(CONLLU))))[7]
    assert [token.id for token in spanish.tokens] == ["1-2", "1", "2", "3-4", "3", "4", "5", "6"]
    assert [word.form for word in spanish.words] == ["Vamos", "nos", "a", "el", "mar", "."]
    gapping = list(records_of(scan_conll(str(CONLLU))))[2]
    assert gapping.tokens[5].id == "5.1"
    assert len(gapping.words) == 7
    assert gapping.word_line_numbers[5] - gapping.word_line_numbers[4] == 2


@pytest.mark.parametrize(
    "names, place",
    [
        (["2"], 1),
        (["1", "3"], 2),
        (["1", "1"], 2),
        (["01"], 1),
        (["x"], 1),
        (["1", "0.1"], 2),
        (["1", "1.2"], 2),
        (["1", "1.1", "1.1"], 3),
        (["1", "1-2", "2"], 2),
        (["1-0", "1"], 1),
        (["1-3", "1", "2"], 3),
        (["1-2", "1", "2-3", "2", "3"], 3),
        (["0.1"], 1),
    ],
)
def test_ids_out_of_order_are_refused_at_their_line(names, place):
    with pytest.raises(MalformedInputError, match=f"file:{place}: token ids"):
        parse_conll(block_of(*map(row, names)))


def test_a_multiword_token_may_hold_a_single_word():
    assert len(parse_conll(block_of(row("1-1"), row("1"))).words) == 1


@pytest.mark.parametrize("head", ["3", "-1", "1.5", "x", "01", "²"])
def test_a_head_that_is_no_word_is_refused_at_its_line(head):
    with pytest.raises(MalformedInputError, match="file:2: no such head"):
        parse_conll(block_of(row("1", "0"), row("2", head)))


def test_the_columns_are_ten():
    with pytest.raises(MalformedInputError, match="file:2: wrong column count: 11 columns"):
        parse_conll(block_of(row("1"), row("2") + "\t_"))


def test_a_column_that_would_break_the_line_is_not_written():
    with pytest.raises(ValueError, match="cannot be a column"):
        format_conll(ConllSentence((ConllToken("1", "two\twords"),)))


def sentence_of(*nodes: tuple) -> ConllSentence:
    tokens = tuple(ConllToken(name, "form", deps=deps) for name, deps in nodes)
    return ConllSentence(tokens, path="file", line_numbers=tuple(range(1, len(tokens) + 1)))


def graph_of(identifier: str):
    sentences = records_of(scan_conll(str(CONLLU)))
    return enhanced_graph(
        next(sentence for sentence in sentences if sentence.identifier == identifier)
    )


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
    "label, relations",
    [
        ("nmod", "nmod"),
        ("conj:and>nmod:of", "conj>nmod"),
        ("nmod:in|nmod:of", "nmod"),
        ("obl:by|nsubj", "nsubj|obl"),
        ("conj:and>obj|conj:or>obj|obj", "conj>obj|obj"),
    ],
)
def test_without_lemmas_each_relation_is_there_once_in_order(label, relations):
    assert without_lemmas(label) == relations


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
