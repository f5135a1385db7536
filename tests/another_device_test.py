"""
What is computed on another device than the processor equals what the processor computes without
kernels, and no operation meets tensors of two devices. What is copied to the processor on purpose
is listed.
"""

import itertools
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.nn.util import move_to_device
from torch import Tensor

from spigot_allennlp.estimators import problem
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.nn import invalid_scores
from spigot_allennlp.projections.projection import Projection
from tests.another_device import DEVICE, ElsewhereTensor, MixedDevices, another_device
from tests.scores_contract_test import (
    ALL_STRUCTURES,
    ESTIMATORS,
    MORE_ESTIMATORS,
    Place,
    make_batch,
    make_estimator,
    make_structure,
    named,
    works,
)

EXPERIMENTS = sorted((Path(__file__).parents[1] / "fixtures" / "experiments").glob("*.jsonnet"))
PROCESSOR = torch.device("cpu")


@pytest.fixture(autouse=True)
def vectorised(monkeypatch) -> None:
    """Lets the processor compute without kernels, as other devices do."""
    for name, module in list(sys.modules.items()):
        if name.startswith("spigot_allennlp.nn.") and hasattr(module, "has_kernels"):
            monkeypatch.setattr(module, "has_kernels", lambda device: False)
    monkeypatch.setattr(invalid_scores, "answers_at_once", lambda device: False)
    monkeypatch.setattr(torch.func, "jvp", jvp_by_two_gradients)
    monkeypatch.setattr(problem, "_autocast_as_now", lambda device: nullcontext())


def jvp_by_two_gradients(function: Callable, primals: Any, tangents: Any) -> Any:
    """Stands for `torch.func.jvp`, whose tensors a `TorchDispatchMode` does not see."""
    with torch.enable_grad():
        point = primals[0].detach().requires_grad_()
        value = function(point)
        weights = torch.zeros_like(value).requires_grad_()
        (gradient,) = torch.autograd.grad(value, point, weights, create_graph=True)
        (slope,) = torch.autograd.grad(gradient, weights, tangents[0])
    return value, slope


def check_devices_agree(compute: Callable[[torch.device], Dict[str, Tensor]]) -> List[torch.Size]:
    """
    `compute` returns tensors that it has computed from tensors on a device: they lie there, and
    have the values that they have on the processor. Returns the shapes of what was copied to the
    processor on the way.
    """
    expected = compute(PROCESSOR)
    with another_device() as copied:
        results = compute(DEVICE)
        on_the_way = list(copied)
        for name, result in results.items():
            assert isinstance(result, ElsewhereTensor), name
            torch.testing.assert_close(
                result.detach().cpu(), expected[name].detach(), equal_nan=True, msg=name
            )
    return on_the_way


def test_the_device_keeps_the_rules_of_devices():
    here = torch.randn(3, 4)
    with another_device() as copied:
        there = here.to(DEVICE)
        for mixed in (
            lambda: there + here,
            lambda: torch.cat([there, here]),
            lambda: there.add_(here),
        ):
            with pytest.raises(MixedDevices, match=r"\(3, 4\)"):
                mixed()
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()
        assert (there * torch.tensor(2.0)).device == there[[0, 2]].device == DEVICE
        there[1] = 0
        view = there[2:]
        view += 1
        assert not copied
        moved = there.cpu()
        assert copied == [(3, 4)]
    assert torch.equal(moved, torch.stack([here[0], torch.zeros(4), here[2] + 1]))


def solves_on_processor(config: Dict[str, Any]) -> bool:
    """Tells whether the best object, or a sample, is found on the processor on any device."""
    return config["type"] in ("matching", "non_projective_tree") or "deterministic_roles" in config


@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_the_operations_of_a_structure(config):
    batch = make_batch(config, Place("cpu", False))

    def compute(device: torch.device) -> Dict[str, Tensor]:
        torch.manual_seed(0)
        structure = make_structure(config)
        scores, mask = batch.scores.to(device).requires_grad_(), batch.mask.to(device)
        results = {"argmax": structure.argmax(scores, mask)}
        results["contains"] = structure.contains(results["argmax"], mask)
        if structure.provides("sample"):
            results["sample"] = structure.sample(scores, mask)
        if structure.provides("projected_step"):
            results["projected_step"] = structure.projected_step(results["argmax"], scores, mask)
        if structure.provides("log_partition"):
            total = structure.log_partition(scores, mask)
            (slope,) = torch.autograd.grad(total.sum(), scores, create_graph=True)
            direction = scores.detach().nan_to_num()
            (curvature,) = torch.autograd.grad((slope * direction).sum(), scores)
            marginals = structure.marginals(scores, mask)
            entropy = structure.entropy(scores, mask)
            results.update(
                total=total, slope=slope, curvature=curvature, marginals=marginals, entropy=entropy
            )
        return results

    copied = check_devices_agree(compute)
    assert solves_on_processor(config) or not copied


# Every structure with two estimators, and every estimator with three structures.
ALL_ESTIMATORS = ESTIMATORS + MORE_ESTIMATORS
THREE = [{"type": name} for name in ("chain", "non_projective_tree", "semantic_graph")]
TWO = [{"type": name} for name in ("spigot", "perturb_and_map")]
PAIRS = [
    *filter(
        works, itertools.product(ALL_STRUCTURES, [{"type": "spigot"}, {"type": "perturb_and_map"}])
    ),
    *filter(works, itertools.product(THREE, ALL_ESTIMATORS)),
]


@pytest.mark.parametrize("configs", PAIRS, ids=named)
def test_a_training_step_with_each_estimator(configs):
    batch = make_batch(configs[0], Place("cpu", False), torch.float32)

    def compute(device: torch.device) -> Dict[str, Tensor]:
        torch.manual_seed(0)
        layer = StructuredArgmaxLayer(make_structure(configs[0]), make_estimator(configs[1]))
        layer = layer.to(device).train()
        scores = batch.scores.to(device).requires_grad_()
        target = torch.linspace(-1, 1, scores.numel(), device=device).view_as(scores)

        def downstream(value: Tensor) -> Tensor:
            return (value.nan_to_num() ** 2 + value * target).flatten(1).sum(dim=1)

        latent = layer(scores, batch.token_mask.to(device), downstream)
        losses = latent.losses()
        loss = losses.mean() + layer.auxiliary_loss(latent, losses)
        loss = loss + 0 * scores.masked_fill(scores.abs() == torch.inf, 0).sum()
        (gradient,) = torch.autograd.grad(loss, scores)
        return {"value": latent.value, "gradient": gradient}

    check_devices_agree(compute)


@pytest.mark.parametrize("name", StructuredLoss.list_available())
@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_a_loss(config, name):
    batch = make_batch(config, Place("cpu", False))
    loss = StructuredLoss.from_params(Params({"type": name}))
    if not all(map(batch.structure.provides, loss.requires)):
        pytest.skip("refused")

    def compute(device: torch.device) -> Dict[str, Tensor]:
        scores = batch.scores.to(device).requires_grad_()
        gold = batch.objects[-1].to(device).expand(scores.shape)
        losses = loss(make_structure(config), scores, batch.mask.to(device), gold)
        (gradient,) = torch.autograd.grad(losses.sum(), scores)
        return {"losses": losses, "gradient": gradient}

    check_devices_agree(compute)


@pytest.mark.parametrize("name", Projection.list_available())
@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_a_projection(config, name):
    batch = make_batch(config, Place("cpu", False))
    projection = Projection.from_params(Params({"type": name}))
    if not all(map(batch.structure.provides, projection.requires)):
        pytest.skip("refused")
    try:
        projection.check(batch.structure)
    except ConfigurationError:
        pytest.skip("refused")

    def compute(device: torch.device) -> Dict[str, Tensor]:
        structure = make_structure(config)
        origin = batch.objects[-1].to(device).expand(batch.scores.shape)
        step = origin - batch.scores.to(device)
        return {"moved": projection.projected_step(structure, origin, step, batch.mask.to(device))}

    check_devices_agree(compute)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_a_training_step_and_the_outputs_of_a_model(path):
    params = Params.from_file(str(path))
    reader = DatasetReader.from_params(params["dataset_reader"])
    instances = list(itertools.islice(reader.read(params["train_data_path"]), 6))
    vocabulary = Vocabulary.from_params(params.get("vocabulary", Params({})), instances=instances)
    batch = Batch(instances)
    batch.index_instances(vocabulary)
    tensors = batch.as_tensor_dict()
    torch.manual_seed(0)
    model = Model.from_params(params["model"], vocab=vocabulary)
    expected = model.eval()(**tensors)["loss"]
    with another_device():
        model.to(DEVICE)
        tensors = move_to_device(tensors, DEVICE)
        found = model(**tensors)["loss"]
        torch.testing.assert_close(found.detach().cpu(), expected.detach())
        model.make_output_human_readable(model(**tensors))
        model.get_metrics(reset=True)
        optimizer = torch.optim.Adam(model.parameters())
        loss = model.train()(**tensors)["loss"]
        loss.backward()
        optimizer.step()
        assert isinstance(loss, ElsewhereTensor) and loss.isfinite()
        model.get_metrics(reset=True)
