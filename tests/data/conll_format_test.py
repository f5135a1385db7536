import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.conll_format import (
    ConllSentence,
    ConllToken,
    format_conll,
    parse_conll,
    read_conll,
)
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.sample_files import CONLLU, CONLLX, wescience

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
    text = "".join(map(format_conll, read_conll(str(path))))
    assert text.encode() == path.read_bytes()


@pytest.mark.parametrize("name", ["dev", "ood_holmes", "train"])
def test_the_treebank_round_trips_byte_for_byte(name):
    path = wescience(f"{name}.conll")
    text = "".join(map(format_conll, read_conll(str(path))))
    assert text.encode() == path.read_bytes()


def test_it_agrees_with_the_conllu_library():
    conllu = pytest.importorskip("conllu")
    theirs = conllu.parse(CONLLU.read_text(encoding="utf-8"))
    ours = list(read_conll(str(CONLLU)))
    assert len(ours) == len(theirs) == 10
    for mine, other in zip(ours, theirs, strict=True):
        words = [token for token in other if isinstance(token["id"], int)]
        assert [word.form for word in mine.words] == [word["form"] for word in words]
        assert [word.head for word in mine.words] == [word["head"] for word in words]
        assert [word.relation for word in mine.words] == [word["deprel"] for word in words]
        assert mine.identifier == other.metadata["sent_id"]


def test_multiword_tokens_and_empty_nodes_are_kept_but_are_no_words():
    spanish = list(read_conll(str(CONLLU)))[7]
    assert [token.id for token in spanish.tokens] == ["1-2", "1", "2", "3-4", "3", "4", "5", "6"]
    assert [word.form for word in spanish.words] == ["Vamos", "nos", "a", "el", "mar", "."]
    gapping = list(read_conll(str(CONLLU)))[2]
    assert gapping.tokens[5].id == "5.1"
    assert len(gapping.words) == 7
    assert gapping.word_lines[5] - gapping.word_lines[4] == 2


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
