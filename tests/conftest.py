"""Registers everything that the tests' configs name, and has the longest tests begin first."""

from pathlib import Path

import pytest

import spigot_allennlp  # noqa: F401
from spigot_allennlp.compat.atomic_io import write_json

# What takes longest begins first, lest a process wait for another at the end. Of the files that
# compile the same kernels, `all_pairs_test.py` is done when `scores_contract_test.py` begins.
FIRST = [
    "commands_test.py",
    "estimators/all_pairs_test.py",
    "callbacks/resumable_test.py",
    "callbacks/stopped_runs_test.py",
    "training_config_test.py",
    "registration_test.py",
    "scores_contract_test.py",
    "ablation/killed_ablation_test.py",
    "modules/sparse_attentive_lstm_test.py",
    "nn/wrong_tensors_test.py",
]


def pytest_make_parametrize_id(val, argname):
    """Names bytes by their parameter.

    The processes that run the tests must collect the same names, and compressed bytes hold a time.
    """
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items):
    """Puts the tests of these files before all others."""
    places = {Path(__file__).parent / file: place for place, file in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(FIRST)))


@pytest.fixture
def trained_folder(tmp_path):
    """Returns a folder with the metrics of four epochs, which were written in no order."""
    folder = tmp_path / "sab"
    folder.mkdir()
    for epoch in (0, 1, 10, 2):
        metrics = {"epoch": epoch, "validation_accuracy": epoch / 10}
        write_json(folder / f"metrics_epoch_{epoch}.json", metrics)
    return folder
