import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.testing import ModelTestCase
from allennlp.models import Model

from spigot_allennlp.data.dataset_readers.latent_clusters import LatentClustersReader
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from tests.models.parsing_model_case import EXPERIMENTS, gradient_norm, overfit

EXPERIMENT = EXPERIMENTS / "latent_classifier.jsonnet"
# Of these the scorer learns nothing, or something else than from the loss of the argmax.
WITHOUT_GRADIENT = {"pipeline"}


class TestLatentClassifier(ModelTestCase):
    def setup_method(self) -> None:
        super().setup_method()
        self.set_up_model(EXPERIMENT, "train", seed=1)

    def build(self, **changes) -> Model:
        torch.manual_seed(1)
        overrides = {f"model.{path}": value for path, value in changes.items()}
        params = Params.from_file(str(EXPERIMENT), overrides)
        return Model.from_params(params["model"], vocab=self.vocab)

    def batch(self):
        return self.dataset.as_tensor_dict()

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize("estimator", GradientEstimator.list_available())
    def test_every_estimator_trains_the_same_config(self, estimator):
        model = self.build(argmax={"structure": "categorical", "estimator": {"type": estimator}})
        model.train()
        for _ in range(3):  # a choice that is liked best already has no gradient, say, under SPIGOT
            model(**self.batch())["loss"].backward()
        assert gradient_norm(model.classifier) > 0
        assert (gradient_norm(model.scorer) > 0) == (estimator not in WITHOUT_GRADIENT)

    def test_the_logits_are_those_of_a_bilinear_map_of_category_and_point(self):
        model, batch = self.build(**{"argmax.estimator": "pipeline"}).eval(), self.batch()
        output = model(**batch)
        chosen = torch.nn.functional.one_hot(output["category"], 3).float()
        torch.testing.assert_close(output["logits"], model.classifier(chosen, batch["features"]))

    def test_with_gold_clusters_the_scorer_is_not_used(self):
        model, batch = self.build(gold=True), self.batch()
        output = model(**batch)
        assert torch.equal(output["category"], batch["cluster"])
        output["loss"].backward()
        assert gradient_norm(model.scorer) == 0
        assert overfit(model, batch, num_steps=100, learning_rate=0.1)["v_measure"] == 1

    def test_it_learns_the_clusters_from_the_classes_alone(self):
        model = self.build(**{"argmax.estimator": "structured_attention"})
        metrics = overfit(model, self.batch(), num_steps=200, learning_rate=0.1)
        assert metrics["accuracy"] > 0.9

    def test_with_one_category_it_is_a_linear_classifier(self):
        model, batch = self.build(num_categories=1, num_clusters=3), self.batch()
        weight, bias = model.classifier.weight[:, 0], model.classifier.bias
        expected = batch["features"] @ weight.T + bias
        torch.testing.assert_close(model(**batch)["logits"], expected)

    def test_readable_output_names_class_and_category(self):
        instance = LatentClustersReader(dim=8).text_to_instance([0.5] * 8)
        output = self.model.eval().forward_on_instance(instance)
        assert output["label"] in {"0", "1"} and output["category"] in {0, 1, 2}
        assert sum(output["probabilities"].values()) == pytest.approx(1)

    def test_settings_that_contradict_each_other_are_refused(self):
        with pytest.raises(ConfigurationError, match="num_categories must be at least 1 but is"):
            self.build(num_categories=0)
        with pytest.raises(ConfigurationError, match="of which there are 5.*num_categories is 3"):
            self.build(gold=True, num_clusters=5)

    def test_gold_clusters_that_are_missing_are_asked_for(self):
        batch = self.batch()
        del batch["cluster"]
        with pytest.raises(ConfigurationError, match="instances have no cluster"):
            self.build(gold=True)(**batch)
