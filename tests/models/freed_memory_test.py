"""Checks that no training keeps the graphs of its batches: its memory would only grow."""

import gc
import json

import pytest
import torch
from allennlp.commands.train import train_model_from_file

from tests.models.parsing_model_case import EXPERIMENTS

# "spigot_ce" runs the rest of the model again in the backward pass.
WITH_AN_ESTIMATOR = ("syntactic_then_semantic", "latent_classifier", "latent_tree_classifier")
TRAININGS = [
    *((name, estimator) for name in WITH_AN_ESTIMATOR for estimator in ("spigot", "spigot_ce")),
    *((name, None) for name in ("semantic_parser", "syntactic_parser")),
    *((name, None) for name in ("step_classifier", "spiking_classifier")),
]


def tensors_of_graphs() -> int:
    gc.collect()
    return sum(type(one) is torch.Tensor and one.grad_fn is not None for one in gc.get_objects())


@pytest.mark.parametrize("name, estimator", TRAININGS)
def test_no_graph_outlives_a_training(name, estimator, tmp_path):
    overrides = {} if estimator is None else {"model.argmax.estimator": estimator}
    before = tensors_of_graphs()
    train_model_from_file(
        str(EXPERIMENTS / f"{name}.jsonnet"), str(tmp_path / "run"), json.dumps(overrides)
    )
    assert tensors_of_graphs() == before
