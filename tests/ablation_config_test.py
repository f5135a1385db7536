"""The variants that we ship for `allennlp ablate`, each built with the config that it is for."""

import copy
import functools
from pathlib import Path

import pytest
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator

FOLDER = Path(__file__).parents[1] / "training_config"
BASES = {
    f"latent_classifier_{count}_clusters{length}.libsonnet": f"latent_classifier/{count}_clusters"
    for count in ("three", "ten")
    for length in ("", "_short")
}
BASES["estimators.libsonnet"] = "latent_classifier/three_clusters"
OF_ESTIMATORS = list(BASES)
BASES["copying.libsonnet"] = "copying/sparse_attentive"
BASES["given_trees.libsonnet"] = "semantic_parser/given_tree"


@functools.cache
def plan_of(file: str):
    axes = read_axes([], str(FOLDER / "ablations" / file))
    return make_plan(str(FOLDER / f"{BASES[file]}.jsonnet"), axes, seeds=[1])


def test_every_file_of_variants_has_a_base():
    assert {file.name for file in (FOLDER / "ablations").iterdir()} == set(BASES)


@pytest.mark.parametrize("file", OF_ESTIMATORS)
def test_every_estimator_is_a_variant(file):
    configs = [variant.config for variant in plan_of(file).variants.values()]
    names = {config["model"]["argmax"]["estimator"]["type"] for config in configs}
    assert names == set(GradientEstimator.list_available())


@pytest.mark.parametrize("file", BASES)
def test_every_variant_can_be_built(file):
    vocab = Vocabulary()
    for label in "01":
        vocab.add_token_to_namespace(label, "labels")
    for symbol in range(10):
        vocab.add_token_to_namespace(str(symbol), "tokens")
    vocab.add_token_to_namespace("ARG1", "semantic_roles")
    for variant in plan_of(file).variants.values():
        Model.from_params(Params(copy.deepcopy(variant.config["model"])), vocab=vocab)


def test_in_a_short_run_learning_rate_times_steps_is_that_of_a_long_one():
    def paths(length):
        variants = plan_of(f"latent_classifier_ten_clusters{length}.libsonnet").variants
        trainers = {name: variant.config["trainer"] for name, variant in variants.items()}
        return {name: t["num_epochs"] * t["optimizer"]["lr"] for name, t in trainers.items()}

    assert paths("_short") == pytest.approx(paths(""))
