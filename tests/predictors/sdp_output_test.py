import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.formats.sdp import SDP_2014, SDP_2015, SDP_AUGMENTED, scan_sdp
from spigot_allennlp.predictors.parser import SdpOutput
from tests.data.sample_files import records_of

PARSED = {
    "id": "20001001",
    "words": ["We", "know", "it"],
    "lemmas": ["we", "know", "it"],
    "pos": ["PRP", "VBP", "PRP"],
    "heads": [2, 0, 2],
    "relations": ["sb", "root", "obj"],
    "arcs": [[2, 1, "ARG1"], [2, 3, "ARG2"]],
    "tops": [2],
}


def test_the_text_is_that_written_by_hand():
    assert SdpOutput("sdp").text(PARSED) == (
        "#SDP 2015\n"
        "#20001001\n"
        "1\tWe\twe\tPRP\t-\t-\t_\tARG1\n"
        "2\tknow\tknow\tVBP\t+\t+\t_\t_\n"
        "3\tit\tit\tPRP\t-\t-\t_\tARG2\n"
        "\n"
    )
    assert SdpOutput("sdp_augmented").text(PARSED).splitlines()[2:5] == [
        "1\tWe\twe\tPRP\t2\tsb\t-\t-\t_\tARG1",
        "2\tknow\tknow\tVBP\t0\troot\t+\t+\t_\t_",
        "3\tit\tit\tPRP\t2\tobj\t-\t-\t_\tARG2",
    ]


@pytest.mark.parametrize(
    "name, layout", [("sdp", SDP_2015), ("sdp2014", SDP_2014), ("sdp_augmented", SDP_AUGMENTED)]
)
def test_a_file_of_such_sentences_can_be_read(tmp_path, name, layout):
    output = SdpOutput(name)
    bare = {"words": ["Go"], "arcs": [], "heads": [0], "relations": ["root"]}
    path = tmp_path / "parsed.sdp"
    path.write_text("".join(map(output.text, [PARSED, bare, {**bare, "id": "b 1"}])))
    sentences = list(records_of(scan_sdp(str(path))))
    assert [sentence.layout for sentence in sentences] == [layout] * 3
    assert [sentence.identifier for sentence in sentences] == ["20001001", "2", "b 1"]
    assert path.read_text().count("#SDP 2015\n") == (1 if layout.frames else 0)
    assert [list(arc) for arc in sentences[0].arcs] == PARSED["arcs"]
    assert sentences[0].tops == PARSED["tops"]
    heads = PARSED["heads"] if layout.syntax else [None] * 3
    assert [token.head for token in sentences[0].tokens] == heads
    assert [(token.lemma, token.pos) for token in sentences[1].tokens] == [("_", "_")]


def test_a_layout_is_refused_of_which_the_model_makes_a_part_only():
    no_graph = {key: PARSED[key] for key in ("words", "heads", "relations")}
    with pytest.raises(ConfigurationError, match="needs 'arcs'.*'heads'.*json"):
        SdpOutput("sdp").text(no_graph)
    no_tree = {key: PARSED[key] for key in ("words", "arcs", "tops")}
    with pytest.raises(ConfigurationError, match="needs 'heads'.*'arcs'.*json"):
        SdpOutput("sdp_augmented").text(no_tree)


def test_an_unknown_layout_is_refused_with_those_there_are():
    with pytest.raises(
        ConfigurationError,
        match='output is "conll", but must be one of json, sdp, sdp2014, sdp_augmented',
    ):
        SdpOutput("conll")


def test_a_role_that_says_that_there_is_no_arc_is_refused():
    with pytest.raises(ConfigurationError, match='"arcs" cannot be written as SDP.* role _ '):
        SdpOutput("sdp").check({**PARSED, "arcs": [[2, 1, "_"]]})
