import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.models import Model
from allennlp.training import GradientDescentTrainer, TrainerCallback

from spigot_allennlp.data.dataset_readers.latent_clusters import LatentClustersReader
from spigot_allennlp.training.inverse_square_root import InverseSquareRoot


class RateOfEpochs(TrainerCallback):
    """Keeps the learning rate that each epoch was trained with."""

    def __init__(self):
        super().__init__("unused")
        self.rates = []

    def on_batch(self, trainer, *arguments, **options):
        self.rates.append(trainer.optimizer.param_groups[0]["lr"])


def rates(epochs=5, **options):
    """Trains a model for some epochs of one batch, and returns the learning rate of each."""
    (instance,) = LatentClustersReader(dim=2, sizes={"train": 1}).read("train")
    vocab = Vocabulary.from_instances([instance])
    loader = SimpleDataLoader([instance], batch_size=1, vocab=vocab)
    model = LinearModel(vocab)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    callback = RateOfEpochs()
    trainer = GradientDescentTrainer(
        model,
        optimizer,
        loader,
        num_epochs=epochs,
        learning_rate_scheduler=InverseSquareRoot(optimizer, **options),
        callbacks=[callback],
        cuda_device=-1,
    )
    trainer.train()
    return callback.rates


class LinearModel(Model):
    def __init__(self, vocab):
        super().__init__(vocab)
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, features, **others):
        return {"loss": self.layer(features).sum()}


def test_two_epochs_have_the_whole_rate_and_later_ones_less():
    assert rates() == pytest.approx([1, 1, 2**-0.5, 3**-0.5, 0.5])


def test_without_delay_it_falls_from_the_second_epoch_on():
    assert rates(delay=0)[:2] == pytest.approx([1, 2**-0.5])


def test_a_negative_delay_is_refused():
    with pytest.raises(ConfigurationError, match="delay must be at least 0 but is -1"):
        rates(delay=-1)
