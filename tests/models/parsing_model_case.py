"""What the tests of the parsers share: a model on a few generated sentences, and its batches."""

from pathlib import Path
from typing import Any, Dict, List

import torch
from allennlp.common import Params
from allennlp.common.testing import ModelTestCase
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary
from allennlp.models import Model

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"
SENTENCES = "synthetic:size=12,seed=5"

# A model of AllenNLP's, which is no parser.
TAGGER = {
    "type": "simple_tagger",
    "text_field_embedder": {
        "token_embedders": {"words": {"type": "embedding", "embedding_dim": 4}}
    },
    "encoder": {"type": "lstm", "input_size": 4, "hidden_size": 4},
    "label_namespace": "pos",
}


class ParsingModelTestCase(ModelTestCase):
    """Sets up the model of `experiment`, a file of `fixtures/experiments`."""

    experiment: str

    def setup_method(self) -> None:
        super().setup_method()
        self.set_up_model(EXPERIMENTS / self.experiment, SENTENCES, seed=1)

    def build(self, overrides: Dict[str, Any]) -> Model:
        """The same model, some keys of its config changed: `{"model.argmax.estimator": ...}`."""
        torch.manual_seed(1)
        params = Params.from_file(str(EXPERIMENTS / self.experiment), overrides)
        return Model.from_params(params["model"], vocab=self.vocab)

    def batch(self, instances: List[Instance], without: List[str]) -> Dict[str, Any]:
        """The tensors of `instances`, but for the fields named in `without`."""
        batch = Batch(instances)
        batch.index_instances(self.vocab)
        tensors = batch.as_tensor_dict()
        return {name: value for name, value in tensors.items() if name not in without}


def overfit(
    model: Model, batch: Dict[str, Any], num_steps: int, learning_rate: float = 0.01
) -> Dict[str, float]:
    """The metrics of `model` on `batch` in evaluation, after training on it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    for _ in range(num_steps):
        optimizer.zero_grad()
        model(**batch)["loss"].backward()
        optimizer.step()
    model.get_metrics(reset=True)
    model.eval()
    with torch.no_grad():
        model(**batch)
    return model.get_metrics(reset=True)


def assert_predicts_in_evaluation(model: Model, instances: List[Instance]) -> None:
    """Predicts alike, and without a loss, in training mode, which stays; also of no instances."""
    expected = model.eval().forward_on_instances(instances)
    model.train()
    assert model.forward_on_instances(instances) == expected
    assert all(part.training for part in model.modules() if type(part) is torch.nn.LSTM)
    assert not any("loss" in output for output in expected)
    assert model.forward_on_instances([]) == []
    assert not {"accuracy", "labelled_f1", "uas"} & set(model.get_metrics())


def vocabulary_of(reader: DatasetReader, path: str) -> Vocabulary:
    return Vocabulary.from_instances(list(reader.read(path)))


def gradient_norm(module: torch.nn.Module) -> float:
    """The norm of all gradients of a module; zero if there are none."""
    norms = [p.grad.norm() for p in module.parameters() if p.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0
