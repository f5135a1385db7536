import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.models.parsing_model import (
    UNKNOWN,
    Decoding,
    check_decoding,
    decoded_by,
)
from spigot_allennlp.models.pruner import prune
from spigot_allennlp.models.semantic_parser import NO_ARC, TOP, gold_labels
from spigot_allennlp.modules.given_tree import NeighbourTree
from tests.models.parsing_model_case import (
    EXPERIMENTS,
    ParsingModelTestCase,
    assert_predicts_in_evaluation,
    overfit,
)


class TestSemanticParser(ParsingModelTestCase):
    experiment = "semantic_parser.jsonnet"

    def test_trains_saves_and_loads(self):
        self.ensure_model_can_train_save_and_load(self.param_file)

    def test_predictions_do_not_depend_on_the_batch(self):
        self.ensure_batch_predictions_are_consistent(keys_to_ignore=["loss"])

    def test_learns_its_training_data_by_heart(self):
        batch = self.batch(self.instances[:2], without=[])
        model = self.build({"model.loss": {"type": "log_likelihood"}})
        metrics = overfit(model, batch, num_steps=100)
        assert metrics["labelled_f1"] > 0.95

    def test_the_hinge_loss_learns_too(self):
        batch = self.batch(self.instances[:2], without=[])
        metrics = overfit(self.build({}), batch, num_steps=100)
        assert metrics["labelled_f1"] > 0.95

    def test_a_batch_without_any_arc_has_a_finite_loss_and_gradient(self):
        batch = self.batch(self.instances[:2], without=[])
        batch["graph"] = torch.full_like(batch["graph"], NO_ARC)
        batch["tops"] = torch.zeros_like(batch["tops"])
        for loss in ["hinge", "log_likelihood"]:
            model = self.build({"model.loss": {"type": loss}})
            value = model(**batch)["loss"]
            value.backward()
            assert torch.isfinite(value)
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            assert gradients and all(gradient.isfinite().all() for gradient in gradients)

    def test_the_loss_is_the_mean_of_the_sentences_losses(self):
        self.model.eval()
        together = self.model(**self.batch(self.instances[:3], without=[]))["loss"]
        alone = [
            self.model(**self.batch([instance], without=[]))["loss"]
            for instance in self.instances[:3]
        ]
        torch.testing.assert_close(together, torch.stack(alone).mean())

    def test_readable_arcs_are_those_of_the_graph(self):
        output = {
            "graph": torch.tensor([[[-1, -1, -1], [TOP, -1, -1], [-1, 2, -1]]]),
            "mask": torch.ones(1, 2, dtype=torch.bool),
            "metadata": [{"id": "x", "words": ["a", "b"], "lemmas": None, "pos": None}],
        }
        readable = self.model.make_output_human_readable(output)
        role = self.vocab.get_token_from_index(2, "semantic_roles")
        assert readable["arcs"] == [[[1, 2, role]]]
        assert readable["tops"] == [[1]]
        assert readable["words"] == [["a", "b"]]

    def test_the_graph_does_not_depend_on_whether_all_labels_are_scored(self):
        torch.nn.init.constant_(self.model._arc_scorer._from_dependent.bias, 2.0)  # many arcs
        self.model.eval()
        batch = self.batch(self.instances, without=["graph", "tops"])
        states, mask = self.model.encoder(batch["tokens"])
        expected = self.model.decode(self.model.scores(states, mask), mask, None)["graph"]
        assert self.model(**batch)["graph"].equal(expected)
        assert (expected > TOP).any() and (expected == TOP).any()

    def parser_with_labels_given_arcs(self, **options):
        """Labels that are far from equally probable; arcs above zero as often as below."""
        overrides = {
            "model.loss": {"type": "log_likelihood"},
            "model.arc_scorer": {"type": "biaffine", "hidden_dim": 5},
            "model.label_scorer": {"type": "diagonal_biaffine", "hidden_dim": 5},
            "model.labels_given_arcs": True,
            **{f"model.{key}": value for key, value in options.items()},
        }
        torch.manual_seed(0)
        model = self.build(overrides)
        for scorer in (model._arc_scorer, model._label_scorer):
            for parameter in scorer.parameters():
                torch.nn.init.normal_(parameter, std=0.5)
        return model.double()

    @pytest.mark.parametrize("label_scorer", ["diagonal_biaffine", "mlp", "biaffine"])
    @pytest.mark.parametrize("is_training", [True, False])
    @pytest.mark.parametrize("is_pruned", [False, True])
    def test_labels_of_few_pairs_suffice_for_loss_and_graph_of_labels_given_arcs(
        self, label_scorer, is_training, is_pruned
    ):
        model = self.parser_with_labels_given_arcs(label_scorer={"type": label_scorer})
        batch = self.batch(self.instances, without=[])
        states, mask = model.train(is_training).encoder(batch["tokens"])
        states = states.detach().requires_grad_()
        candidates = None
        if is_pruned:
            model.pruner = torch.nn.Identity()  # stands for the one that has kept these
            is_gold = gold_labels(batch["graph"], batch["tops"]) != NO_ARC
            keeps_gold = torch.arange(len(mask)) % 2 == 0
            candidates = torch.rand(is_gold.shape) < 0.7
            candidates |= is_gold & keeps_gold[:, None, None]
        gold = batch["graph"], batch["tops"], None, candidates
        few = model._learn_labels_given_arcs(states, mask, *gold)
        everything = model.learn(model.scores(states, mask), mask, *gold)
        assert few["graph"].equal(everything["graph"])
        assert (few["graph"] > TOP).any() and few["loss"] > 0
        torch.testing.assert_close(few["loss"], everything["loss"])
        scorers = torch.nn.ModuleList([model._arc_scorer, model._label_scorer])
        gradients, expected = (
            torch.autograd.grad(output["loss"], [states, *scorers.parameters()])
            for output in (few, everything)
        )
        torch.testing.assert_close(gradients, expected)

    def test_the_probability_of_an_arc_with_labels_given_arcs_is_that_of_its_own_score(self):
        model = self.parser_with_labels_given_arcs().eval()
        batch = self.batch(self.instances, without=[])
        states, mask = model.encoder(batch["tokens"])
        expected = model._arc_scorer(states, mask).squeeze(-1).sigmoid()
        is_legal = model.structure.independent_arcs(mask, 3).arcs
        posteriors = model.arc_posteriors(batch["tokens"])
        torch.testing.assert_close(posteriors, expected.masked_fill(~is_legal, 0))

    def test_the_best_graph_of_labels_given_arcs_needs_no_others(self):
        model = self.parser_with_labels_given_arcs().eval()
        batch = self.batch(self.instances, without=["graph", "tops"])
        states, mask = model.encoder(batch["tokens"])
        scores = model.scores(states, mask)
        assert model(**batch)["graph"].equal(model.decode(scores, mask, None)["graph"])
        candidates = torch.rand(scores.shape[:3]) < 0.7
        expected = model.decode(prune(scores, candidates), mask, None)["graph"]
        assert model.parse(states, mask, None, None, candidates)["graph"].equal(expected)
        for scorer in (model._arc_scorer, model._label_scorer):
            bias = scorer._from_dependent.bias
            before = bias.detach().clone()
            bias.data[-1] = torch.nan
            with pytest.raises(ArithmeticError, match="scores of arcs and labels are not finite"):
                model(**batch)
            bias.data.copy_(before)

    def test_a_graph_outside_the_structure_does_not_enter_the_loss_of_labels_given_arcs(self):
        model = self.parser_with_labels_given_arcs()
        batch = self.batch(self.instances[:2], without=[])
        batch["graph"][0, 0, 0] = 2  # a token that is its own predicate
        with pytest.raises(ConfigurationError, match="outside the family"):
            model(**batch)
        alone = model.eval()(**self.batch(self.instances[1:2], without=[]))["loss"]
        model.get_metrics(reset=True)
        torch.testing.assert_close(model(**batch)["loss"], alone)
        assert model.get_metrics(reset=True)["graphs_outside_structure"] == 1

    def test_labels_given_arcs_learn_their_training_data_by_heart(self):
        overrides = {"model.labels_given_arcs": True, "model.loss": {"type": "log_likelihood"}}
        model = self.build({**overrides, "model.label_scorer": {"type": "diagonal_biaffine"}})
        metrics = overfit(model, self.batch(self.instances[:2], without=[]), num_steps=100)
        assert metrics["labelled_f1"] > 0.95

    def test_labels_given_arcs_are_refused_where_arcs_depend_on_each_other(self):
        role = self.vocab.get_token_from_index(2, "semantic_roles")
        structure = {"type": "semantic_graph", "deterministic_roles": [role]}
        with pytest.raises(ConfigurationError, match="labels_given_arcs is true, but"):
            self.parser_with_labels_given_arcs(structure=structure, loss={"type": "hinge"})

    def test_arcs_that_score_each_other_do_not_depend_on_the_batch(self):
        model = self.build({"model.arc_scorer": {"type": "second_order"}}).eval()
        torch.nn.init.normal_(model._arc_scorer._weights)
        instances = sorted(self.instances, key=lambda instance: len(instance["tokens"]))
        shortest, longest = instances[0], instances[-1]
        alone, together = (
            model.scores(*model.encoder(self.batch(some, without=[])["tokens"]))
            for some in ([shortest], [shortest, longest])
        )
        length = alone.size(1)
        assert length < together.size(1)
        torch.testing.assert_close(together[:1, :length, :length], alone)

    def test_scores_that_are_no_numbers_are_no_graph(self):
        torch.nn.init.constant_(self.model._arc_scorer._from_dependent.bias, torch.nan)
        with pytest.raises(ArithmeticError, match="not finite"):
            self.model.eval()(**self.batch(self.instances, without=["graph", "tops"]))

    def test_instances_are_parsed_without_a_loss_and_come_back_in_their_order(self):
        outputs = self.model.forward_on_instances(self.instances)
        words = [instance["metadata"]["words"] for instance in self.instances]
        assert [output["words"] for output in outputs] == words
        assert all("loss" not in output for output in outputs)

    @pytest.mark.parametrize("known", [{}, {"id": "7"}, {"words": ["a"]}, {"source": "file:3"}])
    def test_metadata_of_another_reader_is_carried_over_as_far_as_it_is_known(self, known):
        batch = self.batch(self.instances[:2], without=["metadata"])
        output = self.model.eval()(**batch, metadata=[known, known])
        readable = self.model.make_output_human_readable(output)
        assert {key: readable.get(key) for key in ("id", "words")} == {
            key: [known[key]] * 2 if key in known else None for key in ("id", "words")
        }

    def test_an_arc_encoder_without_arcs_is_refused(self):
        model = self.build({"model.arc_encoder": {}})
        with pytest.raises(ConfigurationError, match="syntactic_then_semantic"):
            model(**self.batch(self.instances[:1], without=[]))

    def test_a_given_tree_enters_as_the_arcs_of_another_layer_would(self):
        model = self.build({"model.arc_encoder": {}, "model.tree": {"type": "neighbour"}}).eval()
        batch = self.batch(self.instances, without=["graph", "tops"])
        states, mask = model.encoder(batch["tokens"])
        expected = model.parse(states, mask, None, NeighbourTree()(mask))["graph"]
        assert model(**batch)["graph"].equal(expected)

    def test_a_gold_tree_is_not_predicted_with(self):
        model = self.build({"model.arc_encoder": {}, "model.tree": {"type": "gold"}})
        with pytest.raises(ConfigurationError, match="without gold trees nothing can be predicted"):
            model.forward_on_instances(self.instances[:1])

    def test_a_tree_without_an_arc_encoder_is_refused(self):
        with pytest.raises(ConfigurationError, match="arc_encoder"):
            self.build({"model.tree": {"type": "gold"}})

    def test_the_likelihood_with_deterministic_roles_is_refused_when_the_config_is_read(self):
        structure = {"type": "semantic_graph", "deterministic_roles": ["ARG1"]}
        with pytest.raises(ConfigurationError, match="log_partition"):
            self.build({"model.structure": structure, "model.loss": {"type": "log_likelihood"}})

    def test_with_deterministic_roles_no_predicate_has_one_twice(self):
        structure = {"type": "semantic_graph", "deterministic_roles": ["ARG1", "ARG2"]}
        model = self.build({"model.structure": structure})
        batch = self.batch(self.instances, without=[])
        torch.nn.init.constant_(model._arc_scorer._from_dependent.bias, 3.0)  # many arcs
        output = model.eval()(**batch)
        for role in ["ARG1", "ARG2"]:
            index = self.vocab.get_token_index(role, "semantic_roles")
            per_predicate = (output["graph"] == index).sum(dim=1)
            assert per_predicate.max() <= 1

    @pytest.mark.parametrize("structure", ["categorical", "projective_tree"])
    def test_a_structure_that_is_no_family_of_graphs_is_refused(self, structure):
        with pytest.raises(ConfigurationError, match="'semantic_parser'.*'semantic_graph'"):
            self.build({"model.structure": {"type": structure}})

    def test_a_vocabulary_without_roles_is_refused(self):
        params = Params.from_file(str(EXPERIMENTS / self.experiment))["model"]
        with pytest.raises(ConfigurationError, match="'semantic_roles'"):
            Model.from_params(params, vocab=Vocabulary(tokens_to_add={"tokens": ["a"]}))

    def test_predicts_in_evaluation_mode_whatever_the_mode(self):
        assert_predicts_in_evaluation(self.model, self.instances[:3])

    PREDICATES = {
        "model.structure": {"type": "predicate_graph"},
        "model.predicate_scorer": {"hidden_dim": 8},
    }

    def test_with_predicates_it_learns_its_training_data_by_heart(self):
        model = self.build({**self.PREDICATES, "model.loss": {"type": "hinge"}})
        metrics = overfit(model, self.batch(self.instances[:2], without=[]), num_steps=150)
        assert metrics["labelled_f1"] > 0.95

    def test_a_predicate_that_scores_low_has_no_arguments(self):
        model = self.build(self.PREDICATES).eval()
        batch = self.batch(self.instances, without=[])
        torch.nn.init.constant_(model._arc_scorer._from_dependent.bias, 3.0)  # many arcs
        assert (model(**batch)["graph"] != NO_ARC).sum() > 100
        torch.nn.init.constant_(model._predicate_scorer._layers[-1].bias, -1e4)
        graph = model(**batch)["graph"]
        assert (graph == NO_ARC).all()

    def test_the_score_of_a_predicate_stands_where_no_arc_is(self):
        model = self.build(self.PREDICATES).eval()
        states = torch.randn(2, 5, model.encoder.get_output_dim())
        scores = model.scores(states, torch.ones(2, 5, dtype=torch.bool))
        expected = model._predicate_scorer(states)
        assert scores[..., TOP].diagonal(dim1=1, dim2=2).equal(expected)
        without = model._arc_scorer(states) + model._label_scorer(states)
        assert (scores != without).sum() == expected.numel()

    def test_heads_of_gold_arcs_are_gold_predicates(self):
        model = self.build({**self.PREDICATES, "model.loss": {"type": "hinge"}}).eval()
        mask = torch.ones(1, 3, dtype=torch.bool)
        labels = torch.full((1, 3, 3), NO_ARC)
        labels[0, 2, 1], labels[0, 1, 0] = 2, TOP
        scores = torch.full((1, 3, 3, self.vocab.get_vocab_size("semantic_roles")), -5.0)
        scores[0, 2, 1, 2], scores[0, 1, 0, TOP] = 5, 5
        scores[0, 0, 0, TOP] = scores[0, 1, 1, TOP] = 5
        assert model.losses(scores, mask, labels).losses.tolist() == [0]  # beyond the margin
        scores[0, 1, 1, TOP] = -6  # the arc alone would be worth it
        # The best without costs is the top, at 10, where gold scores 9; what is missed costs 0.5.
        assert model.losses(scores, mask, labels).losses.tolist() == [1.5]

    @pytest.mark.parametrize("key", PREDICATES)
    def test_predicates_without_scores_and_scores_without_predicates_are_refused(self, key):
        with pytest.raises(ConfigurationError, match="predicate_scorer"):
            self.build({key: self.PREDICATES[key]})


def test_gold_labels_put_the_tops_under_the_root():
    graph = torch.tensor([[[-1, 3], [-1, -1]]])
    labels = gold_labels(graph, torch.tensor([[0, 1]]))
    assert labels.tolist() == [[[-1, -1, -1], [-1, -1, 3], [TOP, -1, -1]]]


class TestDecodingByProbabilities(ParsingModelTestCase):
    experiment = "semantic_parser.jsonnet"

    def parsed(self, decoding):
        # Scores that are far from 0 on either side, so that there are arcs, and near to certain.
        torch.manual_seed(3)
        torch.nn.init.normal_(self.model._arc_scorer._from_dependent.bias, 0.5, 1.0)
        for weights in self.model._label_scorer.parameters():
            torch.nn.init.normal_(weights, 0.0, 0.7)
        self.model.eval()
        batch = self.batch(self.instances, without=["graph", "tops"])
        with decoded_by(self.model, decoding), torch.no_grad():
            output = self.model(**batch)
        states, mask = self.model.encoder(batch["tokens"])
        return output, self.model.scores(states, mask).detach(), mask

    def probabilities(self, scores, mask):
        """A softmax over the legal labels of each arc and "none", cell by cell."""
        expected = torch.zeros_like(scores)
        for sentence, length in enumerate(mask.sum(dim=1).tolist()):
            for dependent in range(1, length):
                for head in range(length):
                    if head == dependent:
                        continue
                    legal = [TOP] if head == 0 else range(UNKNOWN + 1, scores.size(-1))
                    legal = list(legal)
                    cell = scores[sentence, dependent, head, legal]
                    weights = torch.cat([torch.zeros(1), cell]).softmax(dim=0)[1:]
                    expected[sentence, dependent, head, legal] = weights
        return expected

    def test_the_probabilities_are_those_of_the_chosen_labels(self):
        output, scores, mask = self.parsed(Decoding(probabilities=True))
        expected = self.probabilities(scores, mask)
        chosen = output["graph"] != NO_ARC
        assert chosen.any()
        labels = output["graph"].clamp(min=0).unsqueeze(-1)
        torch.testing.assert_close(
            output["arc_probabilities"][chosen], expected.gather(-1, labels).squeeze(-1)[chosen]
        )
        readable = self.model.make_output_human_readable(output)
        for number, (arcs, tops) in enumerate(zip(readable["arcs"], readable["tops"], strict=True)):
            rows = output["arc_probabilities"][number]
            assert readable["arc_probabilities"][number] == pytest.approx(
                [float(rows[dependent, head]) for head, dependent, _ in arcs]
            )
            assert readable["top_probabilities"][number] == pytest.approx(
                [float(rows[top, 0]) for top in tops]
            )

    def test_the_graph_stays_the_best_one_unless_there_is_a_threshold(self):
        plain, *_ = self.parsed(Decoding())
        assert "arc_probabilities" not in plain
        assert self.parsed(Decoding(probabilities=True))[0]["graph"].equal(plain["graph"])

    @pytest.mark.parametrize("threshold", [0.1, 0.4, 0.9])
    def test_a_threshold_chooses_just_the_arcs_that_are_so_probable(self, threshold):
        output, scores, mask = self.parsed(Decoding(threshold=threshold))
        best = self.probabilities(scores, mask).max(dim=-1)
        assert output["graph"].equal(best.indices.masked_fill(best.values < threshold, NO_ARC))
        assert (output["graph"] != NO_ARC).any()

    def test_what_is_learned_does_not_depend_on_it(self):
        batch = self.batch(self.instances, without=[])
        self.model.train()
        with decoded_by(self.model, Decoding(probabilities=True, threshold=0.1)):
            assert "arc_probabilities" not in self.model(**batch)
        assert self.model.decoding == Decoding()

    def test_a_structure_without_probabilities_is_refused(self):
        model = self.build({"model.structure.deterministic_roles": ["ARG1"]})
        check_decoding(model, Decoding())
        with pytest.raises(ConfigurationError, match="deterministic_roles take them away"):
            check_decoding(model, Decoding(threshold=0.4))
        outer = Model(self.vocab)
        outer.parser = model
        with pytest.raises(
            ConfigurationError, match='"model.parser.structure.deterministic_roles"'
        ):
            check_decoding(outer, Decoding(threshold=0.4))
