import pytest
import torch
from allennlp.common.checks import ConfigurationError

from tests.models.parsing_model_case import ParsingModelTestCase, overfit


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

    def test_predicts_without_gold_trees(self):
        batch = self.batch(self.instances, without=["heads", "relations"])
        output = self.model.eval()(**batch)
        assert "loss" not in output
        assert torch.is_tensor(output["heads"])
