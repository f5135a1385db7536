"""Registers everything that the tests' configs name."""

import pytest

import spigot_allennlp  # noqa: F401
from spigot_allennlp.compat.atomic_io import write_json


@pytest.fixture
def trained_folder(tmp_path):
    """Returns a folder with the metrics of four epochs, which were written in no order."""
    folder = tmp_path / "sab"
    folder.mkdir()
    for epoch in (0, 1, 10, 2):
        metrics = {"epoch": epoch, "validation_accuracy": epoch / 10}
        write_json(folder / f"metrics_epoch_{epoch}.json", metrics)
    return folder
