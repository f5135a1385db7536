from pathlib import Path

import pytest
import torch
from allennlp.common.testing import ModelTestCase
from allennlp.data import Batch

import spigot_allennlp  # noqa: F401 (registers what the config names)
from spigot_allennlp.modules.spiking_gradient import SpikingGradient

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"


class TestSpikingClassifier(ModelTestCase):
    def setup_method(self):
        super().setup_method()
        # the data set is embedded: the path is no file
        self.set_up_model(str(EXPERIMENTS / "spiking_classifier.jsonnet"), "synthetic:size=12")

    def batch(self):
        batch = Batch(list(self.instances))
        batch.index_instances(self.vocab)
        return batch.as_tensor_dict()

    def test_trains_saves_and_loads(self):
        # the boosting's weights change in training alone
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize("gradient", ["hm2_bp", "surrogate"])
    def test_it_learns_its_training_samples(self, gradient):
        model, batch = self.model.train(), self.batch()
        model.network.gradient = SpikingGradient.by_name(gradient)()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(40):
            model.get_metrics(reset=True)
            optimizer.zero_grad()
            model(**batch)["loss"].backward()
            optimizer.step()
        assert model.get_metrics()["accuracy"] > 0.9

    def test_output_is_the_class_that_fires_most_and_all_counts(self):
        model = self.model.eval()
        with torch.no_grad():
            output = model(**self.batch())
        readable = model.make_output_human_readable(output)
        assert len(readable["label"]) == 12
        for label, counts in zip(readable["label"], readable["counts"], strict=True):
            assert counts[label] == max(counts.values())

    def test_boosted_samples_weigh_more_in_training_alone(self):
        model, batch = self.model, self.batch()
        plain = model.train()(**batch)["loss"]
        model.boosting.weights.fill_(3.0)
        assert model.train()(**batch)["loss"].item() == pytest.approx(3 * plain.item())
        assert model.eval()(**batch)["loss"].item() == pytest.approx(plain.item())
