"""Sentiment from text, words and files: by a test double, and by our models, just trained."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from allennlp.commands.train import train_model_from_file
from allennlp.common.util import sanitize
from allennlp.data import DatasetReader
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from spigot_allennlp.parses.parse import sentiment_names
from spigot_allennlp.predictors.sentence_parser import load_parser
from tests.predictors.conftest import LengthClassifier
from tests.predictors.predict_command import lines, predict, predictor_args

FIXTURES = Path(__file__).parents[2] / "fixtures"
TREES = FIXTURES / "data" / "sst.txt"
WORDS = ["The", "old", "play", "is", "superb", "."]
CLASSIFIER = {"model": {"type": "length_classifier"}, "dataset_reader": {"type": "sst"}}
TREE_CLASSIFIER = {**CLASSIFIER, "model": {"type": "length_classifier", "tree": True}}

# What each of our classifiers makes besides the class.
MAKES = {"semantic_then_sentiment": {"arcs", "tops"}, "latent_tree_classifier": {"heads"}}
CLASS = {"words", "lemmas", "pos", "label", "probabilities"}
# Nothing but caution is learnt in one epoch, so arcs have a start.
MANY_ARCS = {"regexes": [["_arc_scorer._from_dependent.bias", {"type": "constant", "val": 0.3}]]}


def test_the_output_of_raw_text_holds_words_class_probabilities_and_graph(make_archive):
    output = Predictor.from_path(make_archive(**CLASSIFIER)).predict("It works.")
    assert list(output) == ["words", "lemmas", "pos", "label", "probabilities", "arcs", "tops"]
    assert output["words"] == ["It", "works", "."] and output["lemmas"] == ["it", "works", "."]
    assert output["label"] == "positive"
    assert output["arcs"] == [[1, 1, "ARG1"]] and output["tops"] == []


def test_a_latent_tree_is_a_list_of_heads(make_archive):
    output = Predictor.from_path(make_archive(**TREE_CLASSIFIER)).predict("It works.")
    assert output["heads"] == [1, 2, 3] and not output.keys() & {"arcs", "tops"}


def test_probabilities_are_rounded_to_what_is_known_of_them_and_none_becomes_zero(make_archive):
    output = Predictor.from_path(make_archive(**CLASSIFIER)).predict("Works")
    # 1 / (1 + exp(20)) = 2.06115362e-9
    assert output["probabilities"] == {"positive": 2.06115e-9, "negative": 1.0}


@pytest.mark.parametrize("reader", ["sst", "synthetic_treebank", "sdp"])
def test_given_words_and_layers_reach_any_reader_as_they_are(make_archive, seen, reader):
    archive = make_archive(model={"type": "length_classifier"}, dataset_reader={"type": reader})
    predictor = Predictor.from_path(archive)
    output = predictor.predict_json(
        {"words": ["We know", "."], "lemmas": ["know", "-"], "pos": ["V", "P"], "id": 7}
    )
    expected = {"id": "7", "words": ["We know", "."], "lemmas": ["know", "-"], "pos": ["V", "P"]}
    assert {key: output[key] for key in expected} == expected
    assert {key: seen[0]["metadata"][0][key] for key in expected} == expected


@pytest.mark.parametrize(
    "layers, expected", [({"tags": ["NN"]}, "NN"), ({"pos": ["N"], "tags": ["NN"]}, "N"), ({}, "_")]
)
def test_tags_stand_for_parts_of_speech_where_these_are_not_given(make_archive, layers, expected):
    predictor = Predictor.from_path(make_archive(**CLASSIFIER))
    assert predictor.predict_words(["play"], **layers)["pos"] == [expected]


def test_a_classifier_may_make_a_label_alone(make_archive, monkeypatch):
    monkeypatch.setattr(
        LengthClassifier, "make_output_human_readable", lambda self, output: {"label": ["good"]}
    )
    output = Predictor.from_path(make_archive(**CLASSIFIER)).predict_json({"words": ["Go"]})
    assert output == {"words": ["Go"], "lemmas": ["go"], "pos": ["_"], "label": "good"}


def test_the_command_writes_one_line_of_json_a_sentence(make_archive, tmp_path):
    text = lines({"sentence": "We know it"}, {"words": ["Go"], "id": "b"}) + "\n"
    for batch_size in ("1", "2"):
        output = predict(make_archive(**CLASSIFIER), tmp_path, text, "--batch-size", batch_size)
        first, second = map(json.loads, output.splitlines())
        assert (first["label"], second["label"]) == ("positive", "negative")
        assert "id" not in first and second["id"] == "b" and "loss" not in second


def test_an_empty_sentence_ends_the_run_and_its_line_is_named(make_archive, tmp_path):
    text = lines({"sentence": "Go"}, {"sentence": "  "})
    with pytest.raises(SystemExit, match='Line 2 of the input.*"sentence" must hold some text'):
        predict(make_archive(**CLASSIFIER), tmp_path, text)
    with pytest.raises(SystemExit, match='Line 1 of the input.*"words" must be a list'):
        predict(make_archive(**CLASSIFIER), tmp_path, lines({"words": []}))


def test_an_empty_sentence_that_is_reported_keeps_its_place(make_archive, tmp_path):
    text = lines({"words": ["Go"]}, {"sentence": ""}, {"words": ["On"]})
    options = predictor_args(on_error="report")
    for batch_size in ("1", "3"):
        command = make_archive(**CLASSIFIER), tmp_path, text, "--batch-size", batch_size, *options
        first, second, third = map(json.loads, predict(*command).splitlines())
        assert (first["words"], third["words"]) == (["Go"], ["On"])
        assert second["line"] == 2 and '"sentence" must hold some text' in second["error"]


@pytest.fixture(scope="module", params=list(MAKES))
def classifier(request, tmp_path_factory):
    """An experiment of the fixtures after its one epoch."""
    name, run = request.param, tmp_path_factory.mktemp(request.param) / "run"
    overrides = {"model.parser.initializer": MANY_ARCS} if "arcs" in MAKES[name] else {}
    model = train_model_from_file(
        str(FIXTURES / "experiments" / f"{name}.jsonnet"), str(run), overrides=overrides
    )
    archive = str(run / "model.tar.gz")
    predictor = Predictor.from_path(archive)
    return SimpleNamespace(makes=MAKES[name], model=model, archive=archive, predictor=predictor)


def check(output):
    """What is true of every classified sentence."""
    positions = range(1, len(output["words"]) + 1)
    probabilities = output["probabilities"]
    assert set(probabilities) == {"0", "1"}
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert output["label"] == max(probabilities, key=probabilities.get)
    assert all(head in (0, *positions) for head in output.get("heads", []))
    assert len(output.get("heads", positions)) == len(positions)
    assert all(top in positions for top in output.get("tops", []))
    for predicate, argument, role in output.get("arcs", []):
        assert predicate in positions and argument in positions and isinstance(role, str)


def test_our_classifiers_take_text_and_words_alike(classifier):
    of_text = classifier.predictor.predict("The old play is superb.")
    assert of_text == classifier.predictor.predict_words(WORDS)
    assert set(of_text) == CLASS | classifier.makes
    check(of_text)


def test_the_archive_classifies_as_the_model_that_was_trained(classifier):
    reader = load_archive(classifier.archive).validation_dataset_reader
    outputs = []
    for instance in reader.read("synthetic:size=12,seed=5"):
        reader.apply_token_indexers(instance)
        trained = sanitize(classifier.model.eval().forward_on_instance(instance))
        outputs.append(classifier.predictor.predict_instance(instance))
        check(outputs[-1])
        assert outputs[-1].pop("probabilities") == pytest.approx(trained["probabilities"], rel=1e-5)
        assert outputs[-1] == {key: trained[key] for key in outputs[-1]}
    if "arcs" in classifier.makes:
        assert any(output["arcs"] for output in outputs)


def test_a_file_of_the_treebank_is_classified_whatever_the_batch_size(classifier, tmp_path):
    indexers = load_archive(classifier.archive).config["dataset_reader"]["token_indexers"]
    reader = {"type": "sst", "granularity": "2-class", "token_indexers": indexers.as_dict()}
    options = "--use-dataset-reader", "--overrides", json.dumps({"dataset_reader": reader})
    unbatched, batched = (
        predict(classifier.archive, tmp_path, TREES.read_text(), *options, "--batch-size", size)
        for size in ("1", "4")
    )
    outputs = [json.loads(line) for line in unbatched.splitlines()]
    gold = DatasetReader.by_name("sst")(granularity="2-class").read(TREES)
    assert [output["words"] for output in outputs] == [
        instance["metadata"]["words"] for instance in gold
    ]
    for output, other in zip(outputs, map(json.loads, batched.splitlines()), strict=True):
        check(output)
        assert output.pop("probabilities") == pytest.approx(other.pop("probabilities"), rel=1e-4)
        assert output == other


def test_allennlps_own_classifier_has_probabilities_by_label(tmp_path):
    config = tmp_path / "classifier.json"
    embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 4}}}
    model = {
        "type": "basic_classifier",
        "text_field_embedder": embedder,
        "seq2vec_encoder": {"type": "boe", "embedding_dim": 4},
    }
    settings = {
        "dataset_reader": {"type": "sst", "granularity": "2-class"},
        "train_data_path": str(TREES),
        "model": model,
        "data_loader": {"batch_size": 8},
        "trainer": {"num_epochs": 1, "optimizer": "adam"},
    }
    config.write_text(json.dumps(settings))
    train_model_from_file(str(config), str(tmp_path / "run"))
    archive = load_archive(str(tmp_path / "run" / "model.tar.gz"))
    predictor = Predictor.from_archive(archive, "sentiment")
    output = predictor.predict_words(WORDS)
    assert output["words"] == WORDS  # which the model does not return
    instance = predictor._dataset_reader.text_to_instance(WORDS, output["lemmas"], output["pos"])
    assert [output] == predictor.predict_batch_instance([instance])
    assert set(output["probabilities"]) == {"0", "1"}
    assert sum(output["probabilities"].values()) == pytest.approx(1)
    assert output["label"] == max(output["probabilities"], key=output["probabilities"].get)
    # Its own predictor would fetch a pipeline of spaCy, for a reader that takes words.
    text = lines({"words": WORDS, "id": "a"}, {"sentence": "It works ."})
    first, second = map(json.loads, predict(str(tmp_path / "run"), tmp_path, text).splitlines())
    assert first == {"id": "a", **output} and second["words"] == ["It", "works", "."]
    parse = load_parser(tmp_path / "run").parse(WORDS)
    assert (parse.tokens, parse.sentiment.label) == (
        WORDS,
        sentiment_names(["0", "1"])[output["label"]],
    )
