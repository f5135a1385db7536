"""From words, text and files to JSON and SDP, by our own parsers, trained a moment before."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from allennlp.commands.evaluate import evaluate_from_archive
from allennlp.commands.train import train_model_from_file
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import sanitize
from allennlp.data import DatasetReader
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from tests.predictors.predict_command import predict, predictor_args

FIXTURES = Path(__file__).parents[2] / "fixtures"
GRAPHS = FIXTURES / "data" / "sdp" / "sdp_2015.sdp"
TREES = GRAPHS.with_suffix(".conll")
WORDS = ["The", "old", "bridge", "collapsed", "."]
READ = {"words", "lemmas", "pos"}
TREE, GRAPH = {"heads", "relations"}, {"arcs", "tops"}
# What each experiment's parser makes, and where in its config the semantic parser is.
MAKES = {
    "syntactic_parser": TREE,
    "semantic_parser": GRAPH,
    "syntactic_then_semantic": TREE | GRAPH,
}
SEMANTIC = {"semantic_parser": "model", "syntactic_then_semantic": "model.semantic_parser"}
# One epoch teaches nothing but caution, so arcs and tops have a start.
MANY_ARCS = {"regexes": [["_arc_scorer._from_dependent.bias", {"type": "constant", "val": 0.3}]]}


@pytest.fixture(scope="module", params=list(MAKES))
def parser(request, tmp_path_factory):
    """An experiment of the fixtures after its one epoch."""
    name, run = request.param, tmp_path_factory.mktemp(request.param) / "run"
    overrides = {f"{SEMANTIC[name]}.initializer": MANY_ARCS} if name in SEMANTIC else {}
    model = train_model_from_file(
        str(FIXTURES / "experiments" / f"{name}.jsonnet"),
        str(run),
        overrides=json.dumps(overrides),
        include_package=["spigot_allennlp"],
    )
    return SimpleNamespace(
        makes=MAKES[name],
        model=model,
        archive=str(run / "model.tar.gz"),
        metrics=json.loads((run / "metrics.json").read_text()),
        predictor=Predictor.from_path(str(run / "model.tar.gz")),
    )


def parse_file(parser, folder, *options):
    """What `allennlp predict` makes of the file of graphs, that of the trees beside it."""
    (folder / TREES.name).write_text(TREES.read_text())
    options = ("--use-dataset-reader", *options)
    return predict(parser.archive, folder, GRAPHS.read_text(), *options, name=GRAPHS.name)


def annotation(instance):
    """The layers of an instance in the words of the predictor's output."""
    layers = {"words": instance["metadata"]["words"]}
    if "graph" in instance.fields:
        graph = instance["graph"]
        layers["arcs"] = sorted(
            [predicate + 1, argument + 1, role]
            for (argument, predicate), role in zip(graph.indices, graph.labels, strict=True)
        )
        layers["tops"] = [i for i, flag in enumerate(instance["tops"].labels, 1) if flag]
    if "heads" in instance.fields:
        layers["heads"] = list(instance["heads"].labels)
        layers["relations"] = list(instance["relations"].labels)
    return layers


def check_tree(parsed):
    assert len(parsed["heads"]) == len(parsed["relations"]) == len(parsed["words"])
    assert parsed["heads"].count(0) == 1
    assert all(0 <= head <= len(parsed["words"]) for head in parsed["heads"])


def check_graph(parsed):
    positions = range(1, len(parsed["words"]) + 1)
    assert all(top in positions for top in parsed["tops"])
    for predicate, argument, role in parsed["arcs"]:
        assert predicate in positions and argument in positions and isinstance(role, str)


def test_words_are_parsed_as_they_are(parser):
    parsed = parser.predictor.predict_words(WORDS, pos=["DT", "JJ", "NN", "VBD", "."])
    assert set(parsed) == READ | parser.makes
    assert parsed["words"] == WORDS
    if "heads" in parser.makes:
        check_tree(parsed)
    if "arcs" in parser.makes:
        check_graph(parsed)


def test_raw_text_is_parsed_like_its_words(parser):
    of_text = parser.predictor.predict("The old bridge collapsed.")
    assert of_text == parser.predictor.predict_words(WORDS)


def test_a_file_is_parsed_sentence_by_sentence_whatever_the_batch_size(parser, tmp_path):
    gold = list(DatasetReader.by_name("sdp")().read(GRAPHS))
    unbatched, batched = (parse_file(parser, tmp_path, "--batch-size", size) for size in ("1", "4"))
    assert unbatched == batched
    parsed = [json.loads(line) for line in unbatched.splitlines()]
    for key in ("id", "words", "lemmas", "pos"):
        assert [parse[key] for parse in parsed] == [instance["metadata"][key] for instance in gold]
    assert all(set(parse) == READ | parser.makes | {"id"} for parse in parsed)


@pytest.mark.parametrize("output", ["sdp", "sdp2014", "sdp_augmented"])
def test_sdp_output_says_to_our_reader_what_json_says(parser, tmp_path, output):
    needed = GRAPH | TREE if output == "sdp_augmented" else GRAPH
    if not needed <= parser.makes:
        with pytest.raises(ConfigurationError, match=f"The output '{output}' needs"):
            parse_file(parser, tmp_path, *predictor_args(output=output))
        return
    parsed = [json.loads(line) for line in parse_file(parser, tmp_path).splitlines()]
    parse_file(parser, tmp_path, *predictor_args(output=output))
    read = DatasetReader.by_name("sdp")().read(tmp_path / "output")
    layers = {"words", *needed}
    assert list(map(annotation, read)) == [{key: parse[key] for key in layers} for parse in parsed]
    assert any(parse["arcs"] for parse in parsed) and any(parse["tops"] for parse in parsed)


def test_the_archive_parses_as_the_model_that_was_trained(parser):
    reader = load_archive(parser.archive).validation_dataset_reader
    for instance in reader.read(GRAPHS):
        reader.apply_token_indexers(instance)
        trained = sanitize(parser.model.forward_on_instance(instance))
        archived = parser.predictor.predict_instance(instance)
        assert archived == {key: trained[key] for key in archived}
        assert parser.makes <= set(archived)


@pytest.mark.parametrize("parser", ["syntactic_then_semantic"], indirect=True, scope="module")
def test_the_output_holds_the_tree_that_the_semantic_parser_was_given(parser):
    received = []
    arc_encoder = parser.predictor._model.semantic_parser.arc_encoder
    with arc_encoder.register_forward_pre_hook(lambda _, inputs: received.append(inputs[1])):
        parsed = parser.predictor.predict_words(WORDS)
    assert received[0][0, 1:].argmax(dim=-1).tolist() == parsed["heads"]


def test_evaluating_the_archive_gives_the_metrics_of_the_validation(parser, tmp_path):
    # In quotes: a comma parts two files otherwise.
    data = '"synthetic:size=12,seed=5"'
    metrics = evaluate_from_archive(parser.archive, data, str(tmp_path / "metrics.json"))
    assert metrics == {name: parser.metrics[f"validation_{name}"] for name in metrics}
    expected = {"uas" if "heads" in parser.makes else "labelled_f1", "loss"}
    assert expected <= set(metrics)
