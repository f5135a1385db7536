"""Every config that we ship: trained on a few generated sentences, its metric looked up."""

import json
from pathlib import Path

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from allennlp.models import load_archive
from allennlp.training.optimizers import Optimizer

import spigot_allennlp  # noqa: F401 (registers what the configs name)
from spigot_allennlp.predictors.parser import SdpOutput
from tests.tiny_transformer import save_tiny_transformer

FOLDER = Path(__file__).parents[1] / "training_config"
CONFIGS = sorted(FOLDER.glob("*/*.jsonnet"))
TINY = {
    "SPIGOT_SDP_TRAIN": "synthetic:size=6,seed=1",
    "SPIGOT_SDP_DEV": "synthetic:size=3,seed=2",
    "SPIGOT_CONLL_TRAIN": "synthetic:size=6,seed=1",
    "SPIGOT_CONLL_DEV": "synthetic:size=3,seed=2",
    "SPIGOT_SST_TRAIN": "synthetic:size=12,seed=1",
    "SPIGOT_SST_DEV": "synthetic:size=6,seed=2",
    "SPIGOT_COPYING_TRAIN": "synthetic:size=4,seed=1,delay=6",
    "SPIGOT_COPYING_DEV": "synthetic:size=2,seed=2,delay=6",
    "SPIGOT_ADDING_TRAIN": "synthetic:size=4,seed=1,length=12",
    "SPIGOT_ADDING_DEV": "synthetic:size=2,seed=2,length=12",
    "SPIGOT_IMAGES_TRAIN": "synthetic:size=12,seed=1,image_size=4",
    "SPIGOT_IMAGES_DEV": "synthetic:size=4,seed=1,image_size=4",
    "SPIGOT_TEXT_TRAIN": "synthetic:size=60,seed=1",
    "SPIGOT_TEXT_DEV": "synthetic:size=60,seed=2",
    "SPIGOT_MNIST_TRAIN": "synthetic:size=4,seed=1",
    "SPIGOT_MNIST_TEST": "synthetic:size=1,seed=2",
    "SPIGOT_N_MNIST_TRAIN": "synthetic:size=4,seed=1",
    "SPIGOT_N_MNIST_TEST": "synthetic:size=1,seed=2",
    "SPIGOT_SPEECH_TRAIN": "synthetic:size=4,seed=1",
    "SPIGOT_SPEECH_DEV": "synthetic:size=2,seed=2",
    "SPIGOT_SPEECH_TEST": "synthetic:size=1,seed=3",
    "SPIGOT_EMBEDDINGS": "",
    "SPIGOT_SST_EMBEDDINGS": "",
    "SPIGOT_TREE_PRUNER": "",
    "SPIGOT_GRAPH_PRUNER": "",
    "SPIGOT_TRANSFORMER_LAYERS": "",
}
# The parsers that go into sentiment classifiers: of raw text, but for one.
PARSERS = {
    "semantic_then_sentiment/spigot_peng_2018.jsonnet": "semantic_parser/log_likelihood.jsonnet",
    "semantic_then_sentiment/transformer.jsonnet": "semantic_parser/transformer.jsonnet",
}
RAW_TEXT = "semantic_parser/raw_text.jsonnet"
# Parameters of the pipelines, and the groups in which they are clipped.
GROUPS = {
    "syntactic_then_semantic": {
        "syntactic_parser.encoder.weight": "syntactic_parser",
        "semantic_parser.encoder.weight": "semantic_parser",
    },
    "semantic_then_sentiment": {
        "parser.encoder.weight": "parser",
        "encoder.weight": "classifier",
        "graph_encoder.weight": "classifier",
        "classifier.weight": "classifier",
    },
}


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def lines_of_code(path: Path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("//")]


def test_there_are_configs():
    assert len(CONFIGS) >= 9


@pytest.fixture(scope="module", autouse=True)
def transformer(tmp_path_factory):
    """A pretrained transformer for the configs that want one, which archives may read as well."""
    folder = save_tiny_transformer(tmp_path_factory.mktemp("transformer"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIGOT_TRANSFORMER", folder)
        patch.setenv("SPIGOT_ALLENNLP_ARCHIVE_PATHS", folder)
        yield folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory, transformer):
    """The archives of the parsers, by the names of their configs."""
    folder = tmp_path_factory.mktemp("parsers")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TINY.items():
            patch.setenv(name, value)
        for number, config in enumerate([RAW_TEXT, *PARSERS.values()]):
            params = Params.from_file(str(FOLDER / config), {"trainer.num_epochs": 1})
            train_model(params, str(folder / str(number)), include_package=["spigot_allennlp"])
    names = enumerate([RAW_TEXT, *PARSERS.values()])
    return {config: str(folder / str(number) / "model.tar.gz") for number, config in names}


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_the_last_epochs_are_fewer_than_half_of_all(path, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPIGOT_ARCHIVE", "of_a_parser.tar.gz")  # not opened
    trainer = Params.from_file(str(path)).as_dict(quiet=True)["trainer"]
    for callback in trainer.get("callbacks", ()):
        if callback["type"] == "last_epochs":
            assert 2 * callback.get("number", 20) < trainer["num_epochs"]


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_config_trains_and_reports_its_validation_metric(path, archives, tmp_path, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPIGOT_ARCHIVE", archives[PARSERS.get(name_of(path), RAW_TEXT)])
    params = Params.from_file(str(path), {"trainer.num_epochs": 1})
    metric = params["trainer"]["validation_metric"]
    # The trainer itself raises if the model does not report the metric.
    train_model(params, str(tmp_path / "run"), include_package=["spigot_allennlp"])
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert f"best_validation_{metric.lstrip('+-')}" in metrics
    assert (tmp_path / "run" / "model.tar.gz").exists()


def test_the_settings_of_the_authors_with_their_pruners(tmp_path, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    for variable, parser in (
        ("SPIGOT_TREE_PRUNER", "syntactic_parser"),
        ("SPIGOT_GRAPH_PRUNER", "semantic_parser"),
    ):
        params = Params.from_file(str(FOLDER / parser / "pruner.jsonnet"))
        train_model(params, str(tmp_path / parser), include_package=["spigot_allennlp"])
        monkeypatch.setenv(variable, str(tmp_path / parser / "model.tar.gz"))
    config = str(FOLDER / "syntactic_then_semantic" / "spigot_peng_2018.jsonnet")
    params = Params.from_file(config, {"trainer.num_epochs": 1})
    model = train_model(params, str(tmp_path / "run"), include_package=["spigot_allennlp"])
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= metrics["training_gold_arcs_pruned"] < 1
    assert model.semantic_parser.structure._deterministic
    # The archives of the pruners are not needed any more.
    for parser in ("syntactic_parser", "semantic_parser"):
        (tmp_path / parser / "model.tar.gz").unlink()
    again = load_archive(str(tmp_path / "run" / "model.tar.gz")).model
    assert again.syntactic_parser.pruner is not None
    assert again.semantic_parser.pruner is not None


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_config_opens_with_a_comment_and_is_short(path):
    assert path.read_text().startswith("// ")
    assert len(lines_of_code(path)) <= 15


@pytest.mark.parametrize("folder", ["syntactic_then_semantic", "semantic_then_sentiment"])
def test_the_estimators_of_a_pipeline_differ_in_one_line(folder):
    names = ["pipeline", "straight_through", "spigot", "structured_attention"]
    first, *others = [lines_of_code(FOLDER / folder / f"{name}.jsonnet") for name in names]
    for other in others:
        assert sum(ours != theirs for ours, theirs in zip(first, other, strict=True)) == 1


@pytest.mark.parametrize("wrapper", ["", "module."])  # that of distributed training
@pytest.mark.parametrize(
    "path", [path for path in CONFIGS if path.parent.name in GROUPS], ids=name_of
)
def test_the_encoders_of_a_pipeline_are_groups_of_their_own(path, wrapper, monkeypatch):
    for name, value in {**TINY, "SPIGOT_ARCHIVE": "parser.tar.gz"}.items():
        monkeypatch.setenv(name, value)
    config = Params.from_file(str(path)).as_dict(quiet=True)
    if "argmax" not in config["model"]:
        return
    assert config["trainer"]["type"] == "group_clipping"
    expected = GROUPS[path.parent.name]
    parameters = {part: torch.nn.Parameter(torch.zeros(1)) for part in expected}
    optimizer = Optimizer.from_params(
        Params(config["trainer"]["optimizer"]),
        model_parameters=[(wrapper + part, parameters[part]) for part in expected],
    )
    group_of = {
        part: group["name"]
        for part, parameter in parameters.items()
        for group in optimizer.param_groups
        if any(parameter is member for member in group["params"])
    }
    assert group_of == expected


@pytest.mark.parametrize("layers, rates", [("", [1e-4] * 3), ("2", [0.81e-4, 0.9e-4, 1e-4])])
def test_the_layers_of_a_transformer_have_rates(layers, rates, tmp_path, monkeypatch):
    for name, value in {**TINY, "SPIGOT_TRANSFORMER_LAYERS": layers}.items():
        monkeypatch.setenv(name, value)
    params = Params.from_file(str(FOLDER / "semantic_parser" / "transformer.jsonnet"))
    groups = params["trainer"]["optimizer"].duplicate()
    params["trainer"]["num_epochs"] = 1
    model = train_model(params, str(tmp_path / "run"), include_package=["spigot_allennlp"])
    optimizer = Optimizer.from_params(groups, model_parameters=list(model.named_parameters()))
    rate_of = {
        parameter: group["lr"] for group in optimizer.param_groups for parameter in group["params"]
    }
    bert = model.encoder._embedder.token_embedder_transformer._matched_embedder.transformer_model
    parts = [bert.embeddings, *bert.encoder.layer]
    for part, rate in zip(parts, rates, strict=True):
        assert all(rate_of.pop(parameter) == pytest.approx(rate) for parameter in part.parameters())
    for parameter in bert.pooler.parameters():
        rate_of.pop(parameter)
    assert set(rate_of.values()) == {0.001}


def test_a_config_without_a_transformer_says_how_to_name_one(monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SPIGOT_TRANSFORMER")
    with pytest.raises(ConfigurationError, match="SPIGOT_TRANSFORMER.*docs/transformers.md"):
        Params.from_file(str(FOLDER / "semantic_parser" / "transformer.jsonnet"))


@pytest.mark.parametrize(
    "folder", ["copying", "adding", "pixel_sequence", "character_language_model"]
)
def test_the_ways_back_through_time_differ_in_one_line(folder):
    names = ["sparse_attentive", "truncated", "full", "self_attention"]
    first, *others = [lines_of_code(FOLDER / folder / f"{name}.jsonnet") for name in names]
    for other in others:
        assert sum(ours != theirs for ours, theirs in zip(first, other, strict=True)) == 1


@pytest.mark.parametrize(
    "folder", ["copying", "adding", "pixel_sequence", "character_language_model", "long_documents"]
)
def test_full_attention_is_to_every_step_of_the_past(folder, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    config = Params.from_file(str(FOLDER / folder / "self_attention.jsonnet")).as_dict()
    encoder = config["model"].get("encoder") or config["model"]["seq2seq_encoder"]
    assert (encoder["attend_every"], encoder["top_k"], encoder["truncation"]) == (1, None, None)
    if encoder.get("stateful"):
        assert encoder["max_carried"] == config["dataset_reader"]["length"]


@pytest.mark.parametrize(
    "config, path",
    [
        ("semantic_parser/log_likelihood", []),
        ("semantic_then_sentiment/spigot", ["readers", "semantics"]),
    ],
)
def test_graphs_are_read_whatever_trees_there_are_beside_them(config, path, tmp_path, monkeypatch):
    for name, value in {**TINY, "SPIGOT_ARCHIVE": "model.tar.gz"}.items():
        monkeypatch.setenv(name, value)
    params = Params.from_file(str(FOLDER / f"{config}.jsonnet"))["dataset_reader"]
    for key in path:
        params = params[key]
    sdp = SdpOutput("sdp_augmented")
    words = {"words": ["a", "b"], "heads": [0, 0], "relations": ["root", "root"]}
    text = sdp.text({**words, "arcs": [[1, 2, "ARG1"]], "tops": [1]})
    (tmp_path / "two_roots.sdp").write_text(text)
    (instance,) = DatasetReader.from_params(params).read(str(tmp_path / "two_roots.sdp"))
    assert instance["graph"].indices == [(1, 0)]


def test_a_sentiment_config_without_a_parser_says_how_to_get_one(monkeypatch):
    monkeypatch.delenv("SPIGOT_ARCHIVE", raising=False)
    with pytest.raises(ConfigurationError, match="raw_text.jsonnet.*SPIGOT_ARCHIVE"):
        Params.from_file(str(FOLDER / "semantic_then_sentiment" / "spigot.jsonnet"))
