from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.data.blocks import Block
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.sdp_format import (
    SdpSentence,
    SdpToken,
    format_sdp,
    parse_sdp,
    read_sdp,
    scan_sdp,
)
from spigot_allennlp.data.sdp_layout import SDP_2014, SDP_2015, SDP_AUGMENTED, SdpLayout
from tests.data import sample_files
from tests.data.sample_files import wescience

LAYOUTS = [SDP_2015, SDP_2014, SDP_AUGMENTED, SdpLayout(frames=False, syntax=True)]
FILES = ["SDP_2015", "SDP_2014", "AUGMENTED"]

# Whatever a column may hold: no tab, no end of a line, no NUL, no space at its edge, not nothing.
cells = st.text(
    st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=5
).filter(lambda cell: cell == cell.strip(" "))


@st.composite
def sentences(draw) -> SdpSentence:
    layout = draw(st.sampled_from(LAYOUTS))
    length = draw(st.integers(1, 6))
    heads = st.none() | st.integers(0, length)
    tokens = [
        SdpToken(
            draw(cells),
            draw(cells),
            draw(cells),
            draw(st.booleans()),
            draw(st.booleans()),
            draw(cells) if layout.frames else "_",
            draw(heads) if layout.syntax else None,
            draw(cells) if layout.syntax else "_",
        )
        for _ in range(length)
    ]
    predicates = [position for position, token in enumerate(tokens, 1) if token.predicate]
    places = st.tuples(st.sampled_from(predicates or [1]), st.integers(1, length))
    roles = draw(st.dictionaries(places, cells.filter(lambda role: role != "_"), max_size=8))
    arcs = [(*place, role) for place, role in roles.items()] if predicates else []
    comments = draw(st.sampled_from([(), ("#1",), ("#SDP 2015", "#2")]))
    return SdpSentence(tuple(tokens), tuple(sorted(arcs)), comments, layout)


@given(sentences())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_what_is_written_is_read_again(sentence):
    lines = format_sdp(sentence).split("\n")
    assert lines[-2:] == ["", ""]
    start = len(sentence.comments)
    block = Block("file", tuple(lines[:start]), tuple(lines[start:-2]), tuple(range(start, 99)))
    assert parse_sdp(block, sentence.layout) == sentence


@pytest.mark.parametrize("name", FILES)
def test_the_fixtures_round_trip_byte_for_byte(name):
    path = getattr(sample_files, name)
    text = "".join(map(format_sdp, read_sdp(str(path))))
    assert text.encode() == path.read_bytes()


@pytest.mark.parametrize("name", ["dev", "ood_holmes", "train"])
def test_the_treebank_round_trips_byte_for_byte(name):
    path = wescience(f"{name}.sdp")
    text = "".join(map(format_sdp, read_sdp(str(path))))
    assert text.encode() == path.read_bytes()


def test_the_counts_of_the_treebank_are_those_of_its_description():
    treebank = list(read_sdp(str(wescience("dev.sdp"))))
    assert len(treebank) == 566
    assert sum(len(sentence.tokens) for sentence in treebank) == 11468
    assert sum(len(sentence.arcs) for sentence in treebank) == 8155
    assert all(len(sentence.tops) == 1 for sentence in treebank)


def test_a_control_construction_is_read_as_written():
    sentence = list(read_sdp(str(sample_files.SDP_2015)))[2]
    assert sentence.identifier == "90000003"
    assert [token.form for token in sentence.tokens] == ["Anna", "wants", "to", "leave", "."]
    assert [token.lemma for token in sentence.tokens] == ["Anna", "want", "to", "leave", "."]
    assert sentence.tokens[1].frame == "want_v_1"
    assert sentence.tops == [2]
    # Anna is the one who wants, and the one who leaves.
    assert sentence.arcs == ((2, 1, "ARG1"), (2, 4, "ARG2"), (4, 1, "ARG1"))
    assert sentence.lines == (15, 16, 17, 18, 19)


def test_the_forms_of_a_sentence_hold_the_same_graph():
    by_name = {name: list(read_sdp(str(getattr(sample_files, name)))) for name in FILES}
    for new, old, augmented in zip(*by_name.values(), strict=True):
        assert new.arcs == old.arcs == augmented.arcs
        assert new.tops == old.tops == augmented.tops
        assert replace(augmented.tokens[0], head=None, relation="_") == new.tokens[0]
        assert replace(new.tokens[0], frame="_") == old.tokens[0]
    assert [token.head for token in by_name["AUGMENTED"][2].tokens] == [2, 0, 4, 2, 2]


def test_a_sentence_is_written_in_the_layout_it_is_given():
    sentence = next(read_sdp(str(sample_files.SDP_2015)))
    assert format_sdp(replace(sentence, comments=(), layout=SDP_AUGMENTED)) == (
        "1\tQuiet\tquiet\tJJ\t_\t_\t+\t-\tquiet_a_1\n2\t!\t!\t.\t_\t_\t-\t-\t_\n\n"
    )


def test_an_arc_from_a_token_that_is_no_predicate_is_not_written():
    sentence = SdpSentence((SdpToken("a"), SdpToken("b")), ((1, 2, "ARG1"),))
    with pytest.raises(ValueError, match="not marked as a predicate"):
        format_sdp(sentence)


@pytest.mark.parametrize("form", ["a\tb", "a\nb", ""])
def test_a_form_that_would_break_the_columns_is_not_written(form):
    with pytest.raises(ValueError, match="cannot be a column"):
        format_sdp(SdpSentence((SdpToken(form),)))


def test_reading_ends_at_a_bad_sentence_and_scanning_goes_on(tmp_path):
    path = tmp_path / "file"
    path.write_text("1\ta\ta\tN\t+\t-\t_\n\n3\ta\ta\tN\t+\t-\t_\n\n1\tb\tb\tN\t+\t-\t_\n\n")
    results = list(scan_sdp(str(path)))
    assert [type(result) for result in results] == [SdpSentence, MalformedInputError, SdpSentence]
    sentences = read_sdp(str(path))
    assert next(sentences).tokens[0].form == "a"
    with pytest.raises(MalformedInputError, match=":3: token ids"):
        next(sentences)


def test_an_arc_may_lead_from_a_token_to_itself(tmp_path):
    path = tmp_path / "file"
    path.write_text("1\ta\ta\tN\t+\t+\t_\tARG1\n\n")
    assert next(read_sdp(str(path))).arcs == ((1, 1, "ARG1"),)
