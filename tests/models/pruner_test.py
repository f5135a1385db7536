"""Pruners: by posteriors made up by hand, and in parsers that are trained with them."""

import json
from copy import deepcopy

import pytest
import torch
from allennlp.commands.train import train_model_from_file
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import load_archive

from spigot_allennlp.models.parsing_model import Decoding, decoded_by
from spigot_allennlp.models.pruner import ArgumentPruner, HeadPruner, Pruner, prune
from spigot_allennlp.models.semantic_parser import NO_ARC
from spigot_allennlp.modules.graph_encoder import ArcEncoder
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from tests.models.parsing_model_case import EXPERIMENTS, TAGGER, ParsingModelTestCase, gradient_norm


class Posteriors(torch.nn.Module):
    """A parser that knows nothing but the posteriors of its arcs, for a batch of one sentence."""

    def __init__(self, rows):
        super().__init__()
        self.structure = ProjectiveTree()
        self._posteriors = torch.tensor([rows])

    def arc_posteriors(self, tokens):
        return self._posteriors


def pairs(candidates):
    """Dependents and their candidate heads; the root, which has none, is not looked at."""
    return [tuple(pair) for pair in candidates[0].nonzero().tolist() if pair[0] > 0]


# --- by hand: rows are dependents, columns heads, position 0 is the root


TREE = [
    [0.0, 0.0, 0.0, 0.0],
    [0.6, 0.0, 0.4, 0.00005],
    [0.3, 0.00002, 0.0, 0.7],
    [0.1, 0.5, 0.4, 0.0],
]


def test_heads_much_less_probable_than_the_best_are_pruned():
    candidates = HeadPruner(Posteriors(TREE), max_heads=10, min_ratio=1e-4)({})
    # Of 1, 0.00005 is below 0.6 / 10,000; of 2, the arc 1 -> 2 stays, since 1 is the token before.
    assert pairs(candidates) == [(1, 0), (1, 2), (2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2)]
    ratio = HeadPruner(Posteriors(TREE), max_heads=10, min_ratio=0.8)({})
    assert pairs(ratio) == [(1, 0), (2, 1), (2, 3), (3, 1), (3, 2)]  # 0.4 is just 0.8 * 0.5


def test_no_token_has_more_heads_than_the_best_ones_and_the_token_before():
    candidates = HeadPruner(Posteriors(TREE), max_heads=1, min_ratio=0.0)({})
    assert pairs(candidates) == [(1, 0), (2, 1), (2, 3), (3, 1), (3, 2)]


def test_there_is_a_tree_whatever_is_pruned():
    candidates = HeadPruner(Posteriors(torch.rand(7, 7).tolist()), 1, 1.0)({})
    scores = prune(torch.randn(1, 7, 7), candidates)
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(1, 7, dtype=torch.bool), scores.shape)
    best = structure.argmax(scores, mask)
    assert structure.contains(best, mask).all() and best.sum() == 6


def test_improbable_arguments_are_pruned_and_a_predicate_has_so_many_at_most():
    graph = [[0.0, 0.0, 0.0], [0.9, 0.0, 0.00009], [0.8, 0.0002, 0.0]]
    assert pairs(ArgumentPruner(Posteriors(graph))({})) == [(1, 0), (2, 0), (2, 1)]
    candidates = ArgumentPruner(Posteriors(graph), max_arguments=1, min_probability=0.5)({})
    assert pairs(candidates) == [(1, 0)]  # the root's best; 2 comes after it


def test_what_is_pruned_is_impossible_but_predicates_are_not_arcs():
    candidates = torch.tensor([[[False, False], [True, False]]])
    arcs = prune(torch.ones(1, 2, 2), candidates)
    assert arcs.tolist() == [[[-torch.inf, -torch.inf], [1.0, -torch.inf]]]
    labelled = prune(torch.ones(1, 2, 2, 1), candidates)
    assert labelled[..., 0].tolist() == [[[1.0, -torch.inf], [1.0, 1.0]]]
    assert prune(arcs, None) is arcs


@pytest.mark.parametrize(
    "kind, option, value",
    [
        (HeadPruner, "max_heads", 0),
        (HeadPruner, "max_heads", 2.5),
        (HeadPruner, "min_ratio", 1.5),
        (ArgumentPruner, "max_arguments", -1),
        (ArgumentPruner, "max_arguments", 2.5),
        (ArgumentPruner, "min_probability", -0.1),
    ],
)
def test_what_makes_no_sense_is_refused(kind, option, value):
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        kind(Posteriors(TREE), **{option: value})


def test_a_parser_without_probabilities_is_refused():
    parser = Posteriors(TREE)
    parser.structure = SemanticGraph()
    parser.structure._deterministic = [2]
    with pytest.raises(ConfigurationError, match="log_partition"):
        ArgumentPruner(parser)


def test_a_parser_that_needs_the_arcs_of_another_is_refused():
    parser = Posteriors(TREE)
    parser.arc_encoder = None
    ArgumentPruner(parser)
    parser.arc_encoder = ArcEncoder(input_dim=2)
    with pytest.raises(ConfigurationError, match="has an arc_encoder.*Train a semantic_parser"):
        ArgumentPruner(parser)


# --- in parsers


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Parsers of the same vocabulary as the model, trained for an epoch."""
    folder = tmp_path_factory.mktemp("pruners")
    for name in ("syntactic_parser", "semantic_parser"):
        overrides = {"model.loss": {"type": "log_likelihood"}}
        config = str(EXPERIMENTS / f"{name}.jsonnet")
        train_model_from_file(config, str(folder / name), json.dumps(overrides))
    return {name.name: str(name / "model.tar.gz") for name in folder.iterdir()}


class TestPruner(ParsingModelTestCase):
    experiment = "syntactic_then_semantic.jsonnet"

    def pruned(self, archives, **more):
        def part(kind, name, **options):
            parser = {"type": "pretrained", "archive_file": archives[name]}
            return {"type": kind, "parser": parser, **options}

        return {
            "model.syntactic_parser.pruner": part("heads", "syntactic_parser", max_heads=2),
            "model.semantic_parser.pruner": part("arguments", "semantic_parser", max_arguments=1),
            **more,
        }

    def test_it_trains_with_frozen_pruners_and_comes_back_from_its_archive(self, archives):
        config = str(EXPERIMENTS / self.experiment)
        folder = self.TEST_DIR / "pruned"
        model = train_model_from_file(config, str(folder), json.dumps(self.pruned(archives)))
        for name in ("syntactic_parser", "semantic_parser"):
            trained = load_archive(archives[name]).model.state_dict()
            inside = getattr(model, name).pruner._parser.state_dict()
            assert all(torch.equal(inside[key], trained[key]) for key in trained)
        metrics = json.loads((folder / "metrics.json").read_text())
        assert 0 < metrics["training_gold_arcs_pruned"] < 1
        assert 0 < metrics["validation_gold_arcs_pruned"] < 1
        assert 0 < metrics["training_gold_heads_pruned"] < 1
        assert 0 < metrics["validation_gold_heads_pruned"] < 1
        again = load_archive(str(folder / "model.tar.gz")).model
        parses = [
            parser.eval().forward_on_instances(self.instances[:2]) for parser in (model, again)
        ]
        for ours, theirs in zip(*parses, strict=True):
            assert ours["heads"] == theirs["heads"] and ours["arcs"] == theirs["arcs"]

    def test_nothing_but_candidates_is_predicted_or_gets_a_gradient(self, archives):
        model = self.build(self.pruned(archives))
        batch = self.batch(self.instances[:4], without=["heads", "relations"])
        parser = model.syntactic_parser
        candidates = parser.candidates(batch["tokens"])
        model.train()(**batch)["loss"].backward()
        assert gradient_norm(model.semantic_parser) > 0
        assert gradient_norm(model.syntactic_parser.pruner) == 0
        scores = model._arc_scores(batch["tokens"])
        assert (scores == -torch.inf).equal(~candidates)
        output = model.eval()(**batch)
        heads = output["heads"]
        assert candidates[:, 1:].gather(2, heads.unsqueeze(-1)).squeeze(-1)[output["mask"]].all()
        allowed = model.semantic_parser.candidates(batch["tokens"])
        assert not (output["graph"] != NO_ARC)[~allowed].any()

    def test_gold_arcs_are_candidates_in_training_and_counted(self, archives):
        model = self.build(self.pruned(archives))
        batch = self.batch(self.instances[:4], without=[])
        parser = model.semantic_parser
        gold = torch.nn.functional.pad(batch["graph"] != NO_ARC, (1, 0, 1, 0))
        candidates = parser.candidates(batch["tokens"])
        of_loss = parser.train().candidates_of_loss(candidates, gold)
        assert of_loss[gold].all() and of_loss[~gold].equal(candidates[~gold])
        missing = (gold & ~candidates).sum() / gold.sum()
        metric = parser.get_metrics(reset=True)["gold_arcs_pruned"]
        assert missing > 0 and metric == pytest.approx(missing.item())
        assert parser.eval().candidates_of_loss(candidates, gold).equal(candidates)

    def test_in_evaluation_pruned_gold_objects_are_left_out_of_the_loss(self, archives):
        model = self.build(self.pruned(archives)).eval()
        output = model(**self.batch(self.instances, without=[]))
        assert output["loss"].isfinite()
        metrics = model.get_metrics(reset=True)
        assert metrics["trees_outside_structure"] > 0
        assert metrics["graphs_outside_structure"] > 0

    @pytest.mark.parametrize("loss", ["hinge", "log_likelihood"])
    def test_scores_that_are_no_numbers_are_not_taken_for_pruned_ones(self, archives, loss):
        config = self.pruned(archives, **{"model.semantic_parser.loss": {"type": loss}})
        model = self.build(config).train()
        bias = model.semantic_parser._arc_scorer._from_dependent.bias
        torch.nn.init.constant_(bias, torch.nan)
        assert model(**self.batch(self.instances[:2], ["heads", "relations"]))["loss"].isnan()

    def test_a_tree_of_minimum_risk_has_candidates_alone(self, archives):
        parser = self.build(self.pruned(archives)).eval().syntactic_parser
        torch.nn.init.normal_(parser._arc_scorer._bilinear, 0.0, 0.5)
        tokens = self.batch(self.instances, without=[])["tokens"]
        with decoded_by(parser, Decoding(minimum_risk=True)), torch.no_grad():
            output = parser(tokens)
        of_heads = parser.candidates(tokens)[:, 1:].gather(2, output["heads"].unsqueeze(-1))
        assert of_heads.squeeze(-1)[output["mask"]].all()

    def test_a_pruner_that_leaves_all_changes_nothing(self, archives):
        everything = {"max_heads": 1000, "min_ratio": 0.0}
        of_graphs = {"max_arguments": 1000, "min_probability": 0.0}
        config = self.pruned(archives)
        config["model.syntactic_parser.pruner"].update(everything)
        config["model.semantic_parser.pruner"].update(of_graphs)
        batch = self.batch(self.instances[:4], without=[])
        pruned, whole = self.build(config).eval(), self.build({}).eval()
        whole.load_state_dict(pruned.state_dict(), strict=False)
        torch.testing.assert_close(pruned(**batch)["loss"], whole(**batch)["loss"])

    def test_a_model_that_is_no_parser_is_refused(self):
        params = Params({"type": "heads", "parser": deepcopy(TAGGER)})
        with pytest.raises(ConfigurationError, match="SimpleTagger"):
            Pruner.from_params(params, vocab=self.vocab)
