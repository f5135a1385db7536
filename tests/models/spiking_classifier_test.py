import math
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.testing import ModelTestCase
from allennlp.data import Batch, Vocabulary
from allennlp.models import Model

import spigot_allennlp  # noqa: F401 (registers what the config names)
from spigot_allennlp.modules.image_distortion import ImageDistortion
from spigot_allennlp.modules.spike_encoding import SpikeEncoding
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
        names = model.vocab.get_index_to_token_vocabulary("labels")
        for row, label, counts in zip(
            output["counts"].long().tolist(), readable["label"], readable["counts"], strict=True
        ):
            assert counts == {name: row[place] for place, name in names.items()}
            assert counts[label] == max(counts.values())

    def test_images_are_distorted_in_training_alone(self):
        model, inputs = self.model, self.batch()["inputs"]
        model.encoding = SpikeEncoding.by_name("latency")(num_steps=20)  # not random
        rows = math.isqrt(inputs.size(1))

        def spikes():
            with torch.no_grad():
                return model.run(inputs)[0].fired

        plain = spikes()
        model.distortion = ImageDistortion((rows, rows))
        model.eval()
        assert (spikes() == plain).all()
        model.train()
        assert (spikes() != plain).any()

    def test_boosting_without_sample_numbers_is_refused_in_training_alone(self):
        batch = self.batch()
        self.model.encoding._seed = None
        batch["metadata"] = [{} for _ in batch["metadata"]]
        with pytest.raises(ConfigurationError, match="by their numbers, but these have none"):
            self.model.train()(**batch)
        assert "loss" in self.model.eval()(**batch)

    def test_boosted_samples_weigh_more_in_training_alone(self):
        model, batch = self.model, self.batch()
        plain = model.train()(**batch)["loss"]
        model.boosting.weights.fill_(3.0)
        assert model.train()(**batch)["loss"].item() == pytest.approx(3 * plain.item())
        assert model.eval()(**batch)["loss"].item() == pytest.approx(plain.item())


def classifier(loss, gradient=None, units=3):
    vocab = Vocabulary()
    for name in "abc":
        vocab.add_token_to_namespace(name, "labels")
    layer = {"type": "fully_connected", "units": units, "threshold": 2.0}
    params = {
        "type": "spiking_classifier",
        "encoding": {"type": "rate", "num_steps": 40, "max_rate": 0.4, "seed": 1},
        "network": {
            "input_shape": [6],
            "layers": [layer],
            "gradient": {"type": "hm2_bp", **(gradient or {})},
        },
        "loss": {**loss},
    }
    torch.manual_seed(1)
    return Model.from_params(Params(params), vocab=vocab).train()


SOFTMAX, SQUARED = {"type": "softmax"}, {"desired": 10, "undesired": 1, "margin": 1}


def silenced(loss, gradient=None):
    """A classifier whose first neuron, that of the right class, is inhibited by all its inputs."""
    model = classifier(loss, gradient)
    with torch.no_grad():
        model.network.layers[0].weight.copy_(torch.tensor([[-3.0, 0.5, 0.2]] * 6))
    label, metadata = torch.tensor([0]), [{"sample": 0}]
    return model, lambda: model(torch.ones(1, 6), label, metadata)


def gradient_of(loss, gradient=None):
    model, run = silenced(loss, gradient)
    run()["loss"].backward()
    return model.network.layers[0].weight.grad


def test_under_the_softmax_weights_of_a_silent_neuron_that_should_spike_are_raised():
    assert (gradient_of(SOFTMAX)[:, 0] < 0).all()
    # as the authors' equations have it, they are lowered further
    assert (gradient_of(SOFTMAX, {"bounds_rate_correction": False})[:, 0] > 0).all()


def test_under_the_squared_loss_the_rate_correction_stays_that_of_the_authors():
    unbounded = gradient_of(SQUARED, {"bounds_rate_correction": False})
    assert torch.equal(gradient_of(SQUARED), unbounded)
    bounded = gradient_of(SQUARED, {"bounds_rate_correction": True})
    assert not torch.equal(bounded, unbounded) and (bounded[:, 0] < 0).all()


def test_under_the_softmax_a_neuron_that_was_silenced_comes_back():
    model, run = silenced(SOFTMAX)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        run()["loss"].backward()
        optimizer.step()
    assert run()["counts"].argmax() == 0


def test_fewer_outputs_than_classes_are_refused():
    with pytest.raises(ConfigurationError, match='has 2 output neurons for 3 classes.*3 "units"'):
        classifier(SQUARED, units=2)


def test_a_neuron_beyond_the_classes_names_none_in_labels_and_metrics_alike():
    model = classifier(SQUARED, units=5).eval()
    with torch.no_grad():
        model.network.layers[0].weight.copy_(torch.tensor([[0.2, 1.0, 0.1, 0.1, 3.0]] * 6))
    output = model(torch.ones(1, 6), torch.tensor([1]), [{"sample": 0}])
    assert output["counts"].argmax() == 4
    assert model.make_output_human_readable(output)["label"] == ["b"]
    assert model.get_metrics()["accuracy"] == 1
