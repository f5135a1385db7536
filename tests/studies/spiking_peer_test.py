"""The network of snnTorch that HM2-BP is compared with."""

from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Batch, DatasetReader, Vocabulary
from allennlp.models import Model

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def config(monkeypatch):
    monkeypatch.setenv("SPIGOT_MNIST_TRAIN", "synthetic:size=20,seed=1")
    monkeypatch.setenv("SPIGOT_MNIST_TEST", "synthetic:size=20,seed=1")
    return Params.from_file(STUDIES / "spiking_peer.jsonnet")


def test_a_weight_has_the_same_effect_as_in_our_network(config):
    model = config["model"].as_dict()
    assert model["sizes"] == [784, 800, 10]
    # our spike adds its weight over 8 steps, to a threshold of 8 or 4; theirs at once, to one of 1
    assert model["weight_ranges"] == [0.5 / 8 / 8, 0.5 / 4 / 8]


def test_it_learns_its_training_samples(config):
    pytest.importorskip("snntorch")
    import studies.spiking_peer  # noqa: F401 (registers the model)

    reader = DatasetReader.from_params(config["dataset_reader"])
    batch = Batch(list(reader.read("synthetic:size=20,seed=1")))
    vocab = Vocabulary.from_instances(batch.instances)
    batch.index_instances(vocab)
    model = Model.from_params(config["model"], vocab=vocab)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    for _ in range(30):
        model.get_metrics(reset=True)
        optimizer.zero_grad()
        model(**batch.as_tensor_dict())["loss"].backward()
        optimizer.step()
    assert model.get_metrics()["accuracy"] > 0.7
