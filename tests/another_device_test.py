"""
What is computed on another device equals what the CPU computes without kernels, no operation is
given tensors of two devices, and nothing is copied to the CPU but by the operations named here.
"""

import itertools
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Batch, DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.nn.util import move_to_device
from torch import Tensor

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
    make_loss,
    make_projection,
    make_structure,
    named,
    works,
)
from tests.training_config_test import TINY

ROOT = Path(__file__).parents[1]
# A small model of each kind, and the three that read a sequence step by step.
CONFIGS = sorted((ROOT / "fixtures" / "experiments").glob("*.jsonnet")) + [
    ROOT / "training_config" / name / "sparse_attentive.jsonnet"
    for name in ("adding", "copying", "pixel_sequence")
]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def vectorised(monkeypatch) -> None:
    """Lets the CPU compute without kernels, as other devices do."""
    for name, module in list(sys.modules.items()):
        if name.startswith("spigot_allennlp.") and hasattr(module, "has_kernels"):
            monkeypatch.setattr(module, "has_kernels", lambda device: False)
    monkeypatch.setattr(invalid_scores, "answers_at_once", lambda device: False)
    monkeypatch.setattr(torch.func, "jvp", jvp_by_two_gradients)


def jvp_by_two_gradients(function: Callable, primals: Any, tangents: Any) -> Any:
    """Stands for `torch.func.jvp`, whose tensors a `TorchDispatchMode` does not see."""
    with torch.enable_grad():
        point = primals[0].detach().requires_grad_()
        value = function(point)
        weights = torch.zeros_like(value).requires_grad_()
        (gradient,) = torch.autograd.grad(value, point, weights, create_graph=True)
        (slope,) = torch.autograd.grad(gradient, weights, tangents[0])
    return value, slope


def check_devices_agree(
    compute: Callable[[torch.device], Dict[str, Tensor]], may_copy: bool = False
) -> None:
    """
    Checks that what `compute` makes of tensors on a device lies there, and has the values that it
    has on the CPU; and unless it `may_copy`, that nothing is copied to the CPU on the way.
    """
    expected = compute(CPU)
    with another_device() as copied:
        results = compute(DEVICE)
        assert may_copy or not copied
        for name, result in results.items():
            assert isinstance(result, ElsewhereTensor), name
            torch.testing.assert_close(
                result.detach().cpu(), expected[name].detach(), equal_nan=True, msg=name
            )


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


def solves_on_cpu(config: Dict[str, Any]) -> bool:
    """Tells whether the best object, or a sample, is found on the CPU on any device."""
    return config["type"] in ("matching", "non_projective_tree") or "deterministic_roles" in config


@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_the_best_object_and_samples(config):
    batch = make_batch(config, Place("cpu", False))

    def compute(device: torch.device) -> Dict[str, Tensor]:
        torch.manual_seed(0)
        structure, scores = make_structure(config), batch.scores.to(device)
        results = {"argmax": structure.argmax(scores, batch.mask.to(device))}
        if structure.provides("sample"):
            results["sample"] = structure.sample(scores, batch.mask.to(device))
        return results

    check_devices_agree(compute, may_copy=solves_on_cpu(config))


@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_sums_over_all_objects_and_their_derivatives(config):
    batch = make_batch(config, Place("cpu", False))
    if not batch.structure.provides("log_partition"):
        pytest.skip("no sums")

    def compute(device: torch.device) -> Dict[str, Tensor]:
        structure = make_structure(config)
        scores, mask = batch.scores.to(device).requires_grad_(), batch.mask.to(device)
        total = structure.log_partition(scores, mask)
        (slope,) = torch.autograd.grad(total.sum(), scores, create_graph=True)
        direction = scores.detach().nan_to_num()
        (curvature,) = torch.autograd.grad((slope * direction).sum(), scores)
        vertex = batch.objects[0].to(device).expand(scores.shape)
        both = structure.log_partition_and_marginals(scores, mask)
        return {
            "total": total,
            "slope": slope,
            "curvature": curvature,
            "marginals": structure.marginals(scores, mask),
            "both": both[0],
            "both_marginals": both[1],
            "entropy": structure.entropy(scores, mask),
            "log_prob": structure.log_prob(scores, mask, vertex),
            "contains": structure.contains(vertex, mask),
        }

    check_devices_agree(compute)


# Every structure with two estimators, and every estimator with three structures.
ALL_ESTIMATORS = ESTIMATORS + MORE_ESTIMATORS
THREE = [{"type": name} for name in ("chain", "non_projective_tree", "semantic_graph")]
TWO = [{"type": name} for name in ("spigot", "perturb_and_map")]
PAIRS = [
    *filter(works, itertools.product(ALL_STRUCTURES, TWO)),
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

    check_devices_agree(compute, solves_on_cpu(configs[0]) or "sparsemap" in configs[1].values())


@pytest.mark.parametrize("name", StructuredLoss.list_available())
@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_a_loss(config, name):
    batch = make_batch(config, Place("cpu", False))
    loss = make_loss(name, batch.structure)

    def compute(device: torch.device) -> Dict[str, Tensor]:
        scores = batch.scores.to(device).requires_grad_()
        gold = batch.objects[-1].to(device).expand(scores.shape)
        losses = loss(make_structure(config), scores, batch.mask.to(device), gold)
        (gradient,) = torch.autograd.grad(losses.sum(), scores)
        return {"losses": losses, "gradient": gradient}

    check_devices_agree(compute, may_copy=solves_on_cpu(config))


@pytest.mark.parametrize("name", Projection.list_available())
@pytest.mark.parametrize("config", ALL_STRUCTURES, ids=named)
def test_a_projection(config, name):
    batch = make_batch(config, Place("cpu", False))
    projection = make_projection(name, batch.structure)

    def compute(device: torch.device) -> Dict[str, Tensor]:
        structure = make_structure(config)
        origin = batch.objects[-1].to(device).expand(batch.scores.shape)
        step = origin - batch.scores.to(device)
        return {"moved": projection.projected_step(structure, origin, step, batch.mask.to(device))}

    check_devices_agree(compute, name == "sparsemap" or solves_on_cpu(config))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_model(path, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    params = Params.from_file(str(path))
    reader = DatasetReader.from_params(params["dataset_reader"])
    instances = list(itertools.islice(reader.read(params["train_data_path"]), 4))
    vocabulary = Vocabulary.from_params(params.get("vocabulary", Params({})), instances=instances)
    batch = Batch(instances)
    batch.index_instances(vocabulary)
    torch.manual_seed(0)
    model = Model.from_params(params["model"], vocab=vocabulary)

    def compute(device: torch.device) -> Dict[str, Tensor]:
        moved = deepcopy(model).to(device).eval()
        loss = moved(**move_to_device(batch.as_tensor_dict(), device))["loss"]
        loss.backward()
        gradients = {name: weights.grad for name, weights in moved.named_parameters()}
        return {"loss": loss, **{name: it for name, it in gradients.items() if it is not None}}

    check_devices_agree(compute, may_copy=True)
    with another_device():
        tensors = move_to_device(batch.as_tensor_dict(), DEVICE)
        moved = model.to(DEVICE)
        moved.eval().make_output_human_readable(moved(**tensors))
        moved.get_metrics(reset=True)
        optimizer = torch.optim.Adam(moved.parameters())
        loss = moved.train()(**tensors)["loss"]
        loss.backward()
        optimizer.step()
        assert isinstance(loss, ElsewhereTensor) and loss.isfinite()
        moved.get_metrics(reset=True)
