import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader, Vocabulary

from spigot_allennlp.data.data_loaders.full_batch import FullBatchLoader
from spigot_allennlp.data.dataset_readers.latent_clusters import LatentClustersReader

READER = LatentClustersReader(dim=4, sizes={"train": 6})


def loader(**settings):
    params = Params({"type": "full_batch", **settings})
    made = DataLoader.from_params(params, reader=READER, data_path="train")
    made.index_with(Vocabulary.from_instances(made.iter_instances()))
    return made


def test_an_epoch_is_all_instances_as_often_as_asked():
    made = loader(steps_per_epoch=3)
    batches = list(made)
    assert len(batches) == len(made) == 3
    assert all(len(batch["label"]) == 6 for batch in batches)
    rows = [instance["features"].tensor for instance in READER.read("train")]
    assert torch.equal(batches[0]["features"], torch.stack(rows))


def test_the_instances_are_collated_once():
    made = loader(steps_per_epoch=2)
    (first, second), (third, _) = list(made), list(made)
    assert first["features"] is second["features"] is third["features"]


def test_no_step_is_refused():
    with pytest.raises(ConfigurationError, match="steps_per_epoch must be at least 1 but is 0"):
        FullBatchLoader([], 0)
