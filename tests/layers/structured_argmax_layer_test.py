from contextlib import nullcontext

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.perturbed import Perturbed
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.sparsemap import SparseMAP
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.structure import Structure
from spigot_allennlp.structures.subset import Subset

SCORES = torch.tensor([[2.0, 0.0, 1.0]])
TOKENS = torch.ones(1, 3, dtype=torch.bool)


class ArgmaxOnly(Structure):
    def part_mask(self, mask, shape):
        return mask

    def argmax(self, scores, mask):
        return Categorical().argmax(scores, mask)


class Scored(GradientEstimator):
    """An estimator with an auxiliary loss."""

    def forward(self, problem):
        return problem.argmax()

    def auxiliary_loss(self, problem, value, losses):
        return 10 * losses.sum()


def downstream(value):
    return (value * torch.tensor([[0.3, -0.1, 0.4]])).sum(-1)


def test_in_training_the_value_comes_from_the_estimator():
    layer = StructuredArgmaxLayer(Categorical(), StructuredAttention())
    torch.testing.assert_close(layer(SCORES, TOKENS).value, SCORES.softmax(-1))


def test_losses_without_downstream_are_refused_with_what_to_do():
    latent = StructuredArgmaxLayer(Categorical(), StraightThrough())(SCORES, TOKENS)
    with pytest.raises(ConfigurationError, match="Pass it to the layer, or compute the loss"):
        latent.losses()


def test_at_test_time_the_value_is_the_argmax_and_has_no_gradient():
    layer = StructuredArgmaxLayer(Categorical(), StraightThrough()).eval()
    value = layer(SCORES.clone().requires_grad_(), TOKENS, downstream).value
    assert value.tolist() == [[1, 0, 0]] and not value.requires_grad


def test_at_test_time_a_relaxed_estimator_stays_relaxed():
    layer = StructuredArgmaxLayer(Categorical(), StructuredAttention()).eval()
    torch.testing.assert_close(layer(SCORES, TOKENS).value, SCORES.softmax(-1))


@pytest.mark.parametrize("estimator", [StructuredAttention, SparseMAP, Perturbed])
def test_a_relaxed_estimator_may_decide_at_test_time(estimator):
    layer = StructuredArgmaxLayer(Categorical(), estimator(argmax_at_test=True))
    torch.manual_seed(0)
    scores = torch.tensor([[0.1, 0.0, -0.1]])
    assert 0 < layer(scores, TOKENS, downstream).value.max() < 1
    assert layer.eval()(scores, TOKENS, downstream).value.tolist() == [[1, 0, 0]]


def test_parts_are_masked_as_the_structure_says():
    layer = StructuredArgmaxLayer(ProjectiveTree(), StraightThrough())
    latent = layer(torch.zeros(1, 4, 4), torch.tensor([[1, 1, 1, 0]]).bool())
    assert latent.problem.mask.sum() == 4
    assert latent.value[0, 1:3].sum(dim=-1).tolist() == [1, 1] and latent.value.sum() == 2


def test_the_four_lines_of_a_model_train_it():
    scores = SCORES.clone().requires_grad_()
    layer = StructuredArgmaxLayer(Categorical(), Spigot())
    latent = layer(scores, TOKENS, downstream)
    losses = latent.losses()
    loss = losses.mean() + layer.auxiliary_loss(latent, losses)
    loss.backward()
    assert loss.item() == pytest.approx(0.3)
    torch.testing.assert_close(scores.grad, torch.tensor([[0.2, -0.2, 0.0]]))


def test_the_auxiliary_loss_counts_in_training_alone():
    layer = StructuredArgmaxLayer(Categorical(), Scored())
    latent = layer(SCORES, TOKENS, downstream)
    assert layer.auxiliary_loss(latent, latent.losses()).item() == pytest.approx(3.0)
    assert layer.eval().auxiliary_loss(latent, latent.losses()).item() == 0


def test_a_pair_that_cannot_work_is_refused_when_it_is_built():
    with pytest.raises(
        ConfigurationError,
        match="StructuredAttention needs marginals, which.*log_partition in ArgmaxOnly",
    ):
        StructuredArgmaxLayer(ArgmaxOnly(), StructuredAttention())
    with pytest.raises(ConfigurationError, match="Spigot needs projected_step, which ArgmaxOnly"):
        StructuredArgmaxLayer(ArgmaxOnly(), Spigot())


@pytest.mark.parametrize("scores", [None, [[1.0, 2.0, 3.0]], numpy.ones((1, 3))])
def test_what_is_no_tensor_is_refused_in_words(scores):
    layer = StructuredArgmaxLayer(Categorical(), StraightThrough())
    with pytest.raises(TypeError, match="Expected scores .*batch_size"):
        layer(scores, TOKENS)


def test_an_estimator_that_runs_the_model_again_asks_for_downstream_in_training():
    layer = StructuredArgmaxLayer(Categorical(), Spigot(num_steps=2))
    with pytest.raises(ConfigurationError, match="Spigot.*downstream.*num_steps: 1"):
        layer(SCORES, TOKENS)
    assert layer.eval()(SCORES, TOKENS).value.tolist() == [[1, 0, 0]]


def test_structure_and_estimator_are_chosen_in_the_config():
    config = {
        "structure": {"type": "projective_tree", "single_root": False},
        "estimator": "pipeline",
    }
    layer = StructuredArgmaxLayer.from_params(Params(config))
    assert isinstance(layer.structure, ProjectiveTree) and isinstance(layer.estimator, Pipeline)


@pytest.mark.parametrize(
    "config",
    [
        {"structure": "categorical", "estimator": {"type": "spigot", "step_size": -1.0}},
        {"structure": "categorical", "estimator": {"type": "spigot", "stepsize": 1.0}},
        {"structure": "categoric", "estimator": "spigot"},
        {"structure": "categorical", "estimator": "spigott"},
        {"structure": "categorical"},
    ],
    ids=["bad value", "unknown parameter", "unknown structure", "unknown estimator", "missing"],
)
def test_mistakes_in_a_config_are_found_when_it_is_read(config):
    with pytest.raises(ConfigurationError):
        StructuredArgmaxLayer.from_params(Params(config))


@pytest.mark.parametrize(
    "estimator",
    [Pipeline(), StraightThrough(), Spigot(), Spigot(num_steps=2), StructuredAttention()],
    ids=lambda value: type(value).__name__,
)
def test_under_autocast_a_small_model_learns_and_stays_finite(estimator):
    torch.manual_seed(3)
    encoder, readout = torch.nn.Linear(8, 6), torch.nn.Linear(6, 1)
    layer = StructuredArgmaxLayer(ProjectiveTree(), estimator)
    tokens, goal = torch.randn(4, 6, 8), torch.randn(4)
    token_mask = torch.arange(6) <= torch.tensor([5, 3, 4, 1]).unsqueeze(1)
    optimizer = torch.optim.Adam([*encoder.parameters(), *readout.parameters()], lr=0.05)

    def losses_of(arcs):
        predicted = readout(arcs @ encoder(tokens)).sum(dim=(1, 2))
        return (predicted - goal).square()

    history = []
    for _ in range(15):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = encoder(tokens) @ encoder(tokens).transpose(1, 2)
            latent = layer(scores, token_mask, losses_of)
            losses = latent.losses()
            loss = losses.mean() + layer.auxiliary_loss(latent, losses)
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert all(p.isfinite().all() for p in encoder.parameters())
    assert min(history[-3:]) < history[0] / 2


@pytest.mark.parametrize(
    "structure, fits",
    [("projective_tree", True), ("non_projective_tree", True), ("chain", False)]
    + [("categorical", False), ("semantic_graph", False)],
)
def test_a_model_of_trees_refuses_other_objects_and_names_those_that_fit(structure, fits):
    layer = StructuredArgmaxLayer(Structure.by_name(structure)(), Pipeline())
    with (
        nullcontext()
        if fits
        else pytest.raises(
            ConfigurationError, match=f"{type(layer.structure).__name__}.*'projective_tree'"
        )
    ):
        layer.check_dimensions(("dependent", "head"), "latent_tree_classifier")


def test_a_mask_may_come_from_inference_mode():
    layer = StructuredArgmaxLayer(Subset(2), StructuredAttention())
    with torch.inference_mode():
        mask = TOKENS.clone()
    leaf = SCORES.clone().requires_grad_()
    gradients = [
        torch.autograd.grad(layer(leaf, tokens).value[0, 0], leaf)[0] for tokens in (mask, TOKENS)
    ]
    assert gradients[0].any() and torch.equal(*gradients)


@pytest.mark.parametrize("name", GradientEstimator.list_available())
def test_a_loop_may_take_what_it_chose_out_of_the_mask_in_place(name):
    def gradient(in_place):
        torch.manual_seed(0)
        layer = StructuredArgmaxLayer(Categorical(), GradientEstimator.by_name(name)())
        leaf, mask = (SCORES / 10).requires_grad_(), TOKENS.clone()
        latents, loss = [], torch.zeros(())
        for step in (1, 2):
            latents.append(layer(step * leaf, mask, lambda value: 10 * downstream(value)))
            chosen = latents[-1].problem.argmax().bool()
            if in_place:
                mask[chosen] = False
            else:
                mask = mask & ~chosen
        for latent in latents:
            losses = latent.losses()
            loss = loss + losses.sum() + layer.auxiliary_loss(latent, losses)
        return torch.autograd.grad(loss + 0 * leaf.sum(), leaf)[0]

    assert torch.equal(gradient(in_place=True), gradient(in_place=False))
    assert gradient(in_place=True).any() == (name != "pipeline")
