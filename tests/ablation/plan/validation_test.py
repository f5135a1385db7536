from typing import Dict, List, Optional

import pytest
from allennlp.common import FromParams, Lazy
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.ablation.plan.validation import config_error
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.structure import Structure


def config(structure, estimator, **model):
    layer = {"structure": structure, "estimator": estimator}
    return {"model": {"type": "latent_tree_classifier", "argmax": layer, **model}}


@pytest.mark.parametrize("estimator", ["pipeline", {"type": "spigot", "step_size": 0.5}])
def test_a_pair_that_makes_sense_is_not_refused(estimator):
    assert config_error(config("projective_tree", estimator)) is None


@pytest.mark.parametrize(
    "structure, estimator, reason",
    [
        ("projective_tree", "spigto", "model.argmax: spigto not in acceptable choices"),
        ("tree", "spigot", "model.argmax: tree not in acceptable choices"),
        ("chain", "spigot", "model.argmax: Spigot needs projected_step, which Chain"),
        ("chain", {"type": "spigot", "step_size": -1}, "step_size must be positive"),
        ("chain", {"type": "spigot", "step": 1}, "Extra parameters passed to Spigot: {'step': 1}"),
    ],
)
def test_a_layer_that_cannot_be_built_is_refused_with_its_place(structure, estimator, reason):
    assert reason in config_error(config(structure, estimator))


def test_a_layer_is_found_however_deep():
    inner = config("chain", "spigot")["model"]
    assert config_error(config("chain", "pipeline", parts=[{"x": inner}])).startswith(
        "model.parts.0.x.argmax: "
    )


def test_a_model_that_nobody_registered_is_refused():
    assert "model: 'mdoel' is not a registered name" in config_error({"model": {"type": "mdoel"}})


def test_the_config_is_left_as_it_is():
    original = config("projective_tree", {"type": "spigot"})
    config_error(original)
    assert original == config("projective_tree", {"type": "spigot"})


ROLES = {"type": "semantic_graph", "deterministic_roles": ["ARG1", "ARG2"]}


def graphs(structure, estimator):
    layer = {"structure": structure, "estimator": estimator}
    return {"model": {"type": "semantic_then_sentiment", "argmax": layer}}


def test_deterministic_roles_need_no_vocabulary_to_be_planned():
    assert config_error(graphs(ROLES, "spigot")) is None


def test_what_deterministic_roles_cannot_do_is_refused():
    reason = config_error(graphs(ROLES, "structured_attention"))
    assert reason.startswith("model.argmax: StructuredAttention needs marginals, which Semantic")
    assert "implement log_partition" in reason


def test_an_option_that_a_layer_has_not_is_refused():
    layer = {"structure": "projective_tree", "estimator": "spigot", "estimate": 1}
    model = {"type": "latent_tree_classifier", "argmax": layer}
    assert "model.argmax: Extra parameters" in config_error({"model": model})


def test_a_layer_without_its_estimator_is_refused():
    model = {"type": "latent_tree_classifier", "argmax": {"structure": "chain"}}
    assert 'model.argmax: key "estimator" is required' in config_error({"model": model})


class ScaledLayer(StructuredArgmaxLayer):
    """A layer with an option more, and one that may be left out."""

    def __init__(self, estimator: GradientEstimator, structure: Structure = None, scale: int = 1):  # noqa: RUF013
        super().__init__(structure or ProjectiveTree(), estimator)


class Part(FromParams):
    def __init__(self, layer: Optional[ScaledLayer] = None) -> None:
        pass


class Pair(FromParams):
    def __init__(self, structure: str, estimator: str) -> None:
        pass


@Model.register("model_of_the_validation_test")
class NestingModel(Model):
    def __init__(
        self,
        vocab: Vocabulary,
        parts: Optional[List[Lazy[Part]]] = None,
        named: Optional[Dict[str, StructuredArgmaxLayer]] = None,
        lazy: Optional[Lazy[ScaledLayer]] = None,
        pair: Optional[Pair] = None,
    ) -> None:
        super().__init__(vocab)


@pytest.mark.parametrize(
    "place, parameters",
    [
        ("lazy", lambda layer: {"lazy": {**layer, "scale": 2}}),
        ("parts.1.layer", lambda layer: {"parts": [{}, {"layer": layer}]}),
        ("named.a", lambda layer: {"named": {"a": {"structure": "chain", **layer}}}),
    ],
)
def test_a_layer_is_known_by_the_constructor_around_it(place, parameters):
    def reason(layer):
        model = {"type": "model_of_the_validation_test", **parameters(layer)}
        return config_error({"model": model})

    assert reason({"estimator": "pipeline"}) is None
    assert reason({"estimator": "spigto"}).startswith(f"model.{place}: spigto not in")


def test_what_is_no_layer_may_have_its_keys():
    pair = {"structure": "wood", "estimator": "guess"}
    model = {"type": "model_of_the_validation_test", "pair": pair}
    assert config_error({"model": model}) is None
