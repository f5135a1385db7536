import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.nn.parallel import DdpAccelerator
from torch import distributed
from torch.testing import assert_close

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.models.parsing_model import Decoding, decoded_by
from tests.models.parsing_model_case import (
    TAGGER,
    ParsingModelTestCase,
    assert_predicts_in_evaluation,
    gradient_norm,
    overfit,
)

TREES = ["heads", "relations"]
GRAPHS = ["graph", "tops"]
ESTIMATOR = "model.argmax.estimator"


class TestSyntacticThenSemantic(ParsingModelTestCase):
    experiment = "syntactic_then_semantic.jsonnet"

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize(
        "estimator",
        ["pipeline", "straight_through", "spigot", "structured_attention"],
    )
    def test_every_estimator_learns_from_the_same_config_by_one_key(self, estimator):
        model = self.build(
            {ESTIMATOR: {"type": estimator}, "model.semantic_parser.loss.type": "hinge"}
        )
        batch = self.batch(self.instances[:2], without=[])
        metrics = overfit(model, batch, num_steps=130)
        assert metrics["unlabelled_f1"] > 0.8
        # The semantic loss may draw the trees away from the treebank's, but in the pipeline.
        assert metrics["uas"] > (0.9 if estimator == "pipeline" else 0)

    @pytest.mark.parametrize("estimator", GradientEstimator.list_available())
    def test_the_semantic_loss_reaches_the_syntactic_parser_but_in_the_pipeline(self, estimator):
        model = self.build({ESTIMATOR: {"type": estimator}}).train()
        model(**self.batch(self.instances, without=TREES))["loss"].backward()
        assert (gradient_norm(model.syntactic_parser) > 0) == (estimator != "pipeline")
        assert gradient_norm(model.semantic_parser) > 0

    def test_trees_train_the_syntactic_parser_alone(self):
        batch = self.batch(self.instances, without=GRAPHS)
        self.model.train()(**batch)["loss"].backward()
        assert gradient_norm(self.model.syntactic_parser) > 0
        assert gradient_norm(self.model.semantic_parser) == 0

    def test_the_weight_of_the_syntactic_loss_is_applied(self):
        batch = self.batch(self.instances, without=GRAPHS)
        full = self.build({}).eval()(**batch)["loss"]
        half = self.build({"model.syntactic_loss_weight": 0.5}).eval()(**batch)["loss"]
        assert_close(half, full / 2)

    def test_accumulated_batches_and_a_scaled_loss_change_no_gradient_but_by_their_factor(self):
        batch = self.batch(self.instances, without=TREES)
        for factor in [0.25, 2.0**14]:
            plain, scaled = (
                self.build({ESTIMATOR: {"type": "spigot", "max_step_norm": 1.0}}).eval()
                for _ in range(2)
            )
            plain.argmax.train()
            scaled.argmax.train()
            plain(**batch)["loss"].backward()
            (scaled(**batch)["loss"] * factor).backward()
            for ours, theirs in zip(plain.parameters(), scaled.parameters(), strict=True):
                if ours.grad is not None:
                    assert_close(ours.grad * factor, theirs.grad, rtol=1e-3, atol=1e-6 * factor)

    def test_at_test_time_the_tree_is_hard_unless_the_estimator_is_relaxed(self):
        batch = self.batch(self.instances, without=TREES + GRAPHS)
        seen = []
        deciding = {"type": "structured_attention", "argmax_at_test": True}
        for estimator in ["spigot", "structured_attention", deciding]:
            model = self.build(
                {ESTIMATOR: {"type": estimator} if isinstance(estimator, str) else estimator}
            ).eval()
            model.semantic_parser.arc_encoder.register_forward_pre_hook(
                lambda module, inputs: seen.append(inputs[1])
            )
            model(**batch)
        hard, relaxed, decided = seen
        assert set(hard.unique().tolist()) == {0.0, 1.0}
        assert 0 < relaxed.max() < 1
        assert torch.equal(decided, hard)

    @pytest.mark.parametrize("minimum_risk", [False, True])
    def test_the_tree_that_is_shown_is_the_one_that_is_read(self, minimum_risk):
        torch.nn.init.normal_(self.model.syntactic_parser._arc_scorer._bilinear, 0.0, 0.5)
        read = []
        self.model.semantic_parser.arc_encoder.register_forward_pre_hook(
            lambda _, inputs: read.append(inputs[1].argmax(dim=-1)[:, 1:])
        )
        batch = self.batch(self.instances, without=TREES + GRAPHS)
        with decoded_by(self.model.eval(), Decoding(minimum_risk=minimum_risk)), torch.no_grad():
            output = self.model(**batch)
        assert torch.equal(output["heads"][output["mask"]], read[0][output["mask"]])

    @pytest.mark.parametrize("single_root", [False, True])
    def test_another_structure_than_that_of_the_parser_is_warned_of(self, single_root, caplog):
        self.build(
            {"model.argmax.structure": {"type": "projective_tree", "single_root": single_root}}
        )
        warned = "argmax.structure is not syntactic_parser.structure" in caplog.text
        assert warned == (not single_root)

    def test_the_tree_is_made_without_dropout_unless_asked_for(self):
        batch = self.batch(self.instances, without=TREES)
        overrides = {"model.syntactic_parser.encoder.dropout": 0.5}
        model = self.build(overrides).train()
        assert_close(model._arc_scores(batch["tokens"]), model._arc_scores(batch["tokens"]))
        assert model.syntactic_parser.training and model.syntactic_parser.encoder._dropout.training
        noisy = self.build({**overrides, "model.dropout_in_tree": True}).train()
        once, again = (noisy._arc_scores(batch["tokens"]) for _ in range(2))
        assert not torch.equal(once, again)

    def test_the_output_holds_the_tree_and_the_graph(self):
        output = self.model.eval().forward_on_instance(self.instances[0])
        words = output["words"]
        assert len(output["heads"]) == len(output["relations"]) == len(words)
        assert all(len(arc) == 3 for arc in output["arcs"])
        assert output["tops"] is not None and output["pos"] is not None

    def test_predicts_in_evaluation_mode_whatever_the_mode(self):
        assert_predicts_in_evaluation(self.model, self.instances[:3])

    def test_trains_in_distributed_training_by_batches_of_trees_and_batches_of_graphs(self):
        store = self.TEST_DIR / "store"
        distributed.init_process_group("gloo", f"file://{store}", rank=0, world_size=1)
        try:
            accelerator = DdpAccelerator.from_params(Params({"type": "torch"}), cuda_device=-1)
            model, wrapped = accelerator.wrap_model(self.model.train())
            for missing in (GRAPHS, TREES, GRAPHS):
                wrapped.model(**self.batch(self.instances[:2], without=missing))["loss"].backward()
        finally:
            distributed.destroy_process_group()
        assert gradient_norm(model.semantic_parser) > 0 < gradient_norm(model.syntactic_parser)

    def test_the_regularizers_of_both_parsers_count(self):
        def penalty(**regularized):
            regularizer = {"regexes": [["_arc_scorer", {"type": "l2", "alpha": 1.0}]]}
            parts = {f"model.{name}.regularizer": regularizer for name in regularized}
            model = self.build(parts)
            return model.get_regularization_penalty(), model

        assert penalty()[0] is None
        of_trees, model = penalty(syntactic_parser=True)
        weights = model.syntactic_parser._arc_scorer.parameters()
        assert_close(of_trees, sum(part.square().sum() for part in weights))
        of_graphs, both = (
            penalty(semantic_parser=True)[0],
            penalty(syntactic_parser=True, semantic_parser=True)[0],
        )
        assert_close(both, of_trees + of_graphs)

    def test_a_weight_below_zero_is_refused(self):
        with pytest.raises(ConfigurationError, match="syntactic_loss_weight must be at least 0"):
            self.build({"model.syntactic_loss_weight": -1.0})

    def test_parts_that_do_not_fit_are_refused(self):
        with pytest.raises(ConfigurationError, match="cannot be a SemanticGraph.*projective_tree"):
            self.build({"model.argmax.structure": "semantic_graph"})
        with pytest.raises(ConfigurationError, match="arc_encoder"):
            self.build({"model.semantic_parser.arc_encoder": None})
        with pytest.raises(ConfigurationError, match="must be a 'syntactic_parser'"):
            self.build({"model.syntactic_parser": TAGGER})
