"""What a config names is an object in Python: a name there is refused, with the way out."""

import importlib

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.implicit_mle import ImplicitMLE
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical

TAKES = {"projection": "sparsemap", "noise": "normal"}


@pytest.mark.parametrize("name", GradientEstimator.list_available())
def test_a_name_is_refused_and_the_advice_works(name):
    estimator = GradientEstimator.by_name(name)
    parameters = estimator.__init__.__annotations__.keys() & TAKES.keys()
    for parameter in parameters:
        with pytest.raises(
            ConfigurationError, match=f"{parameter} must be of type .* but found"
        ) as info:
            estimator(**{parameter: TAKES[parameter]})
        module, _, advised = str(info.value).rstrip(".").rpartition(" ")[2].rpartition(".")
        estimator(**{parameter: getattr(importlib.import_module(module), advised)()})


def test_a_name_that_is_not_registered_is_told_the_registered_ones():
    with pytest.raises(ConfigurationError, match="'sparsemapp'.*registered names.*'sparsemap'"):
        Spigot(projection="sparsemapp")


def test_the_layer_and_the_adaptive_step_refuse_names_too():
    with pytest.raises(ConfigurationError, match="structure must be .*ProjectiveTree"):
        StructuredArgmaxLayer("projective_tree", Pipeline())
    with pytest.raises(ConfigurationError, match="estimator must be .*Spigot"):
        StructuredArgmaxLayer(Categorical(), "spigot")
    with pytest.raises(ConfigurationError, match="adaptive must be of type AdaptiveStep"):
        ImplicitMLE(adaptive=0.9)
