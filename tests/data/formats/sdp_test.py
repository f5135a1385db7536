from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.blocks import Block, read_blocks
from spigot_allennlp.data.formats.conll import annotation_to_conll, format_conll
from spigot_allennlp.data.formats.sdp import (
    SDP_2014,
    SDP_2015,
    SDP_AUGMENTED,
    SdpLayout,
    SdpSentence,
    SdpToken,
    annotation_to_sdp,
    find_layout,
    format_sdp,
    parse_sdp,
    scan_sdp,
)
from tests.data import sample_files
from tests.data.sample_files import records_of, wescience

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
    text = "".join(map(format_sdp, records_of(scan_sdp(str(path)))))
    assert text.encode() == path.read_bytes()


@pytest.mark.parametrize("name", ["dev", "ood_holmes", "train"])
def test_the_treebank_round_trips_byte_for_byte(name):
    path = wescience(f"{name}.sdp")
    text = "".join(map(format_sdp, records_of(scan_sdp(str(path)))))
    assert text.encode() == path.read_bytes()


def test_the_counts_of_the_treebank_are_those_of_its_description():
    treebank = list(records_of(scan_sdp(str(wescience("dev.sdp")))))
    assert len(treebank) == 566
    assert sum(len(sentence.tokens) for sentence in treebank) == 11468
    assert sum(len(sentence.arcs) for sentence in treebank) == 8155
    assert all(len(sentence.tops) == 1 for sentence in treebank)


def test_a_control_construction_is_read_as_written():
    sentence = list(records_of(scan_sdp(str(sample_files.SDP_2015))))[2]
    assert sentence.identifier == "90000003"
    assert [token.form for token in sentence.tokens] == ["Anna", "wants", "to", "leave", "."]
    assert [token.lemma for token in sentence.tokens] == ["Anna", "want", "to", "leave", "."]
    assert sentence.tokens[1].frame == "want_v_1"
    assert sentence.tops == [2]
    # Anna is the one who wants, and the one who leaves.
    assert sentence.arcs == ((2, 1, "ARG1"), (2, 4, "ARG2"), (4, 1, "ARG1"))
    assert sentence.line_numbers == (15, 16, 17, 18, 19)


def test_the_forms_of_a_sentence_hold_the_same_graph():
    by_name = {name: list(records_of(scan_sdp(str(getattr(sample_files, name))))) for name in FILES}
    for new, old, augmented in zip(*by_name.values(), strict=True):
        assert new.arcs == old.arcs == augmented.arcs
        assert new.tops == old.tops == augmented.tops
        assert augmented.tokens[0]._replace(head=None, relation="_") == new.tokens[0]
        assert new.tokens[0]._replace(frame="_") == old.tokens[0]
    assert [token.head for token in by_name["AUGMENTED"][2].tokens] == [2, 0, 4, 2, 2]


def test_a_sentence_is_written_in_the_layout_it_is_given():
    sentence = next(records_of(scan_sdp(str(sample_files.SDP_2015))))
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
    instances = SdpReader().read(path)
    assert next(instances)["tokens"][0].text == "a"
    with pytest.raises(MalformedInputError, match=":3: token ids"):
        next(instances)


def test_an_arc_may_lead_from_a_token_to_itself(tmp_path):
    path = tmp_path / "file"
    path.write_text("1\ta\ta\tN\t+\t+\t_\tARG1\n\n")
    assert next(records_of(scan_sdp(str(path)))).arcs == ((1, 1, "ARG1"),)


AUGMENTED_2014 = SdpLayout(frames=False, syntax=True)


def layout_of(tmp_path: Path, text: str) -> SdpLayout:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    return find_layout(list(islice(read_blocks(str(path)), 50)))


def without_header(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("#SDP 2015\n", "")


@pytest.mark.parametrize(
    "name, layout",
    [("SDP_2015", SDP_2015), ("SDP_2014", SDP_2014), ("AUGMENTED", SDP_AUGMENTED)],
)
def test_each_sentence_shows_its_layout_without_header_and_name(tmp_path, name, layout):
    text = without_header(getattr(sample_files, name))
    sentences = text.strip().split("\n\n")
    assert len(sentences) == 10
    for sentence in sentences:
        assert layout_of(tmp_path, sentence) == layout


def test_the_augmented_form_may_lack_frames(tmp_path):
    text = "1\ta\ta\tN\t2\tsb\t-\t-\tARG1\n2\tb\tb\tV\t0\troot\t+\t+\t_\n"
    assert layout_of(tmp_path, text) == AUGMENTED_2014


def test_a_head_that_is_not_given_does_not_hide_the_augmented_form(tmp_path):
    assert layout_of(tmp_path, "1\ta\ta\tN\t_\t_\t+\t-\t_\n") == SDP_AUGMENTED


def test_the_majority_decides_against_a_corrupt_first_sentence(tmp_path):
    # One argument column of the first is gone, and the frames are entries of its predicate.
    corrupt = "1\ta\ta\tN\t-\t+\t_\n2\tb\tb\tV\t+\t-\tf\n\n"
    assert layout_of(tmp_path, corrupt) == SDP_2014
    assert layout_of(tmp_path, corrupt + without_header(sample_files.SDP_2015)) == SDP_2015


def test_a_predicate_without_column_does_not_make_its_frame_a_role(tmp_path):
    corrupt = "1\ta\ta\tN\t-\t+\tf\n2\tb\tb\tN\t-\t-\t_\n\n"
    assert layout_of(tmp_path, corrupt) == SDP_2015


IN_2014 = "1\ta\ta\tN\t-\t+\t_\n2\tb\tb\tN\t-\t-\tARG1\n\n"
IN_2015 = "1\ta\ta\tN\t-\t-\tf\n\n"


@pytest.mark.parametrize("text", [IN_2014 + IN_2015, IN_2015 + IN_2014])
def test_a_file_of_two_layouts_needs_a_header(tmp_path, text):
    with pytest.raises(MalformedInputError, match="1 of the first sentences are in SDP 201"):
        layout_of(tmp_path, text)
    assert layout_of(tmp_path, "#SDP 2015\n" + text) == SDP_2015
    assert layout_of(tmp_path, "#SDP 2014\n" + text) == SDP_2014


@pytest.mark.parametrize(
    "header, layout",
    [("#SDP 2015", SDP_2015), ("# sdp 2015 ", SDP_2015), ("#SDP 2014", SDP_2014)],
)
def test_a_header_outweighs_the_content(tmp_path, header, layout):
    for name in ("SDP_2014", "SDP_2015"):
        text = without_header(getattr(sample_files, name))
        assert layout_of(tmp_path, f"{header}\n{text}") == layout


def test_a_header_says_nothing_of_the_trees(tmp_path):
    text = without_header(sample_files.AUGMENTED)
    assert layout_of(tmp_path, "#SDP 2015\n" + text) == SDP_AUGMENTED
    assert layout_of(tmp_path, "#SDP 2014\n" + text) == AUGMENTED_2014


def test_an_unknown_header_is_an_error_of_the_file(tmp_path):
    text = without_header(sample_files.SDP_2015)
    with pytest.raises(
        MalformedInputError, match="file.txt:3: a header of .* '#SDP 2016'"
    ) as raised:
        layout_of(tmp_path, "#SDP 2016\n" + text)
    assert raised.value.fault.is_of_file


def test_a_header_holds_for_the_sentences_after_it(tmp_path):
    path = tmp_path / "file.txt"
    new = sample_files.SDP_2015.read_text(encoding="utf-8")
    old = without_header(sample_files.SDP_2014)
    path.write_text(f"{new}#SDP 2014\n{old}{new}", encoding="utf-8")
    layouts = [sentence.layout for sentence in records_of(scan_sdp(str(path)))]
    assert layouts == [SDP_2015] * 10 + [SDP_2014] * 10 + [SDP_2015] * 10


def test_without_a_sound_sentence_it_is_taken_for_2015(tmp_path):
    assert layout_of(tmp_path, "1\ta\n\n1\tb\n") == SDP_2015


def test_columns_are_named_and_counted():
    assert SDP_2015.columns == "id form lemma pos top pred frame".split()
    assert SDP_AUGMENTED.columns[4:6] == ["head", "deprel"]
    for layout in (SDP_2015, SDP_2014, SDP_AUGMENTED, AUGMENTED_2014):
        assert layout.width == len(layout.columns)
        assert layout.columns[layout.top : layout.top + 2] == ["top", "pred"]


SENTENCE = AnnotatedSentence(
    words=["Anna", "sleeps"], arcs=[(2, 1, "ARG1")], tops=[2], identifier="7"
)


def test_tokens_with_an_arc_are_predicates_and_what_is_not_given_is_an_underscore():
    text = "#7\n1\tAnna\t_\t_\t-\t-\t_\tARG1\n2\tsleeps\t_\t_\t+\t+\t_\t_\n\n"
    assert format_sdp(annotation_to_sdp(SENTENCE)) == text


def test_whatever_a_sentence_is_called_it_is_read_under_that_name(tmp_path):
    names = ["7", "doc 1 s 2", "SDP 2014", "sent_id=x", "sdp 2014", "#a", "a = b", "# sent_id = c"]
    texts = [format_sdp(annotation_to_sdp(replace(SENTENCE, identifier=name))) for name in names]
    (tmp_path / "named.sdp").write_text("".join(["#SDP 2015\n", *texts]))
    sentences = list(records_of(scan_sdp(tmp_path / "named.sdp")))
    assert [sentence.identifier for sentence in sentences] == names
    assert {sentence.layout for sentence in sentences} == {SDP_2015}


def test_a_tree_asks_for_the_augmented_form():
    sentence = AnnotatedSentence(
        words=["Anna", "sleeps"],
        lemmas=["Anna", "sleep"],
        tags=["NNP", "VBZ"],
        heads=[2, 0],
        relations=["nsubj", "root"],
    )
    text = "1\tAnna\tAnna\tNNP\t2\tnsubj\t-\t-\n2\tsleeps\tsleep\tVBZ\t0\troot\t-\t-\n\n"
    assert format_sdp(annotation_to_sdp(sentence, SDP_2014)) == text


@pytest.mark.parametrize(
    "arcs, message",
    [
        ([Arc(1, 2, "_")], r"\(1, 2, '_'\) has no role but _"),
        ([Arc(1, 2, "A"), Arc(1, 2, "B")], r"\(1, 2, 'B'\) is not the only one"),
    ],
)
def test_no_arc_is_lost_in_silence(arcs, message):
    with pytest.raises(ValueError, match=message):
        format_sdp(annotation_to_sdp(AnnotatedSentence(["a", "b"], arcs=arcs)))


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\0b", "\ud800"])
def test_a_name_that_would_not_be_read_again_is_refused(name):
    sentence = AnnotatedSentence(["a"], heads=[0], arcs=[], identifier=name)
    for text_of in (
        lambda: format_sdp(annotation_to_sdp(sentence)),
        lambda: format_conll(annotation_to_conll(sentence)),
    ):
        with pytest.raises(ValueError, match="cannot be a comment.*name of the sentence"):
            text_of()
