import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from tests.models.parsing_model_case import (
    ParsingModelTestCase,
    assert_predicts_in_evaluation,
    gradient_norm,
    overfit,
)

OTHERS = ["graph", "tops", "heads", "relations"]


class TestLatentTreeClassifier(ParsingModelTestCase):
    experiment = "latent_tree_classifier.jsonnet"

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize("structure", ["projective_tree", "non_projective_tree"])
    @pytest.mark.parametrize(
        "estimator", ["pipeline", "straight_through", "spigot", "structured_attention"]
    )
    def test_every_pair_learns_from_the_same_config(self, structure, estimator):
        model = self.build(
            {
                "model.argmax": {
                    "structure": {"type": structure, "single_root": False},
                    "estimator": {"type": estimator},
                }
            }
        )
        batch = self.batch(self.instances, without=OTHERS)
        assert overfit(model, batch, num_steps=40)["accuracy"] == 1
        model.train()(**batch)["loss"].backward()
        assert (gradient_norm(model.arc_scorer) > 0) == (estimator != "pipeline")

    def test_a_token_is_represented_by_its_head(self):
        model = self.model.eval()
        states = torch.randn(1, 4, model.encoder.get_output_dim())
        model.encoder.forward = lambda tokens: (states, torch.ones(1, 4, dtype=torch.bool))
        seen = []
        model.classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        heads = model(tokens={})["heads"][0]
        layer = model.graph_encoder
        expected = torch.relu(layer._own(states[0, 1:]) + layer._head(states[0, heads]))
        assert_close(seen[0][0], expected)

    def test_the_output_holds_the_class_and_the_tree(self):
        output = self.model.eval().forward_on_instance(self.instances[0])
        assert output["label"] in ("0", "1") and set(output["probabilities"]) == {"0", "1"}
        assert len(output["heads"]) == len(output["words"])
        assert output["heads"].count(0) == 1

    def test_predicts_in_evaluation_mode_whatever_the_mode(self):
        assert_predicts_in_evaluation(self.model, self.instances[:3])

    @pytest.mark.parametrize("structure", ["categorical", "chain", "semantic_graph"])
    def test_what_is_no_tree_is_refused_when_the_config_is_read(self, structure):
        with pytest.raises(ConfigurationError, match="latent_tree_classifier.*projective_tree"):
            self.build(
                {
                    "model.argmax": {
                        "structure": {"type": structure},
                        "estimator": {"type": "pipeline"},
                    }
                }
            )
