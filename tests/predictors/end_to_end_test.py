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
from allennlp.predictors import Predictor

from tests.predictors.predict_command import predict, predictor_args

FIXTURES = Path(__file__).parents[2] / "fixtures"
GRAPHS = FIXTURES / "data" / "sdp" / "sdp_2015.sdp"  # its trees are in the .conll beside it
WORDS = ["The", "old", "bridge", "collapsed", "."]
READ = {"words", "lemmas", "pos"}
TREE, GRAPH = {"heads", "relations"}, {"arcs", "tops"}
MADE = {
    "syntactic_parser": TREE,
    "semantic_parser": GRAPH,
    "syntactic_then_semantic": TREE | GRAPH,
}


@pytest.fixture(scope="module", params=list(MADE))
def parser(request, tmp_path_factory):
    """An experiment of the fixtures after its one epoch."""
    folder = tmp_path_factory.mktemp(request.param)
    config = str(FIXTURES / "experiments" / f"{request.param}.jsonnet")
    model = train_model_from_file(config, str(folder / "run"), include_package=["spigot_allennlp"])
    archive = str(folder / "run" / "model.tar.gz")
    return SimpleNamespace(
        makes=MADE[request.param],
        model=model,
        archive=archive,
        metrics=json.loads((folder / "run" / "metrics.json").read_text()),
        predictor=Predictor.from_path(archive),
    )


def parse_file(parser, folder, *options):
    """What `allennlp predict` makes of the graphs' file, where it lies."""
    for file in GRAPHS.parent.glob(f"{GRAPHS.stem}.*"):
        (folder / file.name).write_text(file.read_text())
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
    assert parser.predictor.predict("The old bridge collapsed.") == parser.predictor.predict_words(
        WORDS
    )


def test_a_file_is_parsed_sentence_by_sentence_whatever_the_batch_size(parser, tmp_path):
    gold = list(DatasetReader.by_name("sdp")().read(GRAPHS))
    one, several = (parse_file(parser, tmp_path, "--batch-size", size) for size in ("1", "4"))
    assert one == several
    parsed = [json.loads(line) for line in one.splitlines()]
    assert [each["id"] for each in parsed] == [instance["metadata"]["id"] for instance in gold]
    assert [each["words"] for each in parsed] == [
        instance["metadata"]["words"] for instance in gold
    ]
    assert all(set(each) == READ | parser.makes | {"id"} for each in parsed)


@pytest.mark.parametrize("output", ["sdp", "sdp2014", "sdp_augmented"])
def test_sdp_output_says_to_our_reader_what_json_says(parser, tmp_path, output):
    needed = GRAPH | TREE if output == "sdp_augmented" else GRAPH
    if not needed <= parser.makes:
        with pytest.raises(ConfigurationError, match=f"The output '{output}' needs"):
            parse_file(parser, tmp_path, *predictor_args(output=output))
        return
    parsed = [json.loads(line) for line in parse_file(parser, tmp_path).splitlines()]
    parse_file(parser, tmp_path, *predictor_args(output=output))
    instances = list(DatasetReader.by_name("sdp")().read(tmp_path / "output"))
    layers = ["words", *sorted(needed)]
    assert [annotation(instance) for instance in instances] == [
        {layer: each[layer] for layer in layers} for each in parsed
    ]
    assert any(each["arcs"] for each in parsed) and any(each["tops"] for each in parsed)


def test_the_archive_parses_as_the_model_that_was_trained(parser):
    reader = DatasetReader.by_name("sdp")(companion=".conll")
    for instance in reader.read(GRAPHS):
        parser.predictor._sentence_reader.apply_token_indexers(instance)
        trained = sanitize(parser.model.forward_on_instance(instance))
        archived = parser.predictor.predict_instance(instance)
        assert archived == {key: trained[key] for key in archived}
        assert parser.makes <= set(archived)


def test_the_output_holds_the_tree_that_the_semantic_parser_was_given(parser):
    if parser.makes != TREE | GRAPH:
        pytest.skip("one layer alone has nothing between")
    given = []
    parser.predictor._model.semantic_parser.arc_encoder.register_forward_pre_hook(
        lambda module, inputs: given.append(inputs[1])
    )
    parsed = parser.predictor.predict_words(WORDS)
    assert given[0][0, 1:].argmax(dim=-1).tolist() == parsed["heads"]


def test_evaluating_the_archive_gives_the_metrics_of_the_validation(parser, tmp_path):
    # In quotes: a comma parts two files otherwise.
    data = '"synthetic:size=12,seed=5"'
    metrics = evaluate_from_archive(parser.archive, data, str(tmp_path / "metrics.json"))
    assert metrics == {name: parser.metrics[f"validation_{name}"] for name in metrics}
    assert {"loss"} < set(metrics)
