import itertools
import math

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.evaluation import SimpleEvaluator
from allennlp.models import Model

from spigot_allennlp.data.dataset_readers.treebank_reader import find_crossing, find_cycle
from spigot_allennlp.models.parsing_model import Decoding, decoded_by
from tests.models.parsing_model_case import (
    EXPERIMENTS,
    ParsingModelTestCase,
    assert_predicts_in_evaluation,
    overfit,
)


class TestSyntacticParser(ParsingModelTestCase):
    experiment = "syntactic_parser.jsonnet"

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    @pytest.mark.parametrize("loss", ["hinge", "log_likelihood"])
    def test_learns_its_training_data_by_heart(self, loss):
        batch = self.batch(self.instances[:2], without=[])
        metrics = overfit(self.build({"model.loss": {"type": loss}}), batch, num_steps=100)
        assert metrics["uas"] > 0.95
        assert metrics["las"] > 0.9

    def test_without_a_relation_scorer_there_are_no_relations(self):
        model = self.build({"model.relation_scorer": None})
        output = model.eval()(**self.batch(self.instances, without=["relations"]))
        assert "relations" not in output
        assert set(model.get_metrics()) == {"uas", "uas_without_punctuation"}

    def test_a_relation_scorer_without_relations_is_refused(self):
        with pytest.raises(ConfigurationError, match="relation_scorer"):
            self.model(**self.batch(self.instances, without=["relations"]))

    def test_evaluates_where_no_tree_of_a_batch_is_one_of_the_structure(self):
        params = Params.from_file(str(EXPERIMENTS / self.experiment))["dataset_reader"]
        reader = DatasetReader.from_params(params)
        crossing = reader.text_to_instance(list("abcd"), heads=[3, 4, 0, 3], relations=["x"] * 4)
        reader.apply_token_indexers(crossing)
        loader = SimpleDataLoader([self.instances[0], crossing], 1, vocab=self.vocab)
        metrics = SimpleEvaluator()(self.model.eval(), loader)
        assert metrics["trees_outside_structure"] == 1 and math.isfinite(metrics["loss"])

    def test_the_trees_are_trees(self):
        output = self.model.eval()(**self.batch(self.instances, without=[]))
        for heads in self.model.make_output_human_readable(output)["heads"]:
            assert heads.count(0) == 1
            for position in range(1, len(heads) + 1):
                path = set()
                while position != 0:
                    assert position not in path
                    path.add(position)
                    position = heads[position - 1]

    @pytest.mark.parametrize("structure", ["categorical", "matching", "semantic_graph"])
    def test_a_structure_that_is_no_family_of_trees_is_refused(self, structure):
        overrides = {"model.structure": {"type": structure}, "model.loss": {"type": "hinge"}}
        with pytest.raises(ConfigurationError, match="'syntactic_parser'.*'projective_tree'"):
            self.build(overrides)

    def test_a_vocabulary_without_relations_is_refused_where_they_are_scored(self):
        params = Params.from_file(str(EXPERIMENTS / self.experiment))["model"]
        with pytest.raises(ConfigurationError, match="'dependency_relations'"):
            Model.from_params(params, vocab=Vocabulary(tokens_to_add={"tokens": ["a"]}))

    def test_vectors_of_another_size_than_the_encoder_takes_are_refused(self):
        with pytest.raises(ConfigurationError, match="text_field_embedder must match .* 24 and 13"):
            self.build({"model.encoder.encoder.input_size": 13})

    def test_predicts_in_evaluation_mode_whatever_the_mode(self):
        assert_predicts_in_evaluation(self.model, self.instances[:3])

    def test_predicts_without_gold_trees(self):
        batch = self.batch(self.instances, without=["heads", "relations"])
        output = self.model.eval()(**batch)
        assert "loss" not in output
        assert torch.is_tensor(output["heads"])

    def test_minimum_risk_is_the_tree_of_most_right_heads_in_expectation(self):
        for weights in self.model._arc_scorer.parameters():
            torch.nn.init.normal_(weights, 0.0, 0.35)
        words = 5
        short = self.batch([self._first_words(instance, words) for instance in self.instances], [])
        short = {name: short[name] for name in ("tokens", "metadata")}
        self.model.eval()
        with decoded_by(self.model, Decoding(True, None, True)), torch.no_grad():
            output = self.model(**short)
        trees = [
            heads
            for heads in itertools.product(range(words + 1), repeat=words)
            if heads.count(0) == 1 and not find_cycle(heads) and find_crossing(heads) is None
        ]
        differ = 0
        for number, scores in enumerate(output["arc_scores"].double()):
            totals = torch.stack([sum(scores[d, h] for d, h in enumerate(t, 1)) for t in trees])
            weights = totals.softmax(dim=0).tolist()
            marginals = torch.zeros(words + 1, words + 1, dtype=torch.double)
            for tree, weight in zip(trees, weights, strict=True):
                for dependent, head in enumerate(tree, 1):
                    marginals[dependent, head] += weight
            expected = [float(sum(marginals[d, h] for d, h in enumerate(t, 1))) for t in trees]
            best = trees[max(range(len(trees)), key=expected.__getitem__)]
            assert output["heads"][number].tolist() == list(best)
            torch.testing.assert_close(
                output["head_probabilities"][number].double(),
                torch.stack([marginals[d, h] for d, h in enumerate(best, 1)]),
                atol=1e-5,
                rtol=1e-4,
            )
            differ += best != trees[int(totals.argmax())]
        assert differ > 0  # from the best tree, in some sentence

    def _first_words(self, instance, number):
        metadata = instance["metadata"].metadata
        layers = {name: metadata[name][:number] for name in ("words", "lemmas", "pos")}
        params = Params.from_file(str(EXPERIMENTS / self.experiment))["dataset_reader"]
        reader = DatasetReader.from_params(params)
        shortened = reader.text_to_instance(**layers)
        reader.apply_token_indexers(shortened)
        return shortened
