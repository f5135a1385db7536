"""Checks what `docs/pytorch.md` says of torch.compile, torch.func, checkpoints and so on."""

import re
from functools import partial
from pathlib import Path

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.layers.differentiable_solver import DifferentiableSolver
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.non_projective_tree import NonProjectiveTree
from spigot_allennlp.structures.predicate_graph import PredicateGraph
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.subset import Subset

ESTIMATORS = sorted(GradientEstimator.list_available())
TOKENS = torch.ones(2, 4, dtype=torch.bool)
# By the table of the documentation: always, with structures whose sums are left to PyTorch, and
# there is no gradient.
ALWAYS = {"reinforce"}
IN_TORCH_ALONE = {"stochastic_softmax", "structured_attention"}
NO_GRADIENT = {"pipeline"}
TREES = (ProjectiveTree, NonProjectiveTree)


def training_step(name, structure, shape):
    """A function from scores to a loss, drawn from one seed."""
    layer = StructuredArgmaxLayer(structure, GradientEstimator.by_name(name)())
    generator = torch.Generator().manual_seed(1)
    target = torch.randn(2, *shape, generator=generator, dtype=torch.double)

    def step(scores):
        latent = layer(scores, TOKENS, lambda value: ((value - target) ** 2).flatten(1).sum(dim=1))
        losses = latent.losses()
        return losses.mean() + layer.auxiliary_loss(latent, losses) + 0 * scores.sum()

    return step


def scores_of(shape):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, *shape, generator=generator, dtype=torch.double).requires_grad_()


def loss_and_gradient(step, scores):
    torch.manual_seed(3)
    loss = step(scores)
    return loss, *torch.autograd.grad(loss, scores)


@pytest.mark.parametrize(
    "name, structure, shape",
    [
        *((name, Categorical(), (4,)) for name in ESTIMATORS),
        *((name, ProjectiveTree(), (4, 4)) for name in ("spigot", "structured_attention")),
    ],
)
def test_a_compiled_step_does_what_it_does_uncompiled(name, structure, shape):
    torch.compiler.reset()
    step, scores = training_step(name, structure, shape), scores_of(shape)
    expected = loss_and_gradient(step, scores)
    torch.compiler.reset()
    compiled = torch.compile(training_step(name, structure, shape), backend="aot_eager")
    torch.testing.assert_close(loss_and_gradient(compiled, scores), expected)


@pytest.mark.parametrize("name", ["implicit_mle", "perturb_and_map", "reinforce", "spigot"])
def test_further_batches_need_no_further_compilation(name):
    torch.compiler.reset()
    counter = CompileCounter()
    compiled = torch.compile(training_step(name, Categorical(), (4,)), backend=counter)
    counts = []
    for _ in range(4):
        compiled(scores_of((4,))).backward()
        counts.append(counter.frame_count)
    assert counts == [counts[0]] * 4


@pytest.mark.parametrize("operation", ["marginals", "log_partition", "entropy"])
@pytest.mark.parametrize(
    "structure, shape",
    [(Categorical(), (4,)), (Subset(2), (4,)), (ProjectiveTree(), (4, 4))],
    ids=["torch", "closed form", "kernels"],
)
def test_compiled_operations_of_structures_do_what_they_do_uncompiled(structure, shape, operation):
    torch.compiler.reset()
    scores = scores_of(shape)
    mask = structure.part_mask(TOKENS, scores.shape)

    def step(scores):
        return (getattr(structure, operation)(scores * 2, mask) ** 2).sum()

    expected = loss_and_gradient(step, scores)
    compiled = torch.compile(step, backend="aot_eager")
    torch.testing.assert_close(loss_and_gradient(compiled, scores), expected)


def test_one_graph_of_all_is_refused_by_torch():
    torch.compiler.reset()
    compiled = torch.compile(
        training_step("spigot", Categorical(), (4,)), backend="eager", fullgraph=True
    )
    with pytest.raises(torch._dynamo.exc.Unsupported):
        compiled(scores_of((4,)))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_transforms_of_torch_func_are_refused_with_what_to_do(name):
    step, scores = training_step(name, Categorical(), (4,)), scores_of((4,)).detach()
    with pytest.raises(NotImplementedError, match=r"flatten\(0, 1\)"):
        torch.func.vmap(step, randomness="different")(scores.expand(3, 2, 4))
    with pytest.raises(NotImplementedError, match=r"torch\.autograd\.grad"):
        torch.func.grad(step)(scores)


@pytest.mark.parametrize("operation", ["argmax", "log_partition", "marginals", "sample"])
@pytest.mark.parametrize("structure", [tree() for tree in TREES], ids=["eisner", "arborescence"])
def test_operations_of_structures_with_kernels_refuse_to_be_transformed(structure, operation):
    scores = scores_of((4, 4)).detach()
    mask = structure.part_mask(TOKENS, scores.shape)

    def total(point):
        return (getattr(structure, operation)(point, mask) * point.sum()).sum()

    for transformed in (
        torch.func.grad(total),
        torch.func.jacrev(total),
        lambda point: torch.func.jvp(total, (point,), (point,)),
    ):
        with pytest.raises(NotImplementedError, match=r"call torch\.autograd\.grad"):
            transformed(scores)


def test_those_of_categories_are_differentiated_by_torch():
    scores = scores_of((4,)).detach()

    def total(point):
        return (Categorical().marginals(point, TOKENS) ** 2).sum()

    torch.testing.assert_close(
        torch.func.grad(total)(scores),
        torch.func.grad(lambda point: (point.softmax(dim=1) ** 2).sum())(scores),
    )


@pytest.mark.parametrize("name", ["blackbox", "sparsemap", "spigot", "straight_through"])
def test_batches_of_gradients_are_refused_with_what_to_do(name):
    layer = StructuredArgmaxLayer(Categorical(), GradientEstimator.by_name(name)())
    with pytest.raises(NotImplementedError, match="call autograd once for each"):
        torch.autograd.functional.jacobian(
            lambda scores: layer(scores, TOKENS).value, scores_of((4,)).detach(), vectorize=True
        )


def test_a_solver_and_operations_of_structures_refuse_to_be_mapped_over():
    solver = DifferentiableSolver(lambda scores: scores.topk(2).indices, indices=True)
    with pytest.raises(NotImplementedError, match=r"flatten\(0, 1\)"):
        torch.func.vmap(solver)(torch.randn(3, 2, 4))
    for operation in ("argmax", "log_partition", "log_partition_and_marginals", "project"):
        function = getattr(Subset(2), operation)
        with pytest.raises(NotImplementedError, match=r"flatten\(0, 1\)"):
            torch.func.vmap(function, in_dims=(0, None))(torch.randn(3, 2, 4), TOKENS)


def test_so_they_do_on_devices_whose_numbers_would_have_to_be_waited_for():
    scores = torch.randn(3, 2, 4, device="meta")
    for operation in ("argmax", "log_partition", "sample"):
        function = getattr(Subset(2), operation)
        with pytest.raises(NotImplementedError, match=r"flatten\(0, 1\)"):
            torch.func.vmap(function, in_dims=(0, None))(scores, TOKENS.to("meta"))


@pytest.mark.parametrize("operation", ["log_partition", "marginals", "entropy"])
@pytest.mark.parametrize(
    "structure, shape",
    [(Categorical(), (4,)), (Subset(2), (4,)), *((t(), (4, 4)) for t in TREES)],
    ids=lambda value: type(value).__name__,
)
def test_forward_mode_is_right_or_refused(structure, shape, operation):
    scores = scores_of(shape).detach()
    mask = structure.part_mask(TOKENS, scores.shape)
    direction = torch.linspace(-1, 1, scores.numel(), dtype=torch.double).reshape(scores.shape)

    def total(point):
        return (getattr(structure, operation)(point, mask) ** 2).sum()

    expected = (total(scores + 1e-6 * direction) - total(scores - 1e-6 * direction)) / 2e-6
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(scores, direction)
        if isinstance(structure, Categorical) and operation == "log_partition":
            torch.testing.assert_close(forward_ad.unpack_dual(total(dual)).tangent, expected)
        else:
            with pytest.raises(NotImplementedError, match="orward"):
                total(dual)


@pytest.mark.parametrize("structure, shape", [(Categorical(), (4,)), (ProjectiveTree(), (4, 4))])
def test_what_records_a_model_is_refused(structure, shape):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.argmax = StructuredArgmaxLayer(structure, GradientEstimator.by_name("spigot")())

        def forward(self, scores):
            return 2 * self.argmax(scores, TOKENS).value

    scores = scores_of(shape).detach()
    model, mask = Model().eval(), structure.part_mask(TOKENS, scores.shape)
    for record in (torch.jit.trace, partial(torch.export.export, strict=False)):
        with pytest.raises(NotImplementedError, match="cannot record StructuredArgmaxLayer.*betwe"):
            record(model, (scores,))
    with pytest.raises(NotImplementedError, match=f"cannot record {type(structure).__name__}"):
        torch.jit.trace(lambda point: structure.log_partition(point, mask), (scores,))


@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_checkpoint_changes_neither_gradients_nor_what_an_estimator_has_learnt(
    name, use_reentrant
):
    scores, dropout = scores_of((4, 4)), torch.nn.Dropout(0.5)
    results = []
    for is_checkpointed in (False, True):
        layer = StructuredArgmaxLayer(ProjectiveTree(), GradientEstimator.by_name(name)())

        def step(scores, layer=layer):
            latent = layer(scores, TOKENS, lambda value: dropout(value).flatten(1).sum(dim=1) ** 2)
            losses = latent.losses()
            return losses.mean() + layer.auxiliary_loss(latent, losses) + 0 * scores.sum()

        torch.manual_seed(3)
        for _ in range(2):  # a running mean is zero at first
            # the loss of two batches; the second is computed again before the first
            losses = [
                checkpoint(step, factor * scores, use_reentrant=use_reentrant)
                if is_checkpointed
                else step(factor * scores)
                for factor in (1, 2)
            ]
            loss = losses[0] + losses[1]
            scores.grad = None
            loss.backward()
        results.append((loss.detach(), scores.grad, dict(layer.named_buffers())))
    torch.testing.assert_close(results[1], results[0])


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - NO_GRADIENT))
@pytest.mark.parametrize(
    "structure, shape",
    [
        (Categorical(), (4,)),
        (PredicateGraph(), (4, 4, 2)),
        (ProjectiveTree(), (4, 4)),
        (Subset(2), (4,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_second_derivative_is_right_or_refused(name, structure, shape):
    if name == "identity_with_projection" and not structure.fixed_size:
        pytest.skip("refused")
    scores = scores_of(shape)

    def seeded(scores):
        torch.manual_seed(3)
        return training_step(name, structure, shape)(scores)  # a baseline is not kept

    in_torch = isinstance(structure, (Categorical, PredicateGraph))
    if name in ALWAYS or (name in IN_TORCH_ALONE and in_torch):
        assert torch.autograd.gradgradcheck(seeded, scores)
    else:
        (gradient,) = torch.autograd.grad(seeded(scores), scores, create_graph=True)
        # of a surrogate that is made of marginals, either is met first
        words = "third time" if name in IN_TORCH_ALONE else "is a surrogate|third time"
        with pytest.raises(NotImplementedError, match=words):
            torch.autograd.grad((gradient**2).sum(), scores)


def test_the_documentation_names_the_same_estimators():
    page = (Path(__file__).parents[2] / "docs" / "pytorch.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| a second derivative"))
    always, in_torch_alone = row.split("|")[2:4]
    assert set(re.findall("`([a-z_]+)`", always)) == ALWAYS
    assert set(re.findall("`([a-z_]+)`", in_torch_alone)) == IN_TORCH_ALONE | {
        "categorical",
        "predicate_graph",
    }
