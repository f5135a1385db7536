import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.noise import GumbelNoise, Noise, NormalNoise, SumOfGammaNoise
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.projective_tree import ProjectiveTree

EULER = 0.5772156649
SEVERAL = [GumbelNoise(), NormalNoise(), SumOfGammaNoise(k=3)]
KINDS = pytest.mark.parametrize("noise", SEVERAL, ids=lambda noise: type(noise).__name__)


def problem(rows=1, size=3, dtype=torch.float32):
    scores = torch.zeros(rows, size, dtype=dtype)
    return ArgmaxProblem(Categorical(), scores, torch.ones_like(scores, dtype=torch.bool))


def many(noise):
    torch.manual_seed(0)
    return noise.sample(problem(1000, 400, torch.float64)).flatten()


def moments(noise):
    sampled = many(noise)
    return sampled.mean().item(), sampled.var().item()


def test_gumbel_has_the_mean_and_variance_of_its_distribution():
    mean, variance = moments(GumbelNoise())
    assert mean == pytest.approx(EULER, abs=0.01)
    assert variance == pytest.approx(torch.pi**2 / 6, rel=0.02)


def test_normal_has_the_mean_and_variance_of_its_distribution():
    assert moments(NormalNoise()) == (pytest.approx(0, abs=0.01), pytest.approx(1, rel=0.02))


def test_sum_of_gamma_has_the_moments_of_its_finite_sum():
    # The mean of Gamma(1/k, scale k/i) is 1/i, its variance k/i^2.
    k, terms = 4, 10
    mean, variance = moments(SumOfGammaNoise(k=k, num_terms=terms))
    harmonic = sum(1 / i for i in range(1, terms + 1))
    by_hand = (harmonic - torch.log(torch.tensor(float(terms))).item()) / k
    assert mean == pytest.approx(by_hand, abs=0.01)
    squares = sum(1 / i**2 for i in range(1, terms + 1))
    assert variance == pytest.approx(squares / k, rel=0.03)


def test_the_sum_of_k_draws_is_nearly_gumbel():
    torch.manual_seed(1)
    noise = SumOfGammaNoise(k=5, num_terms=100)
    sums = noise.sample(problem(20000, 5, torch.float64)).sum(dim=1)
    levels = torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    empirical_cdf = (sums.unsqueeze(1) <= levels).double().mean(dim=0)
    torch.testing.assert_close(empirical_cdf, torch.exp(-torch.exp(-levels)), atol=0.015, rtol=0)


def test_by_default_k_is_the_number_of_parts_of_each_instance():
    tokens = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()
    scores = torch.zeros(2, 5, 5)
    trees = ArgmaxProblem(
        ProjectiveTree(), scores, ProjectiveTree().part_mask(tokens, scores.shape)
    )
    torch.manual_seed(0)
    sampled = torch.stack([SumOfGammaNoise().sample(trees) for _ in range(3000)])
    first, second = sampled[:, 0].var().item(), sampled[:, 1].var().item()
    # variance is inversely proportional to k: four arcs against one
    assert second / first == pytest.approx(4, rel=0.05)


@KINDS
def test_the_scale_multiplies_what_is_drawn(noise):
    config = {"type": "gumbel", "scale": 0.5}
    assert isinstance(Noise.from_params(Params(config)), GumbelNoise)
    scaled = type(noise)(scale=0.25, **({"k": 3} if isinstance(noise, SumOfGammaNoise) else {}))
    torch.manual_seed(3)
    plain = noise.sample(problem(5))
    torch.manual_seed(3)
    torch.testing.assert_close(scaled.sample(problem(5)), 0.25 * plain)


@KINDS
def test_a_seed_repeats_what_is_drawn(noise):
    torch.manual_seed(3)
    once = noise.sample(problem(5))
    assert not torch.equal(noise.sample(problem(5)), once)
    torch.manual_seed(3)
    assert torch.equal(noise.sample(problem(5)), once)


@KINDS
def test_several_are_those_that_are_sampled_one_after_the_other(noise):
    torch.manual_seed(3)
    one_by_one = torch.stack([noise.sample(problem(5)) for _ in range(4)])
    torch.manual_seed(3)
    assert torch.equal(noise.samples(problem(5), 4), one_by_one)


@KINDS
def test_half_precision_is_perturbed_in_single(noise):
    assert noise.sample(problem(5, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize("noise", [GumbelNoise(0.7), NormalNoise(2.0)], ids=["gumbel", "normal"])
def test_the_slope_is_the_derivative_of_minus_the_log_density(noise):
    point = torch.linspace(-1, 2, 7, dtype=torch.float64, requires_grad=True)
    scale = noise._scale
    standard = (
        torch.distributions.Normal(0.0, scale)
        if isinstance(noise, NormalNoise)
        else torch.distributions.Gumbel(0.0, scale)
    )
    (slope,) = torch.autograd.grad(-standard.log_prob(point).sum(), point)
    torch.testing.assert_close(noise.slope(point.detach()), slope)


@pytest.mark.parametrize("noise", [GumbelNoise(), NormalNoise(0.5)], ids=["gumbel", "normal"])
def test_the_mean_slope_is_zero(noise):
    assert noise.slope(many(noise)).mean().abs() < 0.02


def test_what_has_no_slope_is_refused_with_the_way_out():
    with pytest.raises(
        ConfigurationError, match="Perturbed.*SumOfGammaNoise.*'gumbel' or 'normal'"
    ):
        SumOfGammaNoise().check_slope("Perturbed")
    with pytest.raises(
        ConfigurationError, match="Perturbed needs noise.*scale of NormalNoise is 0"
    ):
        NormalNoise(0.0).check_slope("Perturbed")


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_scale_that_is_negative_is_refused(value):
    with pytest.raises(ConfigurationError, match=f"scale must be at least 0 but is {value}"):
        GumbelNoise(value)


@pytest.mark.parametrize("name", ["k", "num_terms"])
def test_other_settings_must_be_positive(name):
    with pytest.raises(ConfigurationError, match=f"{name} must be positive but is 0"):
        SumOfGammaNoise(**{name: 0})
