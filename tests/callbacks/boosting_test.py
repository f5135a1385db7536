from types import SimpleNamespace

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.callbacks.boosting import Boosting
from spigot_allennlp.modules.spiking_objective import SampleBoosting


def test_weights_change_at_the_end_of_an_epoch():
    model = torch.nn.ModuleDict({"boosting": SampleBoosting(2)})
    trainer, callback = SimpleNamespace(model=model), Boosting("nowhere")
    callback.on_start(trainer)
    model["boosting"](torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor([0, 0]))
    assert model["boosting"].weights.tolist() == [1, 1]
    callback.on_epoch(trainer, {}, 0)
    assert model["boosting"].weights[1] > 1 == model["boosting"].weights[0]


def test_a_model_that_boosts_nothing_is_refused():
    trainer = SimpleNamespace(model=torch.nn.Linear(1, 1))
    with pytest.raises(ConfigurationError, match="nothing to do: the model boosts no samples"):
        Boosting("nowhere").on_start(trainer)
