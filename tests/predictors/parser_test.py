import json

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.predictors import Predictor

from spigot_allennlp.data.formats.sdp import scan_sdp
from tests.data.sample_files import records_of
from tests.predictors.predict_command import lines, predict, predictor_args

WORDS = ["We", "do", "n't", "know", "."]
SDP_TEXT = """#SDP 2015
#20001001
1	We	we	PRP	-	-	_	ARG1
2	know	know	VBP	+	+	v	_

#20001002
1	Go	go	VB	+	-	_

"""
MULTITASK = {"type": "multitask", "readers": {"syntax": "conll", "semantics": "sdp"}}


def test_raw_text_is_tokenized_offline_and_parsed(make_archive):
    predictor = Predictor.from_path(make_archive())
    assert predictor.predict("We don't know.") == {
        "words": WORDS,
        "lemmas": ["we", "do", "n't", "know", "."],
        "pos": ["_"] * 5,
        "heads": [0, 1, 2, 3, 4],
        "relations": ["dep"] * 5,
        "arcs": [[1, 2, "ARG1"], [2, 3, "ARG1"], [3, 4, "ARG1"], [4, 5, "ARG1"]],
        "tops": [1],
    }


def test_given_words_and_layers_reach_the_model_as_they_are(make_archive, seen):
    predictor = Predictor.from_path(make_archive())
    output = predictor.predict_json(
        {"words": ["We know", "."], "lemmas": ["know", "-"], "pos": ["V", "P"], "id": 7}
    )
    assert (output["words"], output["lemmas"], output["pos"]) == (
        ["We know", "."],
        ["know", "-"],
        ["V", "P"],
    )
    assert output["id"] == "7"
    assert seen[0]["metadata"][0]["lemmas"] == ["know", "-"]


def test_the_tokens_are_indexed_with_the_features_that_were_given(make_archive, seen):
    indexers = {"lemmas": {"type": "single_id", "feature_name": "lemma_"}}
    archive = make_archive(dataset_reader={"type": "sdp", "token_indexers": indexers})
    Predictor.from_path(archive).predict_words(["We", "x"], lemmas=["know", "We"])
    vocabulary = {"We": 2, "know": 3}
    assert seen[0]["tokens"]["lemmas"]["tokens"].tolist() == [
        [vocabulary["know"], vocabulary["We"]]
    ]


def test_one_of_two_tag_sets_stands_for_the_other(make_archive, seen):
    indexers = {
        name: {"type": "single_id", "feature_name": f"{name}_", "namespace": "tokens"}
        for name in ("pos", "tag")
    }
    archive = make_archive(dataset_reader={"type": "conll", "token_indexers": indexers})
    predictor = Predictor.from_path(archive)
    predictor.predict_words(["x"], pos=["We"])
    predictor.predict_words(["x"], tags=["We"])
    for batch in seen:
        assert batch["tokens"]["pos"]["tokens"].tolist() == [[2]]
        assert batch["tokens"]["tag"]["tokens"].tolist() == [[2]]


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"language": "xx_no_such_pipeline"}, "spacy download xx_no_such_pipeline"),
        ({"output": "conll"}, "must be one of json, sdp"),
        ({"on_error": "ignore"}, "must be one of raise"),
        ({"task": "syntax"}, "Leave task out"),
    ],
)
def test_a_wrong_option_is_named_with_the_way_out(make_archive, options, reason):
    with pytest.raises(ConfigurationError, match=reason):
        Predictor.from_path(make_archive(), **options)


def test_the_command_writes_one_line_of_json_a_sentence(make_archive, tmp_path):
    text = lines({"sentence": "We know"}, {"words": ["Go"], "id": "b"}) + "\n"
    for batch_size in ("1", "2"):
        output = predict(make_archive(), tmp_path, text, "--batch-size", batch_size)
        first, second = map(json.loads, output.splitlines())
        assert first["words"] == ["We", "know"] and first["arcs"] == [[1, 2, "ARG1"]]
        # The loss, which AllenNLP keeps with a batch of one, is not part of the output.
        assert list(second) == [
            "id",
            "words",
            "lemmas",
            "pos",
            "heads",
            "relations",
            "arcs",
            "tops",
        ]


def test_sdp_output_can_be_read_again_and_holds_the_tree(make_archive, tmp_path):
    text = lines({"sentence": "We know it"}, {"words": ["Go"], "id": "b"})
    options = predictor_args(output="sdp_augmented", tokenizer="just_spaces")
    for batch_size in ("1", "2"):
        predict(make_archive(), tmp_path, text, "--batch-size", batch_size, *options)
        first, second = records_of(scan_sdp(str(tmp_path / "output")))
        assert [token.head for token in first.tokens] == [0, 1, 2]
        assert first.arcs == ((1, 2, "ARG1"), (2, 3, "ARG1"))
        assert (first.identifier, second.identifier) == ("1", "b")


def test_a_file_in_the_format_of_the_reader_is_parsed(make_archive, tmp_path):
    options = "--use-dataset-reader", *predictor_args(output="sdp"), "--batch-size", "2"
    written = predict(make_archive(), tmp_path, SDP_TEXT, *options, name="input.sdp")
    assert written == (
        "#SDP 2015\n#20001001\n1\tWe\twe\tPRP\t+\t+\t_\t_\n2\tknow\tknow\tVBP\t-\t-\t_\tARG1\n\n"
        "#20001002\n1\tGo\tgo\tVB\t+\t-\t_\n\n"
    )


def test_a_conll_file_without_trees_is_parsed(make_archive, tmp_path):
    text = "1\tWe\t_\tPRON\t_\t_\t_\t_\t_\t_\n2\tknow\tknow\tVERB\t_\t_\t_\t_\t_\t_\n\n"
    archive = make_archive(dataset_reader={"type": "conll"})
    options = "--use-dataset-reader", "--overrides", '{"dataset_reader.trees": false}'
    output = json.loads(predict(archive, tmp_path, text, *options, name="input.conllu"))
    assert (output["words"], output["heads"]) == (["We", "know"], [0, 1])
    assert "id" not in output


def test_a_bad_line_ends_the_run_and_is_named(make_archive, tmp_path):
    text = lines({"words": ["Go"]}) + "\n" + lines({"words": ["a", "b"], "pos": ["X"]})
    with pytest.raises(SystemExit, match='Line 2 of the input.*"pos".*list of 2'):
        predict(make_archive(), tmp_path, text)


def test_a_bad_line_that_is_reported_keeps_its_place(make_archive, tmp_path, caplog):
    text = lines({"words": ["Go"]}) + "{not json\n" + lines({"sentence": " "}, {"words": ["On"]})
    options = predictor_args(on_error="report")
    for batch_size in ("1", "3"):
        output = predict(make_archive(), tmp_path, text, "--batch-size", batch_size, *options)
        first, second, third, fourth = map(json.loads, output.splitlines())
        assert (first["words"], fourth["words"]) == (["Go"], ["On"])
        assert (second["line"], second["input"]) == (2, "{not json")
        assert third["line"] == 3 and '"sentence" must hold some text' in third["error"]
        assert "Line 3 of the input" in caplog.text


def test_sdp_output_leaves_a_reported_line_out(make_archive, tmp_path):
    text = lines({"words": ["Go"]}, {"words": []}, {"words": ["On"]})
    options = predictor_args(on_error="report", output="sdp")
    predict(make_archive(), tmp_path, text, *options)
    sentences = records_of(scan_sdp(str(tmp_path / "output")))
    assert [sentence.tokens[0].form for sentence in sentences] == ["Go", "On"]


def test_of_a_multitask_reader_the_one_that_is_named_makes_the_instances(make_archive):
    archive = make_archive(dataset_reader=MULTITASK)
    with pytest.raises(ConfigurationError, match="'semantics', 'syntax'.*task is None"):
        Predictor.from_path(archive)
    assert Predictor.from_path(archive, task="semantics").predict("We")["words"] == ["We"]
