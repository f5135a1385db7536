import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.blackbox import Blackbox
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.implicit_mle import AdaptiveStep, ImplicitMLE
from spigot_allennlp.estimators.noise import GumbelNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from tests.estimators.backward import linear, scores_gradient
from tests.estimators.expected_gradient import mean_gradient

SCORES, MASK = torch.tensor([[2.0, 0.0, 1.0]]), torch.ones(1, 3, dtype=torch.bool)
COSTS = torch.tensor([[1.0, 0.0, 1.0]])
NONE = GumbelNoise(scale=0.0)


def gradient(estimator, costs=COSTS, scores=SCORES):
    mask = MASK.expand_as(scores)
    return scores_gradient(estimator, Categorical(), scores, mask, linear(costs), torch.sum)


def test_without_noise_the_difference_by_hand():
    # scores - 5 costs = (-3, 0, -4): the second part wins; nothing is divided by beta
    assert gradient(ImplicitMLE(beta=5.0, noise=NONE)).tolist() == [[1, -1, 0]]


def test_without_noise_it_is_blackbox_times_beta():
    torch.manual_seed(0)
    scores, costs = torch.randn(2, 6, 5, 5)
    structure = ProjectiveTree()
    mask = structure.part_mask(torch.ones(6, 5, dtype=torch.bool), scores.shape)
    ours, theirs = (
        scores_gradient(estimator, structure, scores, mask, linear(costs))
        for estimator in (ImplicitMLE(beta=3.0, noise=NONE), Blackbox(step_size=3.0))
    )
    assert ours.any()
    torch.testing.assert_close(ours / 3.0, theirs)


def test_alpha_multiplies_the_scores_of_the_target():
    # 0 * scores - costs = (-1, 0, -1)
    assert gradient(ImplicitMLE(alpha=0.0, noise=NONE)).tolist() == [[1, -1, 0]]
    assert not gradient(ImplicitMLE(alpha=1.0, noise=NONE)).any()


def test_alpha_multiplies_the_scores_on_both_sides_of_a_symmetric_step():
    # z(0 * scores + costs) - z(0 * scores - costs) = (1, 0, 0) - (0, 1, 0), halved
    estimator = ImplicitMLE(alpha=0.0, noise=NONE, symmetric=True)
    assert gradient(estimator).tolist() == [[0.5, -0.5, 0]]
    assert not gradient(ImplicitMLE(alpha=-2.0, noise=NONE, symmetric=True), 0 * COSTS).any()


def test_alpha_must_be_a_number():
    with pytest.raises(ConfigurationError, match="alpha must be in .* but is nan"):
        ImplicitMLE(alpha=float("nan"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_step_goes_on_changing_in_a_model_of_half_precision(dtype):
    estimators = [ImplicitMLE(beta=4.0, adaptive=AdaptiveStep()) for _ in range(2)]
    estimators[1].to(dtype)
    for estimator in estimators:
        torch.manual_seed(0)
        for _ in range(10):
            gradient(estimator)
    (beta, moving_mean), (other_beta, other_mean) = (
        [number.item() for number in estimator.state_dict().values()] for estimator in estimators
    )
    assert beta != 4.0 and (other_beta, other_mean) == (beta, moving_mean)


def test_the_weights_of_a_model_bring_along_the_step_that_it_found_but_no_option():
    adaptive, other = (ImplicitMLE(beta=beta, adaptive=AdaptiveStep()) for beta in (4.0, 1.0))
    other.load_state_dict(adaptive.state_dict())
    assert other.state_dict() == adaptive.state_dict()
    plain = ImplicitMLE(beta=5.0, noise=NONE)
    plain.load_state_dict(ImplicitMLE(beta=0.1).state_dict())
    assert gradient(plain).tolist() == gradient(ImplicitMLE(beta=5.0, noise=NONE)).tolist()


def test_a_model_in_double_precision_computes_so():
    assert all(buffer.dtype == torch.double for buffer in ImplicitMLE().double().buffers())


def test_the_size_of_an_object_is_looked_at_once_for_all_samples():
    class Counting(Categorical):
        batch_sizes = []

        def argmax(self, scores, mask):
            self.batch_sizes.append(len(scores))
            return super().argmax(scores, mask)

    scores_gradient(ImplicitMLE(num_samples=10), Counting(), SCORES, MASK, linear(COSTS))
    # for the noise, on the way forward, on the way back
    assert Counting.batch_sizes == [1, 10, 10]


def test_with_gumbel_noise_on_one_choice_the_mean_is_a_difference_of_softmaxes():
    estimator = ImplicitMLE(beta=0.7, alpha=0.9, noise=GumbelNoise(), num_samples=2)
    estimate = mean_gradient(estimator, Categorical(), SCORES[0], MASK[0], COSTS[0], 30000)
    expected = SCORES[0].softmax(-1) - (0.9 * SCORES[0] - 0.7 * COSTS[0]).softmax(-1)
    torch.testing.assert_close(estimate, expected, atol=0.02, rtol=0)


def test_both_objects_have_the_same_noise():
    # With other noise for the target, a gradient of zero would not give zero.
    scores = torch.zeros(200, 3)
    assert not gradient(ImplicitMLE(noise=GumbelNoise()), torch.zeros(1, 3), scores).any()


def test_symmetric_lies_on_both_sides():
    # 5 ahead: the second part; 5 behind, scores + 5 costs: the first
    estimator = ImplicitMLE(beta=5.0, noise=NONE, symmetric=True)
    assert gradient(estimator).tolist() == [[0.5, -0.5, 0]]


def test_the_value_has_noise_in_training():
    torch.manual_seed(0)
    many = ArgmaxProblem(Categorical(), torch.zeros(100, 3), torch.ones(100, 3).bool())
    assert (ImplicitMLE()(many).mean(dim=0) > 0.1).all()


# --- the adaptive step


def test_an_adaptive_step_is_as_long_as_the_scores_and_divides_the_difference():
    # beta ||s|| / ||g|| = 2 sqrt(5) / sqrt(2) = 3.1623: scores - 3.16 costs = (-1.2, 0, -2.2)
    estimator = ImplicitMLE(beta=2.0, noise=NONE, adaptive=AdaptiveStep())
    size = 2 * (5 / 2) ** 0.5
    torch.testing.assert_close(gradient(estimator), torch.tensor([[1 / size, -1 / size, 0]]))


def test_whatever_the_size_of_the_gradient_an_adaptive_step_finds_the_same_objects():
    estimator = ImplicitMLE(beta=2.0, noise=NONE, adaptive=AdaptiveStep(rate=1e-9))
    small, large = (gradient(estimator, scale * COSTS) for scale in (1e-6, 1e6))
    assert small.any()
    torch.testing.assert_close(small * 1e6, large * 1e-6)


def test_beta_grows_while_gradients_are_sparser_than_wanted_and_shrinks_while_they_are_not():
    estimator = ImplicitMLE(beta=1e-3, noise=NONE, adaptive=AdaptiveStep(rate=0.01, decay=0.0))
    for _ in range(5):
        assert not gradient(estimator).any()
    assert estimator._beta.item() == pytest.approx(0.051)
    estimator = ImplicitMLE(beta=2.0, noise=NONE, adaptive=AdaptiveStep(rate=0.01, decay=0.0))
    for _ in range(5):
        gradient(estimator)
    assert estimator._beta.item() == pytest.approx(1.95)


def test_a_gradient_of_zero_or_scores_of_zero_give_no_gradient():
    estimator = ImplicitMLE(noise=NONE, adaptive=AdaptiveStep())
    assert not gradient(estimator, torch.zeros(1, 3)).any()
    assert not gradient(estimator, scores=torch.zeros(1, 3)).any()


def test_beta_is_saved_with_the_weights():
    estimator = ImplicitMLE(beta=2.0, noise=NONE, adaptive=AdaptiveStep())
    gradient(estimator)
    other = ImplicitMLE(adaptive=AdaptiveStep())
    other.load_state_dict(estimator.state_dict())
    assert other._beta == estimator._beta and other._adaptive._found == estimator._adaptive._found


def test_the_adaptive_step_is_chosen_in_the_config():
    config = {"type": "implicit_mle", "adaptive": {"rate": 0.1}, "noise": "normal"}
    assert isinstance(GradientEstimator.from_params(Params(config))._adaptive, AdaptiveStep)


def test_settings_out_of_range_are_refused():
    for name in ("beta", "num_samples"):
        with pytest.raises(ConfigurationError, match=f"{name} must be positive but is 0"):
            ImplicitMLE(**{name: 0})
    with pytest.raises(ConfigurationError, match=r"decay must be in \[0, 1\) but is 1"):
        AdaptiveStep(decay=1)


@pytest.mark.parametrize("assign", [True, False])
def test_a_model_that_was_made_without_numbers_has_its_own_step(assign):
    plain = ImplicitMLE(beta=5.0, noise=NONE)
    with torch.device("meta"):
        late = ImplicitMLE(beta=5.0, noise=NONE)
    if not assign:
        late = late.to_empty(device="cpu")
        late._beta.fill_(123.0)  # whatever was in this memory
    late.load_state_dict(ImplicitMLE(beta=0.1).state_dict(), assign=assign)
    assert gradient(late).tolist() == gradient(plain).tolist()
