from itertools import islice
from pathlib import Path

import pytest

from spigot_allennlp.data.blocks import read_blocks
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.sdp_format import read_sdp
from spigot_allennlp.data.sdp_layout import (
    SDP_2014,
    SDP_2015,
    SDP_AUGMENTED,
    SdpLayout,
    find_layout,
)
from tests.data import sample_files

AUGMENTED_2014 = SdpLayout(frames=False, syntax=True)


def layout_of(tmp_path: Path, text: str) -> SdpLayout:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    return find_layout(list(islice(read_blocks(str(path), "sdp"), 50)))


def without_header(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("#SDP 2015\n", "")


@pytest.mark.parametrize(
    "name, layout",
    [("SDP_2015", SDP_2015), ("SDP_2014", SDP_2014), ("AUGMENTED", SDP_AUGMENTED)],
)
def test_each_sentence_of_a_form_tells_it_without_header_and_name(tmp_path, name, layout):
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
def test_a_file_of_two_layouts_tells_none_without_a_header(tmp_path, text):
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
    with pytest.raises(MalformedInputError, match="file.txt:3: a header of .* '#SDP 2016'") as one:
        layout_of(tmp_path, "#SDP 2016\n" + text)
    assert one.value.fault.is_of_file


def test_a_header_holds_for_the_sentences_after_it(tmp_path):
    path = tmp_path / "file.txt"
    new = sample_files.SDP_2015.read_text(encoding="utf-8")
    old = without_header(sample_files.SDP_2014)
    path.write_text(f"{new}#SDP 2014\n{old}{new}", encoding="utf-8")
    layouts = [sentence.layout for sentence in read_sdp(str(path))]
    assert layouts == [SDP_2015] * 10 + [SDP_2014] * 10 + [SDP_2015] * 10


def test_without_a_sound_sentence_it_is_taken_for_2015(tmp_path):
    assert layout_of(tmp_path, "1\ta\n\n1\tb\n") == SDP_2015


def test_columns_are_named_and_counted():
    assert SDP_2015.columns == ("id", "form", "lemma", "pos", "top", "pred", "frame")
    assert SDP_AUGMENTED.columns[4:6] == ("head", "deprel")
    for layout in (SDP_2015, SDP_2014, SDP_AUGMENTED, AUGMENTED_2014):
        assert layout.width == len(layout.columns)
        assert layout.columns[layout.top : layout.top + 2] == ("top", "pred")
