"""Every config that we ship: trained on a few generated sentences, its metric looked up."""

from pathlib import Path

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params

import spigot_allennlp  # noqa: F401 (registers what the configs name)

FOLDER = Path(__file__).parents[1] / "training_config"
CONFIGS = sorted(FOLDER.glob("*/*.jsonnet"))
TINY = {
    "SPIGOT_SDP_TRAIN": "synthetic:size=6,seed=1",
    "SPIGOT_SDP_DEV": "synthetic:size=3,seed=2",
    "SPIGOT_CONLL_TRAIN": "synthetic:size=6,seed=1",
    "SPIGOT_CONLL_DEV": "synthetic:size=3,seed=2",
    "SPIGOT_EMBEDDINGS": "",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def lines_of_code(path: Path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("//")]


def test_there_are_configs():
    assert len(CONFIGS) >= 9


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_config_trains_and_reports_its_validation_metric(path, tmp_path, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    params = Params.from_file(str(path), {"trainer.num_epochs": 1})
    metric = params["trainer"]["validation_metric"]
    # The trainer itself raises if the model does not report the metric.
    model = train_model(params, str(tmp_path / "run"), include_package=["spigot_allennlp"])
    assert metric.lstrip("+-") in model.get_metrics()
    assert (tmp_path / "run" / "model.tar.gz").exists()


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_config_opens_with_a_comment_and_is_short(path):
    assert path.read_text().startswith("// ")
    assert len(lines_of_code(path)) <= 15


def test_the_estimators_of_the_pipeline_differ_in_one_line():
    names = ["pipeline", "straight_through", "spigot", "structured_attention"]
    first, *others = [
        lines_of_code(FOLDER / "syntactic_then_semantic" / f"{name}.jsonnet") for name in names
    ]
    for other in others:
        assert sum(ours != theirs for ours, theirs in zip(first, other, strict=True)) == 1
