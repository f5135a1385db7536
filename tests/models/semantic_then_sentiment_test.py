from copy import deepcopy

import pytest
import torch
from allennlp.commands.train import train_model, train_model_from_file
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Vocabulary
from allennlp.models import Model, load_archive
from torch.testing import assert_close

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from tests.models.parsing_model_case import (
    EXPERIMENTS,
    TAGGER,
    ParsingModelTestCase,
    assert_predicts_in_evaluation,
    gradient_norm,
    overfit,
)

GRAPHS = ["graph", "tops"]
LABELS = ["label"]
ESTIMATOR = "model.argmax.estimator"
NO_GRAPH = {"model.parser": None, "model.argmax": None, "model.graph_encoder": None}


class TestSemanticThenSentiment(ParsingModelTestCase):
    experiment = "semantic_then_sentiment.jsonnet"

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize(
        "estimator", ["pipeline", "straight_through", "spigot", "structured_attention"]
    )
    def test_every_estimator_learns_from_the_same_config_by_one_key(self, estimator):
        model = self.build({ESTIMATOR: {"type": estimator}})
        batch = self.batch(self.instances, without=GRAPHS)
        assert overfit(model, batch, num_steps=60)["accuracy"] == 1

    @pytest.mark.parametrize("estimator", GradientEstimator.list_available())
    def test_the_classifiers_loss_reaches_the_parser_but_in_the_pipeline(self, estimator):
        # Of a graph's scores the mean may not be subtracted.
        options = {"center": False} if estimator == "identity_with_projection" else {}
        model = self.build({ESTIMATOR: {"type": estimator, **options}}).train()
        model(**self.batch(self.instances, without=GRAPHS))["loss"].backward()
        assert (gradient_norm(model.parser) > 0) == (estimator != "pipeline")
        assert gradient_norm(model.classifier) > 0 and gradient_norm(model.graph_encoder) > 0

    def test_graphs_train_the_parser_alone(self):
        self.model.train()(**self.batch(self.instances, without=LABELS))["loss"].backward()
        assert gradient_norm(self.model.parser) > 0
        assert gradient_norm(self.model.encoder) == gradient_norm(self.model.classifier) == 0

    def test_the_loss_of_both_is_the_sum_and_the_parsers_is_weighted(self):
        model = self.build({"model.parsing_loss_weight": 0.25}).eval()
        parsing = self.build({}).eval().parser(**self.batch(self.instances, LABELS))["loss"]
        labels = model(**self.batch(self.instances, without=GRAPHS))["loss"]
        both = model(**self.batch(self.instances, without=[]))["loss"]
        assert_close(both, labels + 0.25 * parsing)

    def test_the_graph_is_used(self):
        batch = self.batch(self.instances, without=LABELS + GRAPHS)
        model = self.model.eval()
        with_graph = model(**batch)["logits"]
        with torch.no_grad():
            model.parser._arc_scorer._from_head.weight.zero_()
            model.parser._arc_scorer._bilinear.zero_()
            model.parser._arc_scorer._from_dependent.bias.fill_(-1e4)  # no arc anywhere
        output = model(**batch)
        assert (output["graph"] == -1).all()
        assert not torch.allclose(with_graph, output["logits"])

    def test_the_unknown_role_is_never_part_of_the_graph(self):
        model = self.model.train()
        with torch.no_grad():
            model.parser._label_scorer._from_dependent.bias[1] += 1e4
        seen = []
        model.graph_encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
        model(**self.batch(self.instances, without=GRAPHS))["loss"].backward()
        assert seen[0].sum() > 0 and seen[0][..., 1].sum() == 0

    def test_improbable_arcs_are_no_candidates_and_get_no_gradient(self):
        batch = self.batch(self.instances, without=GRAPHS)
        scores = []
        for least in [0.0, 0.2]:
            model = self.build({"model.min_probability": least})
            model.parser._arc_scorer.register_forward_hook(
                lambda _, __, output: scores.append(output) or output.retain_grad()
            )
            model.train()(**batch)["loss"].backward()
        unpruned, pruned = (arc_scores.grad.count_nonzero() for arc_scores in scores[:2])
        assert 0 < pruned < unpruned

    def test_a_probability_that_is_none_is_refused(self):
        with pytest.raises(ConfigurationError, match="min_probability must be .* is 1.5"):
            self.build({"model.min_probability": 1.5})
        roles = {"type": "semantic_graph", "deterministic_roles": ["ARG1"]}
        overrides = {"model.min_probability": 0.1, "model.parser.structure": roles}
        with pytest.raises(ConfigurationError, match="deterministic_roles"):
            self.build({**overrides, "model.parser.loss.type": "hinge"})

    def test_it_reports_how_many_arcs_are_no_longer_those_of_the_parser_as_it_came(self):
        batch = self.batch(self.instances, without=GRAPHS)
        model = self.model.eval()
        model(**batch)
        assert model.get_metrics(reset=True)["arcs_changed"] == 0
        with torch.no_grad():
            model.parser._arc_scorer._from_dependent.bias.fill_(-1e4)
        model(**batch)
        assert model.get_metrics(reset=True)["arcs_changed"] == 1

    def test_the_copy_of_the_parser_is_not_trained(self):
        before = [p.clone() for p in self.model._original.parameters()]
        overfit(self.model, self.batch(self.instances, without=[]), num_steps=3)
        for old, new in zip(before, self.model._original.parameters(), strict=True):
            assert torch.equal(new, old) and not new.requires_grad

    def test_there_are_metrics_of_what_was_seen_and_no_others(self):
        model = self.model.eval()
        model(**self.batch(self.instances, without=GRAPHS))
        assert set(model.get_metrics(reset=True)) == {
            "accuracy",
            "macro_f1",
            "arcs_changed",
            "unlabelled_arcs_changed",
        }
        model(**self.batch(self.instances, without=LABELS))
        assert "labelled_f1" in model.get_metrics() and "accuracy" not in model.get_metrics()

    def test_the_output_holds_the_class_and_the_graph(self):
        output = self.model.eval().forward_on_instance(self.instances[0])
        assert output["label"] in ("0", "1")
        assert sum(output["probabilities"].values()) == pytest.approx(1)
        assert output["probabilities"][output["label"]] >= 0.5
        assert output["words"] and all(len(arc) == 3 for arc in output["arcs"])

    def test_without_a_parser_it_sees_no_graph(self):
        model = self.build(NO_GRAPH)
        batch = self.batch(self.instances, without=GRAPHS)
        assert overfit(model, batch, num_steps=60)["accuracy"] == 1
        assert "arcs" not in model.forward_on_instance(self.instances[0])

    def test_parts_that_do_not_fit_are_refused(self):
        with pytest.raises(
            ConfigurationError, match="cannot be a ProjectiveTree.*'semantic_graph'"
        ):
            self.build({"model.argmax.structure": "projective_tree"})
        with pytest.raises(ConfigurationError, match="argmax is missing"):
            self.build({"model.argmax": None})
        with pytest.raises(ConfigurationError, match="parser is missing, but argmax is there"):
            self.build({"model.parser": None})
        with pytest.raises(ConfigurationError, match="must be a 'semantic_parser' but is a Simple"):
            self.build({"model.parser": TAGGER})
        with pytest.raises(ConfigurationError, match="has an arc_encoder"):
            self.build({"model.parser.arc_encoder": {}})
        with pytest.raises(ConfigurationError, match="are SemanticGraph and PredicateGraph"):
            self.build({"model.argmax.structure": "predicate_graph"})
        predicates = {"structure": "predicate_graph", "predicate_scorer": {"hidden_dim": 4}}
        with pytest.raises(ConfigurationError, match="are PredicateGraph and SemanticGraph"):
            self.build({f"model.parser.{key}": value for key, value in predicates.items()})
        with pytest.raises(ConfigurationError, match="input size of the pooler"):
            self.build({"model.classifier.pooler": {"type": "boe", "embedding_dim": 7}})
        with pytest.raises(ConfigurationError, match="parsing_loss_weight must be at least 0"):
            self.build({"model.parsing_loss_weight": -1.0})

    def test_predicts_in_evaluation_mode_whatever_the_mode(self):
        assert_predicts_in_evaluation(self.model, self.instances[:3])

    def test_another_structure_than_that_of_the_parser_is_warned_of(self, caplog):
        self.build({})
        assert "argmax.structure" not in caplog.text
        roles = {"type": "semantic_graph", "deterministic_roles": ["ARG1"]}
        self.build({"model.argmax.structure": roles})
        assert "argmax.structure is not parser.structure" in caplog.text

    def test_the_parsers_regularizer_counts(self):
        regularizer = {"regexes": [["_arc_scorer", {"type": "l2", "alpha": 1.0}]]}
        model = self.build({"model.parser.regularizer": regularizer})
        expected = sum(part.square().sum() for part in model.parser._arc_scorer.parameters())
        assert_close(model.get_regularization_penalty(), expected)
        assert self.model.get_regularization_penalty() is None

    def test_a_vocabulary_without_classes_is_refused(self):
        params = Params.from_file(str(EXPERIMENTS / self.experiment), NO_GRAPH)["model"]
        with pytest.raises(ConfigurationError, match="has no classes.*'labels'"):
            Model.from_params(params, vocab=Vocabulary(tokens_to_add={"tokens": ["a"]}))


class TestPretrainedParser(ParsingModelTestCase):
    experiment = "semantic_then_sentiment.jsonnet"

    def test_it_comes_with_weights_settings_and_vocabulary_and_gives_the_same_scores(self):
        folder = self.TEST_DIR / "parser"
        train_model_from_file(str(EXPERIMENTS / "semantic_parser.jsonnet"), str(folder))
        archive = str(folder / "model.tar.gz")
        overrides = {
            "vocabulary": {"type": "extend", "directory": archive + "!vocabulary"},
            # Only words grow: the roles of these sentences are all known.
            "train_data_path": "synthetic:size=20,seed=6",
            "dataset_reader.graphs": False,
            "model.parser": {"type": "pretrained", "archive_file": archive},
            "trainer.no_grad": ["parser.*"],
        }
        params = Params.from_file(str(EXPERIMENTS / self.experiment), overrides)
        model = train_model(params, str(self.TEST_DIR / "joint")).eval()
        alone = load_archive(archive)
        assert model.vocab.get_vocab_size("tokens") > alone.model.vocab.get_vocab_size("tokens")
        instances = list(alone.dataset_reader.read("synthetic:size=8,seed=6"))
        # Unknown words are still unknown to the parser, although they have a number now.
        assert_close(
            self.scores(model.parser, model.vocab, instances),
            self.scores(alone.model.eval(), alone.model.vocab, instances),
        )

    @staticmethod
    def scores(parser, vocab, instances):
        batch = Batch(deepcopy(instances))
        batch.index_instances(vocab)
        return parser.scores(*parser.encoder(batch.as_tensor_dict()["tokens"]))
