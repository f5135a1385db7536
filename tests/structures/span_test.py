"""
The structure of `docs/add_a_structure.md` keeps the contract of structures, and its model trains.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.params import evaluate_snippet
from allennlp.models import Model

import spigot_allennlp
from spigot_allennlp.structures.structure import Structure
from tests.estimators import all_pairs_test

CLONE = Path(__file__).parents[2]
PAGE = CLONE / "docs" / "add_a_structure.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def run_page():
    """Runs the page, and returns its names. Nothing of it is ours: its names are given up."""
    names = {"__name__": "add_a_structure"}
    try:
        exec(compile("\n".join(blocks("python")), str(PAGE), "exec"), names)
    finally:
        Structure._registry[Structure].pop("span")
        Model._registry[Model].pop("span_classifier")
        all_pairs_test.SHAPES.pop("span")
    return names


NAMES = run_page()
TestSpan = NAMES["TestSpan"]


def test_the_tests_of_all_pairs_take_the_structure_in(tmp_path):
    structure, test = blocks("python")[:2]
    (first_line,) = re.findall(r"`(from my_span import .*?)`", PAGE.read_text("utf-8"))
    (tmp_path / "my_span.py").write_text(structure, encoding="utf-8")
    (tmp_path / "my_span_test.py").write_text(f"{first_line}\n{test}", encoding="utf-8")
    files = ("tests/estimators/all_pairs_test.py", "tests/scores_contract_test.py")
    command = [sys.executable, "-m", "pytest", "-p", "my_span_test", "-k", "span"]
    command += [str(CLONE / file) for file in files]
    collected = subprocess.run(
        [*command, "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}{CLONE}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected.returncode == 0, collected.stdout + collected.stderr
    assert all(f"{file}::" in collected.stdout for file in files)


def test_the_log_partition_of_nothing_stays_on_its_device():
    # as on a GPU, a tensor of another device is refused
    mask = torch.ones(2, 3, dtype=torch.bool, device="meta")
    scores = torch.zeros(2, 3, device="meta")
    assert NAMES["Span"].log_partition.__wrapped__(NAMES["Span"](), scores, mask).is_meta


def test_the_model_of_the_page_trains_and_parses(tmp_path, monkeypatch):
    monkeypatch.setitem(Structure._registry[Structure], "span", (NAMES["Span"], None))
    monkeypatch.setitem(Model._registry[Model], "span_classifier", (NAMES["SpanClassifier"], None))
    (snippet,) = blocks("jsonnet")
    config = json.loads(evaluate_snippet("my_span.jsonnet", snippet, {}))
    config["train_data_path"] = "synthetic:size=40,seed=1"
    config["validation_data_path"] = "synthetic:size=20,seed=2"
    config["trainer"]["num_epochs"] = 1
    train_model(Params(config), str(tmp_path / "run"))
    parse = spigot_allennlp.load(tmp_path / "run").parse(["A", "superb", "play", "."])
    assert parse.tokens == ["A", "superb", "play", "."]
    assert set(parse.sentiment.probabilities) == {"positive", "negative"}
