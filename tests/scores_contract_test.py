"""
One rule for all that is registered: minus infinity means "impossible" and is exact in value and
gradient; NaN and plus infinity on a legal part give NaN for that instance alone; what stands on
illegal parts does not matter; and where no object is possible nothing is chosen and nothing moves.

Every structure, with every estimator, loss and projection, meets a batch that holds all of it, and
is compared with the list of all its objects, which follows from `Structure.contains`.
"""

import itertools
import sys
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Tuple

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.nn import invalid_scores
from spigot_allennlp.projections.projection import Projection
from spigot_allennlp.structures.structure import Structure
from tests.estimators.all_pairs_test import (
    ESTIMATORS,
    SHAPES,
    STRUCTURES,
    OracleOnly,
    arcs,
    described,
)

VOCABULARY = Vocabulary(non_padded_namespaces=["semantic_roles"])
for role in ("TOP", "ARG1", "ARG2"):
    VOCABULARY.add_token_to_namespace(role, "semantic_roles")

MORE_STRUCTURES: List[Dict[str, Any]] = [
    {"type": "semantic_graph", "deterministic_roles": ["ARG1"]},
    {"type": "categorical", "one_for_each": "token"},
]
MORE_ESTIMATORS: List[Dict[str, Any]] = [
    {"type": "implicit_mle", "alpha": 0.0},
    {"type": "perturb_and_map", "noise": "sum_of_gamma"},
    {"type": "stochastic_softmax", "noise": "sum_of_gamma"},
]

# The instances of the batch.
VALID, NAN, ALSO_VALID, PLUS_INFINITY, SOME_IMPOSSIBLE = range(5)
ALL_IMPOSSIBLE, RUBBISH, ENDLESS_GRADIENT, BOTH_INFINITIES, NO_LAST = range(5, 10)
NUM_INSTANCES = 10
INVALID = [NAN, PLUS_INFINITY, BOTH_INFINITIES]
OTHERS = [index for index in range(NUM_INSTANCES) if index not in INVALID]
# The last of four positions is padding.
LENGTH, NUM_POSITIONS = 3, 4


class Place(NamedTuple):
    """Where to compute: on a device, with kernels or without."""

    device: str
    with_kernels: bool


PLACES = [Place("cpu", True), Place("cpu", False)]
if torch.cuda.is_available():
    PLACES.append(Place("cuda", False))


@pytest.fixture(params=PLACES, ids=["kernels", "vectorised", "cuda"][: len(PLACES)])
def place(request, monkeypatch) -> Place:
    if not request.param.with_kernels:
        for name, module in list(sys.modules.items()):
            if name.startswith("spigot_allennlp.nn.") and hasattr(module, "has_kernels"):
                monkeypatch.setattr(module, "has_kernels", lambda device: False)
        monkeypatch.setattr(invalid_scores, "answers_at_once", lambda device: False)
    return request.param


@dataclass
class Batch:
    """
    Scores, `(NUM_INSTANCES, *parts)`, one token mask for all, the legal parts of any instance, and
    all objects that have no others, `(num_objects, *parts)`, in double precision.
    """

    structure: Structure
    scores: Tensor
    token_mask: BoolTensor
    legal: BoolTensor
    objects: Tensor

    @property
    def mask(self) -> BoolTensor:
        return self.legal.expand(self.scores.shape)

    def possible(self, index: int) -> Tensor:
        """The objects without parts that score minus infinity."""
        return self.objects[~self.uses(self.scores[index] == -torch.inf)]

    def uses(self, parts: BoolTensor) -> BoolTensor:
        """Which objects have any of the `parts`."""
        return (self.objects.bool() & parts & self.legal).flatten(1).any(dim=1)

    def log_weights(self, index: int) -> Tensor:
        """The scores of all objects, shape `(num_objects,)`, of a valid instance."""
        impossible = self.scores[index] == -torch.inf
        finite = self.scores[index].double().masked_fill(~self.legal | impossible, 0)
        weights = (self.objects * finite).flatten(1).sum(dim=1)
        return weights.masked_fill(self.uses(impossible), -torch.inf)

    def lost(self) -> List[int]:
        """The valid instances that have no object."""
        return [index for index in OTHERS if not len(self.possible(index))]


def make_structure(config: Dict[str, Any]) -> Structure:
    if config["type"] == "OracleOnly":
        return OracleOnly()
    options = {key: value for key, value in config.items() if key != "one_for_each"}
    return Structure.from_params(Params(deepcopy(options)), vocab=VOCABULARY)


def make_batch(config: Dict[str, Any], place: Place, dtype: torch.dtype = torch.double) -> Batch:
    structure = make_structure(config)
    token_mask = (torch.arange(NUM_POSITIONS) < LENGTH).expand(NUM_INSTANCES, -1)
    as_shape = arcs if "one_for_each" in config else SHAPES.get(config["type"], arcs)
    shape = torch.Size(as_shape(token_mask))
    legal = structure.part_mask(token_mask, shape).expand(shape)[0]
    objects = all_objects(structure, legal)
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(5)).to(dtype)
    if not structure.fixed_size:
        scores += 0.5  # lest the best object be empty
    in_some = objects.bool().any(dim=0) & ~objects.bool().all(dim=0)
    first, second = in_some.nonzero()[[0, -1]].tolist()
    scores[(NAN, *first)] = torch.nan
    scores[(PLUS_INFINITY, *second)] = torch.inf
    scores[(SOME_IMPOSSIBLE, *first)] = -torch.inf
    scores[ALL_IMPOSSIBLE] = -torch.inf
    scores[RUBBISH, ~legal] = torch.tensor([torch.nan, torch.inf, -torch.inf], dtype=dtype).repeat(
        legal.numel()
    )[: int((~legal).sum())]
    scores[(BOTH_INFINITIES, *first)] = torch.inf
    scores[(BOTH_INFINITIES, *second)] = -torch.inf
    scores[NO_LAST, LENGTH - 1] = -torch.inf
    tensors = scores, token_mask, legal, objects
    return Batch(structure, *(tensor.to(place.device) for tensor in tensors))


def all_objects(structure: Structure, legal: BoolTensor) -> Tensor:
    """Of all sets of legal parts those that are an object."""
    parts = legal.nonzero()
    sets = torch.cartesian_prod(*[torch.arange(2)] * len(parts)).reshape(-1, len(parts))
    vertices = torch.zeros((len(sets), *legal.shape), dtype=torch.double)
    vertices[:, legal] = sets.double()
    return vertices[structure.contains(vertices, legal.expand(vertices.shape))]


def named(configs) -> str:
    return " x ".join(map(described, configs if isinstance(configs, tuple) else (configs,)))


ALL_STRUCTURES = STRUCTURES + MORE_STRUCTURES


@pytest.fixture(params=ALL_STRUCTURES, ids=named)
def structure_config(request) -> Dict[str, Any]:
    return request.param


def check_invalid(result: Tensor, mask: BoolTensor) -> None:
    """`(batch_size, *parts)`: NaN on the legal parts of all instances, zero elsewhere."""
    assert result[mask].isnan().all() and not result[~mask].any()


def check_the_others(result: Tensor, batch: Batch) -> None:
    """Invalid instances are NaN, the others finite, and zero on illegal parts."""
    check_invalid(result[INVALID], batch.mask[INVALID])
    assert result[OTHERS].isfinite().all() and not result[~batch.mask].any()
    assert not result[batch.lost()].any()


# --- structures


def test_the_best_object(structure_config, place):
    batch = make_batch(structure_config, place)
    best = batch.structure.argmax(batch.scores, batch.mask)
    check_the_others(best, batch)
    for index in OTHERS:
        weights = batch.log_weights(index)
        if weights.max() > -torch.inf:
            assert torch.equal(best[index], batch.objects[weights.argmax()])


def test_draws_are_possible(structure_config, place):
    batch = make_batch(structure_config, place)
    needs(batch.structure, "sample")
    torch.manual_seed(3)
    for _ in range(5):
        drawn = batch.structure.sample(batch.scores, batch.mask)
        check_the_others(drawn, batch)
        for index in set(OTHERS) - set(batch.lost()):
            same = (batch.possible(index) == drawn[index]).flatten(1).all(dim=1)
            assert same.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_sums_over_all_objects_and_their_derivatives(structure_config, place, dtype):
    batch = make_batch(structure_config, place, dtype)
    needs(batch.structure, "log_partition")
    leaf = batch.scores.clone().requires_grad_()
    direction = torch.randn(batch.scores.shape, generator=torch.Generator().manual_seed(6)).to(leaf)
    total = batch.structure.log_partition(leaf, batch.mask)
    (gradient,) = torch.autograd.grad(total.sum(), leaf, create_graph=True)
    (curvature,) = torch.autograd.grad((gradient * direction).sum(), leaf)
    both_total, marginals = batch.structure.log_partition_and_marginals(leaf, batch.mask)
    (slope,) = torch.autograd.grad((marginals * direction).sum(), leaf)
    entropy = batch.structure.entropy(batch.scores, batch.mask)
    for one_number in (total, both_total, entropy):
        assert one_number[INVALID].isnan().all() and not one_number[OTHERS].isnan().any()
    for derivative in (gradient, marginals, curvature, slope):
        check_the_others(derivative, batch)
    exactness = max(1e-6, 4 * torch.finfo(dtype).eps)
    for index in OTHERS:
        weights, along = batch.log_weights(index), direction[index].double()
        if index in batch.lost():
            assert total[index] == -torch.inf and entropy[index] == 0
            continue
        probabilities = weights.softmax(dim=0)
        mean = torch.tensordot(probabilities, batch.objects, 1)
        change = (batch.objects * along).flatten(1).sum(dim=1)
        change = change - (probabilities * change).sum()
        moved = torch.tensordot(probabilities * change, batch.objects, 1)
        for actual, expected in (
            (total[index], weights.logsumexp(dim=0)),
            (entropy[index], torch.special.entr(probabilities).sum()),
            (gradient[index], mean),
            (marginals[index], mean),
            (curvature[index], moved),
            (slope[index], moved),
        ):
            torch.testing.assert_close(actual.double(), expected, atol=exactness, rtol=exactness)


def test_log_probabilities_of_all_objects(structure_config, place):
    batch = make_batch(structure_config, place)
    needs(batch.structure, "log_partition")
    for vertex in (*batch.objects[:4], torch.zeros_like(batch.objects[0])):
        leaf = batch.scores.clone().requires_grad_()
        log_prob = batch.structure.log_prob(leaf, batch.mask, vertex.expand(leaf.shape))
        (gradient,) = torch.autograd.grad(log_prob.sum(), leaf)
        check_invalid(gradient[INVALID], batch.mask[INVALID])
        assert log_prob[INVALID].isnan().all()
        assert gradient[OTHERS].isfinite().all() and not gradient[batch.lost()].any()
        for index in batch.lost():
            assert log_prob[index] == (-torch.inf if vertex.any() else 0)
        place_of_vertex = (batch.objects == vertex).flatten(1).all(dim=1)
        for index in set(OTHERS) - set(batch.lost()) if place_of_vertex.any() else ():
            expected = batch.log_weights(index).log_softmax(dim=0)[place_of_vertex]
            torch.testing.assert_close(log_prob[index], expected[0])


def test_where_an_instance_stands_in_the_batch_does_not_matter(structure_config, place):
    batch = make_batch(structure_config, place)
    order = torch.tensor([3, 8, 0, 9, 1, 7, 2, 6, 4, 5])
    operations = [batch.structure.argmax]
    if batch.structure.provides("log_partition"):
        operations += [batch.structure.log_partition, batch.structure.marginals]
    for operation in operations:
        together = operation(batch.scores, batch.mask)
        moved = operation(batch.scores[order], batch.mask)
        torch.testing.assert_close(moved, together[order], equal_nan=True)
        for index in range(NUM_INSTANCES):
            alone = operation(batch.scores[index : index + 1], batch.mask[:1])
            torch.testing.assert_close(alone[0], together[index], equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_largest_scores_that_there_are_have_a_best_object(structure_config, place, dtype):
    batch = make_batch(structure_config, place, dtype)
    most = torch.finfo(dtype).max
    signs = torch.tensor([1.0, -1.0, 1.0]).to(batch.scores)
    pattern = signs.repeat(batch.scores.numel())[: batch.scores.numel()]
    scores = most * torch.stack([torch.ones_like(batch.scores), pattern.view_as(batch.scores)])
    for extreme in scores:
        best = batch.structure.argmax(extreme, batch.mask)
        assert batch.structure.contains(best, batch.mask).all()
        values = (batch.objects * (extreme[0].double() / most)).flatten(1).sum(dim=1)
        best_value = (best[0].double() * (extreme[0].double() / most)).sum()
        assert best_value == values.max()
        if batch.structure.provides("sample"):
            drawn = batch.structure.sample(extreme, batch.mask)
            assert batch.structure.contains(drawn, batch.mask).all()


def needs(structure: Structure, operation: str) -> None:
    if not structure.provides(operation):
        pytest.skip(f"{type(structure).__name__} (so configured) does not provide {operation}")


# --- estimators


def works(configs: Tuple[Dict[str, Any], Dict[str, Any]]) -> bool:
    structure, estimator = make_structure(configs[0]), make_estimator(configs[1])
    return all(map(structure.provides, estimator.requirements)) and not (
        # which it refuses itself
        configs[1] == {"type": "identity_with_projection"} and not structure.fixed_size
    )


def make_estimator(config: Dict[str, Any]) -> GradientEstimator:
    return GradientEstimator.from_params(Params(deepcopy(config)))


PAIRS = list(filter(works, itertools.product(ALL_STRUCTURES, ESTIMATORS + MORE_ESTIMATORS)))


class Trained(NamedTuple):
    """The value of a training step, the gradient of the scores, and whether there is any."""

    value: Tensor
    gradient: Tensor
    learns: bool


def train(batch: Batch, estimator: GradientEstimator, scores: Tensor, allowed: Tensor) -> Trained:
    torch.manual_seed(0)
    layer = StructuredArgmaxLayer(batch.structure, estimator).to(scores.device)
    leaf = scores.clone().requires_grad_()
    target = torch.randn(scores.shape, generator=torch.Generator().manual_seed(7)).to(scores)
    rises = torch.ones(NUM_INSTANCES, device=scores.device, dtype=scores.dtype)
    rises[ENDLESS_GRADIENT] = torch.inf

    def downstream(value: Tensor) -> Tensor:
        # its gradient depends on where it is taken, and is finite even where the value is NaN
        curved = (value.nan_to_num() ** 2 + value * target).flatten(1).sum(dim=1)
        return rises * curved

    latent = layer.train()(leaf, batch.token_mask, downstream, allowed)
    losses = latent.losses()
    auxiliary = layer.auxiliary_loss(latent, losses)
    loss = losses.mean() + auxiliary + 0 * leaf.masked_fill(leaf.abs() == torch.inf, 0).sum()
    (gradient,) = torch.autograd.grad(loss, leaf)
    learns = latent.value.requires_grad or auxiliary.requires_grad
    return Trained(latent.value.detach(), gradient, learns)


# Estimators know nothing of kernels: what differs between places, structures have been tested for.
@pytest.mark.parametrize(
    "place", PLACES[1:], indirect=True, ids=["vectorised", "cuda"][: len(PLACES) - 1]
)
@pytest.mark.parametrize("configs", PAIRS, ids=named)
def test_an_estimator_keeps_to_the_rule(configs, place):
    batch, estimator = make_batch(configs[0], place, torch.float32), make_estimator(configs[1])
    all_allowed = torch.ones_like(batch.mask)
    trained = train(batch, deepcopy(estimator), batch.scores, all_allowed)
    check_the_others(trained.value, batch)
    calm = [index for index in OTHERS if index != ENDLESS_GRADIENT]
    assert trained.gradient[calm].isfinite().all() and not trained.gradient[~batch.mask].any()
    assert not trained.gradient[batch.lost()].any()
    assert not trained.gradient[calm][batch.scores[calm] == -torch.inf].any()
    if trained.learns:
        check_invalid(trained.gradient[INVALID], batch.mask[INVALID])
        assert not trained.gradient[ENDLESS_GRADIENT].isfinite().all()
    if isinstance(estimator, SurrogateEstimator):
        check_invalid(trained.gradient[ENDLESS_GRADIENT], batch.legal)
    # The others are what they would be without rubbish and invalid scores, and if what scores minus
    # infinity had been forbidden.
    clean, allowed = batch.scores.clone(), all_allowed
    clean[INVALID], clean[RUBBISH, ~batch.legal] = 0, 0
    allowed[SOME_IMPOSSIBLE] = clean[SOME_IMPOSSIBLE] != -torch.inf
    clean[SOME_IMPOSSIBLE] = clean[SOME_IMPOSSIBLE].nan_to_num(neginf=0)
    expected = train(batch, deepcopy(estimator), clean, allowed)
    torch.testing.assert_close(trained.value[OTHERS], expected.value[OTHERS])
    torch.testing.assert_close(trained.gradient[calm], expected.gradient[calm])


# --- losses


def make_loss(name: str, structure: Structure) -> StructuredLoss:
    """Makes a loss, or skips the test if the loss refuses the structure."""
    loss = StructuredLoss.from_params(Params({"type": name}))
    if not all(map(structure.provides, loss.requires)):
        pytest.skip("refused")
    return loss


@pytest.mark.parametrize("name", StructuredLoss.list_available())
def test_a_loss_keeps_to_the_rule(name, structure_config, place):
    batch = make_batch(structure_config, place)
    loss = make_loss(name, batch.structure)
    forbidden = batch.scores[SOME_IMPOSSIBLE] == -torch.inf
    with_it = batch.uses(forbidden)
    for gold in (batch.objects[with_it][0], batch.objects[~with_it][-1]):
        leaf = batch.scores.clone().requires_grad_()
        losses = loss(batch.structure, leaf, batch.mask, gold.expand(leaf.shape))
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        assert losses[INVALID].isnan().all() and not losses[OTHERS].isnan().any()
        check_invalid(gradient[INVALID], batch.mask[INVALID])
        assert gradient[OTHERS].isfinite().all() and not gradient[~batch.mask].any()
        assert not gradient[batch.lost()].any()
        for index in OTHERS:
            alone = loss(batch.structure, batch.scores[[index]], batch.mask[:1], gold[None])
            torch.testing.assert_close(losses[index], alone[0])
            possible = (batch.possible(index) == gold).flatten(1).all(dim=1).any()
            assert losses[index] >= 0 and losses[index].isfinite() == possible


# --- projections


def make_projection(name: str, structure: Structure) -> Projection:
    """Makes a projection, or skips the test if the projection refuses the structure."""
    projection = Projection.from_params(Params({"type": name}))
    if not all(map(structure.provides, projection.requires)):
        pytest.skip("refused")
    try:
        projection.check(structure)
    except ConfigurationError:
        pytest.skip("refused")
    return projection


@pytest.mark.parametrize("name", Projection.list_available())
def test_a_projection_keeps_to_the_rule(name, structure_config, place):
    batch = make_batch(structure_config, place)
    projection = make_projection(name, batch.structure)
    # The points that are projected are the scores, from an origin that is an object.
    origin = batch.objects[-1].expand(batch.scores.shape).clone()
    step = origin - batch.scores
    origin[NAN], step[NAN] = origin[NAN].masked_fill(batch.legal, torch.nan), 1.0
    moved = projection.projected_step(batch.structure, origin, step, batch.mask)
    check_invalid(moved[INVALID], batch.mask[INVALID])
    assert not moved[~batch.mask].any() and not moved[OTHERS].isnan().any()
    # The others are what they would be without the invalid ones, and if parts from which an endless
    # step leads away had been forbidden.
    mask, away = batch.mask.clone(), step == torch.inf
    mask[SOME_IMPOSSIBLE] &= ~away[SOME_IMPOSSIBLE]
    clean = step.masked_fill(~mask, 0)
    origin[INVALID], clean[INVALID] = batch.objects[-1], 0
    origin[SOME_IMPOSSIBLE] = origin[SOME_IMPOSSIBLE].masked_fill(~mask[SOME_IMPOSSIBLE], 0)
    expected = projection.projected_step(batch.structure, origin, clean, mask)
    for index in OTHERS:
        if index != SOME_IMPOSSIBLE or name == "identity":
            legal = mask[index]
            torch.testing.assert_close(moved[index][legal], expected[index][legal])
    if name != "identity":
        displacement = batch.objects[-1] - moved[SOME_IMPOSSIBLE]
        torch.testing.assert_close(
            displacement, origin[SOME_IMPOSSIBLE] - expected[SOME_IMPOSSIBLE], atol=1e-6, rtol=0
        )
