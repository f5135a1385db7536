"""Compares the sums of the study of marginals with numbers by hand, and exchanges parsers."""

import json
import math
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import archive_model

from studies.trees.marginals import crossed_name, measure_seed, sums_of, table

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "fixtures" / "experiments" / "syntactic_then_semantic.jsonnet"
VALUES = ROOT / "docs" / "marginals_of_trees.json"
DATA = "synthetic:size=12,seed=3"


def test_the_sums_of_two_sentences_by_hand():
    """One of two tokens, where the second has two possible heads; one of one token."""
    marginals = torch.zeros(2, 3, 3)
    marginals[0, 1, 0], marginals[0, 2, 0], marginals[0, 2, 1] = 1, 0.25, 0.75
    marginals[1, 1, 0] = 1
    best = marginals.round()
    heads = torch.tensor([[0, 0], [0, -1]])
    graph = torch.full((2, 2, 2), -1)
    graph[0, 0, 1] = 4  # an arc from token 2 to token 1
    mask = torch.tensor([[True, True, True], [True, True, False]])
    sums = sums_of(marginals, best, heads, graph, mask)
    entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert sums.tokens == 3 and sums.entropy.item() == pytest.approx(entropy)
    assert (sums.best, sums.gold, sums.right) == (2.75, 2.25, 2)
    assert (sums.linked, sums.best_linked) == (0.75, 1)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Untrained models, by arm, with different weights."""
    params = Params.from_file(str(CONFIG))
    reader = DatasetReader.from_params(params.duplicate()["dataset_reader"])
    vocab = Vocabulary.from_instances(reader.read(params["train_data_path"]))
    found = {}
    for seed, arm in enumerate(("pipeline", "marginals, no gradient", "structured attention")):
        folder = tmp_path_factory.mktemp("run")
        torch.manual_seed(seed)
        model = Model.from_params(params.duplicate()["model"], vocab=vocab)
        params.duplicate().to_file(str(folder / "config.json"))
        vocab.save_to_files(str(folder / "vocabulary"))
        torch.save(model.state_dict(), folder / "best.th")
        archive_model(str(folder), weights="best.th")
        found[arm] = folder / "model.tar.gz"
    return found


def test_every_arm_is_measured_and_both_exchanges(archives):
    measured = measure_seed(archives, DATA)
    first, second = "marginals, no gradient", "structured attention"
    crossed = [crossed_name(second, first), crossed_name(first, second)]
    assert list(measured) == [*archives, *crossed]
    for arm in archives:
        assert 0 <= measured[arm]["right"] <= 1 and measured[arm]["entropy"] > 0
    for name in crossed:
        assert list(measured[name]) == ["labelled F1, marginals", "labelled F1, best tree"]


def test_models_that_are_alike_stay_so_when_parsers_are_exchanged(archives):
    first, second = "marginals, no gradient", "structured attention"
    alike = {first: archives[first], second: archives[first]}
    measured = measure_seed(alike, DATA)
    expected = {name: measured[first][name] for name in measured[crossed_name(first, second)]}
    assert measured[crossed_name(first, second)] == expected
    assert measured[crossed_name(second, first)] == expected


def test_the_table_has_means_and_differences_from_the_control():
    """Differences of 1, 2 and 3 points have the interval of `trial_test.py`."""
    first, second = "marginals, no gradient", "structured attention"
    measured = {
        str(seed): {
            first: {"labelled F1, marginals": 0.5, "entropy": 0.2, "gold": 0.7},
            second: {"labelled F1, marginals": 0.5 + seed / 100, "entropy": 0.2 + seed / 10},
            "crossed": {"labelled F1, marginals": 0.5},
        }
        for seed in (1, 2, 3)
    }
    lines = table("few", measured)
    assert lines[0].startswith("| few | labelled F1, marginals | labelled F1, best tree | entropy ")
    assert lines[2:] == [
        f"| {first} | 50.0 |  | 0.20 |  |  |",
        f"| {second} | 52.0, +2.0 (-0.5 to +4.5) |  | 0.40, +0.20 (-0.05 to +0.45) |  |  |",
        "| crossed | 50.0, +0.0 |  |  |  |  |",
    ]


@pytest.mark.parametrize("regime", json.loads(VALUES.read_text()))
def test_the_table_of_the_page_is_that_of_the_values(regime):
    page = (ROOT / "docs" / "results" / "trial_of_trees.md").read_text().splitlines()
    expected = table(regime, json.loads(VALUES.read_text())[regime])
    start = page.index(expected[0])
    assert page[start : start + len(expected)] == expected
