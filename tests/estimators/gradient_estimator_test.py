import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.structure import Structure
from tests.estimators.backward import quadratic, scores_gradient

SCORES = torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 9.0]])
MASK = torch.tensor([[True, True, True], [True, True, False]])
TARGET = torch.tensor([[0.5, 2.0, 3.0], [-1.0, 4.0, 5.0]])


class Cubed(SurrogateEstimator):
    """
    A gradient that is not linear in the one that comes in, so that every scale that slips through
    shows.
    """

    def pull_back(self, problem, value, gradient, state):
        return gradient**3


class Remembers(SurrogateEstimator):
    """`pull_back` finds what `solve` left."""

    def solve(self, problem):
        return problem.argmax(), problem.scores * 10

    def pull_back(self, problem, value, gradient, state):
        return state + value


class ArgmaxOnly(Structure):
    def part_mask(self, mask, shape):
        return mask

    def argmax(self, scores, mask):
        return Categorical().argmax(scores, mask)


class Wants(GradientEstimator):
    requires = frozenset({"sample", "log_partition"})


def gradient(reduce, repetitions=1, estimator=None):
    tensors = [t.repeat(repetitions, 1) for t in (SCORES, MASK, TARGET)]
    scores, mask, target = tensors
    estimator = estimator or Cubed()
    return scores_gradient(estimator, Categorical(), scores, mask, quadratic(target), reduce)


# z - TARGET at the argmax, cubed
EXPECTED = torch.tensor([[0.125, -8.0, -27.0], [1.0, -27.0, 0.0]])


def test_gradients_reach_pull_back_per_instance():
    torch.testing.assert_close(gradient(torch.sum), EXPECTED)


@pytest.mark.parametrize(
    "reduce, weight",
    [
        (torch.mean, 1 / 2),
        (lambda losses: losses.mean() / 8, 1 / 16),
        (lambda losses: losses.mean() * 2**16, 2**15),
        (lambda losses: 1e-6 * losses.sum(), 1e-6),
    ],
    ids=["mean", "accumulated over 8 batches", "loss scale of 2**16", "small weight"],
)
def test_whatever_is_done_to_the_losses_weighs_the_surrogate_but_does_not_change_it(reduce, weight):
    torch.testing.assert_close(gradient(reduce) / weight, EXPECTED)


@pytest.mark.parametrize("repetitions", [3, 16])
def test_a_larger_batch_weighs_each_instance_less_but_changes_none(repetitions):
    repeated = gradient(torch.mean, repetitions) * 2 * repetitions
    torch.testing.assert_close(repeated, EXPECTED.repeat(repetitions, 1))


def test_instances_may_weigh_differently_or_nothing():
    weighted = gradient(lambda losses: losses @ torch.tensor([0.0, -0.25]))
    torch.testing.assert_close(weighted, EXPECTED * torch.tensor([[0.0], [-0.25]]))


def test_a_loss_that_does_not_come_from_downstream_is_taken_for_a_mean():
    leaf = SCORES.clone().requires_grad_()
    value = Cubed()(ArgmaxProblem(Categorical(), leaf, MASK))
    quadratic(TARGET)(value).mean().backward()
    torch.testing.assert_close(leaf.grad, EXPECTED / 2)


def test_pull_back_finds_what_solve_left_and_no_attribute_is_set():
    estimator = Remembers()
    before = dict(vars(estimator))
    grad = gradient(torch.sum, estimator=estimator)
    torch.testing.assert_close(grad, (SCORES * 10 + torch.eye(3)[:2]).masked_fill(~MASK, 0))
    assert vars(estimator) == before


def test_masked_parts_get_no_gradient_even_if_theirs_is_not_finite():
    target = TARGET.masked_fill(~MASK, torch.nan)
    grad = scores_gradient(Cubed(), Categorical(), SCORES, MASK, quadratic(target), torch.sum)
    torch.testing.assert_close(grad, EXPECTED)


def test_scores_without_gradient_leave_no_graph_behind():
    assert not Cubed()(ArgmaxProblem(Categorical(), SCORES, MASK)).requires_grad
    with torch.no_grad():
        leaf = SCORES.clone().requires_grad_()
        assert not Cubed()(ArgmaxProblem(Categorical(), leaf, MASK)).requires_grad


def test_a_surrogate_cannot_be_differentiated_again():
    leaf = SCORES.clone().requires_grad_()
    value = Cubed()(ArgmaxProblem(Categorical(), leaf, MASK))
    (first,) = torch.autograd.grad(value.pow(2).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="is a surrogate, of no function"):
        first.sum().backward()


def test_refusal_names_both_parties_and_the_way_out():
    message = (
        "Wants needs log_partition, which ArgmaxOnly .*Choose another.*implement log_partition"
    )
    with pytest.raises(ConfigurationError, match=message):
        Wants().check(ArgmaxOnly())
    Wants().check(Categorical())


def test_there_is_no_auxiliary_loss_but_where_an_estimator_has_one():
    here = ArgmaxProblem(Categorical(), SCORES, MASK)
    assert Cubed().auxiliary_loss(here, here.argmax(), torch.ones(2)) == 0


def test_a_loss_scale_saves_small_gradients_in_half_precision():
    def downstream(value):
        return (value * 2.0**-12).sum(dim=-1) * 2.0**-14

    grad = scores_gradient(
        StraightThrough(),
        Categorical(),
        SCORES.half(),
        MASK,
        downstream,
        lambda losses: losses.sum() * 2**15,
    )
    assert torch.equal(grad, MASK * torch.full_like(grad, 2.0**-11))


def test_the_gradient_of_half_precision_scores_is_of_half_precision():
    for dtype in (torch.bfloat16, torch.float16):
        grad = scores_gradient(
            Cubed(), Categorical(), SCORES.to(dtype), MASK, quadratic(TARGET.to(dtype))
        )
        assert grad.dtype == dtype
        torch.testing.assert_close(grad.float() * 2, EXPECTED, rtol=0.02, atol=0)


@pytest.mark.parametrize("changed", ["mask", "scores"])
@pytest.mark.parametrize(
    "name", ["straight_through_marginals", "identity_with_projection", "spigot"]
)
def test_what_the_caller_changes_in_place_before_the_backward_pass_is_noticed(name, changed):
    leaf, mask = SCORES.clone().requires_grad_(), MASK.clone()
    scores = leaf * 1
    value = GradientEstimator.by_name(name)()(ArgmaxProblem(Categorical(), scores, mask))
    if changed == "mask":  # as in a loop that chooses one item after another
        mask[value.bool()] = False
    else:
        scores[:, 1] = -torch.inf
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        quadratic(TARGET)(value).mean().backward()


@pytest.mark.parametrize("name", ["structured_attention", "sparsemap"])
def test_exact_gradients_pass_the_check_of_torch_with_all_its_cases(name):
    layer = StructuredArgmaxLayer(Categorical(), GradientEstimator.by_name(name)())
    target = TARGET.double()

    def loss(scores):
        return layer(scores, MASK, quadratic(target)).losses()

    # one of its cases is a gradient that autograd does not define
    assert torch.autograd.gradcheck(loss, (SCORES.double() / 10).requires_grad_())
