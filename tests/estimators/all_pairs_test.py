"""
Every estimator with every structure: what is registered is tested, or refused in words that name
both.
"""

import gc
import itertools
import weakref
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from torch import BoolTensor, Tensor

from spigot_allennlp import estimators, structures  # noqa: F401  (registers them)
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.structure import Structure


class OracleOnly(Structure):
    """Knows its argmax and nothing else: what the least of all structures can be used with."""

    def part_mask(self, mask, shape):
        return mask

    def argmax(self, scores, mask):
        return Categorical().argmax(scores, mask)


Shape = Callable[[BoolTensor], Tuple[int, ...]]


def arcs(token_mask: BoolTensor) -> Tuple[int, ...]:
    return (*token_mask.shape, token_mask.size(1))


# Of structures whose scores are not `(batch_size, length, length)`.
SHAPES: Dict[str, Shape] = {
    "alignment": lambda token_mask: (*token_mask.shape, 3),
    "categorical": lambda token_mask: tuple(token_mask.shape),
    "chain": lambda token_mask: (*token_mask.shape, 3, 3),
    "matching": lambda token_mask: (*token_mask.shape, 3),
    "OracleOnly": lambda token_mask: tuple(token_mask.shape),
    "predicate_graph": lambda token_mask: (*arcs(token_mask), 3),
    "semantic_graph": lambda token_mask: (*arcs(token_mask), 3),
    "subset": lambda token_mask: tuple(token_mask.shape),
}
# Options without a default.
REQUIRED: Dict[str, Dict[str, Any]] = {"subset": {"k": 2}}
# What else than the default configuration is worth a row or a column of its own.
MORE_STRUCTURES: List[Dict[str, Any]] = [
    {"type": "projective_tree", "single_root": False},
    {"type": "non_projective_tree", "single_root": False},
]
MORE_ESTIMATORS: List[Dict[str, Any]] = [
    {"type": "spigot", "projection": "identity"},
    {"type": "spigot", "projection": "sparsemap"},
    {"type": "spigot", "num_steps": 2},
    {"type": "spigot", "max_step_norm": 0.1},
    {"type": "spigot_ce", "projection": "sparsemap"},
    {"type": "spigot_ce", "num_steps": 2},
    {"type": "spigot_eg", "num_steps": 2},
    {"type": "identity_with_projection", "center": False},
    {"type": "implicit_mle", "adaptive": {}, "symmetric": True},
    {"type": "implicit_mle", "noise": {"type": "gumbel", "scale": 0.0}},
    {"type": "perturbed", "noise": "gumbel"},
    {"type": "perturbed", "num_samples": 1},
    {"type": "reinforce", "num_samples": 4},
    {"type": "straight_through", "max_step_norm": 0.1},
    {"type": "straight_through_marginals", "max_step_norm": 0.1},
    {"type": "structured_attention", "temperature": 0.5},
]


def described(config: Dict[str, Any]) -> str:
    return ", ".join([config["type"], *(f"{k} {v}" for k, v in config.items() if k != "type")])


def with_defaults(registry, more: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    names = registry.list_available()
    return [{"type": name, **REQUIRED.get(name, {})} for name in names] + more


STRUCTURES = with_defaults(Structure, MORE_STRUCTURES) + [{"type": "OracleOnly"}]
ESTIMATORS = with_defaults(GradientEstimator, MORE_ESTIMATORS)


@dataclass
class Pair:
    """A structure with an estimator, and a small model around them."""

    structure: Structure
    estimator: GradientEstimator
    shape: Shape

    def layer(self) -> StructuredArgmaxLayer:
        # What an estimator has learnt, a baseline say, does not go on to the next run.
        return StructuredArgmaxLayer(self.structure, deepcopy(self.estimator))

    def batch(self, padding: int = 0, copies: int = 1) -> Tuple[Tensor, BoolTensor, Tensor]:
        """Scores, token mask and what the downstream loss is drawn to."""
        lengths = torch.tensor([4, 2, 3, 1])
        token_mask = torch.arange(4) < lengths.unsqueeze(1)
        generator = torch.Generator().manual_seed(21)
        scores, target = torch.randn(2, *self.shape(token_mask), generator=generator)
        wide_mask = torch.nn.functional.pad(token_mask, (0, padding))
        tensors = [padded(tensor, self.shape(wide_mask)) for tensor in (scores, target)]
        scores, target = (tensor.repeat(copies, *[1] * (tensor.dim() - 1)) for tensor in tensors)
        return scores, wide_mask.repeat(copies, 1), target

    def run(
        self,
        training: bool = True,
        seed: int = 0,
        scale: float = 1.0,
        reward: bool = False,
        **batch,
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """
        The value, its gradient at the scores times the batch size, and the legal parts. The loss is
        multiplied by `scale`; or its negative is a `reward`, which is maximised.
        """
        torch.manual_seed(seed)
        scores, token_mask, target = self.batch(**batch)
        layer, leaf = self.layer().train(training), scores.requires_grad_()
        sign = -1 if reward else 1

        def downstream(value: Tensor) -> Tensor:
            # Objects differ in it, and its gradient depends on where it is taken.
            return sign * ((value - target) ** 2).flatten(1).sum(dim=1)

        latent = layer(leaf, token_mask, downstream)
        losses = latent.losses()
        loss = sign * scale * (losses.mean() + layer.auxiliary_loss(latent, losses))
        (gradient,) = torch.autograd.grad(loss + 0 * leaf.sum(), leaf)
        mask = self.structure.part_mask(token_mask, scores.shape).expand(scores.shape)
        return latent.value.detach(), gradient * len(scores), mask

    def is_random(self) -> bool:
        first, *others = [self.run(seed=seed) for seed in range(1, 7)]
        return not all(
            torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True)
        )


def padded(tensor: Tensor, shape: Tuple[int, ...]) -> Tensor:
    """
    `tensor` in the first corner of a larger one, whose other places hold what must not be looked
    at.
    """
    result = torch.full(shape, 77.0)
    result[tuple(slice(0, size) for size in tensor.shape)] = tensor
    return result


def make_pair(structure: Dict[str, Any], estimator: Dict[str, Any]) -> Pair:
    made = (
        OracleOnly()
        if structure["type"] == "OracleOnly"
        else Structure.from_params(Params(deepcopy(structure)))
    )
    shape = SHAPES.get(structure["type"], arcs)
    return Pair(made, GradientEstimator.from_params(Params(deepcopy(estimator))), shape)


def refusal_of(pair: Pair) -> Optional[str]:
    try:
        pair.layer()
    except ConfigurationError as error:
        return str(error)
    return None


def named(configs: Tuple[Dict[str, Any], Dict[str, Any]]) -> str:
    return " x ".join(map(described, configs))


PAIRS = list(itertools.product(STRUCTURES, ESTIMATORS))
REFUSED = [configs for configs in PAIRS if refusal_of(make_pair(*configs)) is not None]
WORKING = [configs for configs in PAIRS if configs not in REFUSED]


@pytest.fixture(params=WORKING, ids=named)
def pair(request) -> Pair:
    return make_pair(*request.param)


@pytest.mark.parametrize("configs", REFUSED, ids=named)
def test_a_pair_that_cannot_work_is_refused_by_both_names(configs):
    pair = make_pair(*configs)
    refusal = refusal_of(pair)
    assert type(pair.structure).__name__ in refusal and type(pair.estimator).__name__ in refusal
    assert "Choose another estimator" in refusal


def test_a_refused_projection_names_the_one_that_asks_for_nothing():
    pair = make_pair({"type": "chain"}, {"type": "spigot"})
    assert "projection: 'sparsemap'" in str(refusal_of(pair))


def test_gradient_is_finite_and_zero_on_illegal_parts(pair):
    value, gradient, mask = pair.run()
    assert gradient.isfinite().all() and value.isfinite().all()
    assert not gradient[~mask].any() and not value[~mask].any()


def test_padding_changes_nothing(pair):
    if pair.is_random():
        pytest.skip("draws other noise for other shapes")
    for plain, wide in zip(pair.run(), pair.run(padding=2), strict=True):
        corner = tuple(slice(0, size) for size in plain.shape)
        torch.testing.assert_close(wide[corner], plain)
        assert wide.sum() == pytest.approx(plain.sum().item(), abs=1e-5)


def test_repeating_the_batch_changes_no_instance(pair):
    if pair.is_random():
        pytest.skip("draws other noise for other shapes")
    for once, thrice in zip(pair.run(), pair.run(copies=3), strict=True):
        torch.testing.assert_close(thrice, once.repeat(3, *[1] * (once.dim() - 1)))


@pytest.mark.parametrize("scale", [2.0**16, 1 / 8], ids=["loss scale", "accumulated batches"])
def test_what_multiplies_the_loss_multiplies_the_gradient_and_changes_nothing_else(pair, scale):
    value, gradient, _ = pair.run()
    same_value, scaled, _ = pair.run(scale=scale)
    assert torch.equal(value, same_value)
    torch.testing.assert_close(scaled / scale, gradient)


def test_a_reward_that_is_maximised_is_the_negative_of_a_loss(pair):
    value, gradient, _ = pair.run()
    same_value, rewarded, _ = pair.run(reward=True)
    assert torch.equal(value, same_value)
    torch.testing.assert_close(rewarded, gradient)


def test_a_graph_that_was_differentiated_is_freed_whatever_downstream_keeps():
    def step(pair: Pair) -> "weakref.ref[Tensor]":
        scores, token_mask, target = pair.batch()
        leaf, layer, kept = scores.requires_grad_(), pair.layer(), {}

        def downstream(value: Tensor) -> Tensor:
            kept["squares"] = (value - target) ** 2  # to be looked at afterwards, say
            return kept["squares"].flatten(1).sum(dim=1)

        latent = layer(leaf * 2, token_mask, downstream)
        losses = latent.losses()
        (losses.mean() + layer.auxiliary_loss(latent, losses) + 0 * leaf.sum()).backward()
        return weakref.ref(target)

    references = {named(configs): step(make_pair(*configs)) for configs in WORKING}
    gc.collect()
    assert [name for name, reference in references.items() if reference() is not None] == []


def test_at_test_time_the_value_is_the_argmax_unless_relaxed(pair):
    scores, token_mask, _ = pair.batch()
    mask = pair.structure.part_mask(token_mask, scores.shape)
    value, gradient, _ = pair.run(training=False)
    if pair.estimator.relaxed:
        torch.testing.assert_close(value, pair.run(training=True)[0])
    else:
        assert torch.equal(value, pair.structure.argmax(scores, mask))
        assert not gradient.any()


def test_a_model_under_autocast_gets_finite_gradients(pair):
    torch.manual_seed(0)
    scores, token_mask, target = pair.batch()
    weight = torch.nn.Parameter(torch.eye(scores.size(-1)))
    readout = torch.nn.Linear(scores.size(-1), 1)
    layer = pair.layer()

    def downstream(value: Tensor) -> Tensor:
        return readout(value * target).flatten(1).sum(dim=1).square()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        latent = layer(scores @ weight, token_mask, downstream)
        assert latent.value.dtype == torch.bfloat16
        losses = latent.losses()
        loss = losses.mean() + layer.auxiliary_loss(latent, losses)
    loss.backward()
    assert weight.grad is None or weight.grad.isfinite().all()
    assert readout.weight.grad.isfinite().all() and readout.weight.grad.any()


def test_table_of_which_pairs_train(capsys):
    rows = [["", *map(described, STRUCTURES)]]
    rows += [[described(e), *(outcome(make_pair(s, e)) for s in STRUCTURES)] for e in ESTIMATORS]
    with capsys.disabled():
        print_table(rows)
    cells = {
        (row[0], column): cell
        for row in rows[1:]
        for column, cell in zip(rows[0], row, strict=True)
    }
    assert cells["spigot", "projective_tree"] == "trains"
    assert cells["pipeline", "projective_tree"] == "no gradient"
    assert cells["spigot", "OracleOnly"] == "refused"
    assert cells["spigot", "chain"] == "refused"
    assert cells["spigot, projection sparsemap", "chain"] == "trains"
    assert cells["structured_attention", "chain"] == "trains"
    assert cells["spigot", "subset, k 2"] == "trains"
    assert cells["spigot", "alignment"] == "refused"
    assert cells["reinforce", "alignment"] == "trains"
    assert cells["spigot", "matching"] == cells["reinforce", "matching"] == "refused"
    assert cells["spigot, projection sparsemap", "matching"] == "trains"
    assert cells["perturbed", "matching"] == "trains"
    assert cells["spigot, projection identity", "OracleOnly"] == "trains"


def print_table(rows: List[List[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def outcome(pair: Pair) -> str:
    if refusal_of(pair) is not None:
        return "refused"
    learns = any(pair.run(seed=seed)[1].any() for seed in range(5))
    return "trains" if learns else "no gradient"


def test_the_reference_shows_the_same_table():
    lines = (
        (Path(__file__).parents[2] / "docs" / "reference.md")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    header = next(row for row in rows if row[0] == "estimator")
    shown = {
        row[0].strip("`"): dict(zip(header, row, strict=True))
        for row in rows
        if len(row) == len(header)
    }
    columns = Structure.list_available()
    for estimator in GradientEstimator.list_available():
        outcomes = [
            outcome(
                make_pair({"type": structure, **REQUIRED.get(structure, {})}, {"type": estimator})
            )
            for structure in columns
        ]
        words = {"trains": "yes", "refused": "refused", "no gradient": "none"}
        assert [shown[estimator][f"`{structure}`"] for structure in columns] == [
            words[result] for result in outcomes
        ]
