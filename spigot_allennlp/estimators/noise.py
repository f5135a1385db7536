"""Random perturbations of the scores."""

from typing import NamedTuple, Optional, Tuple

import torch
from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_least, check_positive
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import flatten_parts, per_instance
from spigot_allennlp.nn.invalid_scores import invalid_instances, is_score, without_invalid
from spigot_allennlp.registrable import ConfigurationError, Registrable


class NoiseSamples(NamedTuple):
    """
    Perturbations of the scores, and the object that is best under each.

    # Parameters

    noise, vertices : `Tensor`
        Shape `(num_samples, batch_size, *parts)`.
    """

    noise: Tensor
    vertices: Tensor


class Noise(Registrable):
    """
    Noise drawn from `scale` times a standard distribution, independently for every part. The
    default implementation is "gumbel". Samples come from torch's generator.

    A subclass implements `standard`, and may implement `standard_slope`, which follows from its
    density.

    # Parameters

    scale : `float`, optional (default = `1.0`)
        With 0 there is no noise.
    """

    default_implementation = "gumbel"

    def __init__(self, scale: float = 1.0) -> None:
        check_least(0, scale=scale)
        self._scale = scale

    def standard(self, problem: ArgmaxProblem) -> Tensor:
        """Returns a sample of the standard distribution, which `sample` multiplies by the scale."""
        raise NotImplementedError

    def standard_slope(self, noise: Tensor) -> Tensor:
        """
        Returns the derivative of minus the logarithm of the standard density, elementwise.
        Optional.
        """
        raise NotImplementedError

    def sample(self, problem: ArgmaxProblem) -> Tensor:
        """
        Returns a perturbation of `problem.scores`, in their shape and in single precision at least;
        never differentiable. Its values for illegal parts mean nothing.
        """
        return self._scale * self.standard(problem)

    def samples(self, problem: ArgmaxProblem, num_samples: int) -> Tensor:
        """Returns independent perturbations, shape `(num_samples, batch_size, *parts)`."""
        return torch.stack([self.sample(problem) for _ in range(num_samples)])

    def sample_objects(
        self, problem: ArgmaxProblem, num_samples: int
    ) -> Tuple[Tensor, NoiseSamples]:
        """
        Returns the mean of the best objects under `num_samples` perturbations, in the shape of the
        scores, and the perturbations with their objects.
        """
        noise = self.samples(problem, num_samples)
        vertices = problem.argmaxes(problem.scores + noise)
        return vertices.mean(dim=0), NoiseSamples(noise, vertices)

    def slope(self, noise: Tensor) -> Tensor:
        """
        Returns the derivative of minus the log-density of `sample`, elementwise. Its mean is zero.
        """
        return self.standard_slope(noise / self._scale) / self._scale

    def check_slope(self, wanted_by: str) -> None:
        """
        Checks that the noise has a slope and that its scale is not zero.

        # Raises

        `ConfigurationError` if not; it names the estimator `wanted_by`, which needs the slope.
        """
        name = type(self).__name__
        if type(self).standard_slope is Noise.standard_slope:
            raise ConfigurationError(
                f"{wanted_by} needs the slope of the density of its noise, which {name} does not "
                "provide. Choose noise: 'gumbel' or 'normal', or the estimator 'implicit_mle', "
                "which takes any noise."
            )
        if self._scale == 0:
            raise ConfigurationError(f"{wanted_by} needs noise, but the scale of {name} is 0.")


@Noise.register("gumbel")
class GumbelNoise(Noise):
    """
    Gumbel noise. The standard distribution has mean 0.577 (Euler's constant) and variance 1.645. On
    `categorical` the argmax of the perturbed scores is an exact sample
    ([Papandreou & Yuille, 2011](https://doi.org/10.1109/ICCV.2011.6126242)).

    Registered as a `Noise` with name "gumbel".
    """

    def standard(self, problem: ArgmaxProblem) -> Tensor:
        # -log of an exponential is Gumbel
        return -_empty_like(problem.scores).exponential_().log()

    def standard_slope(self, noise: Tensor) -> Tensor:
        return 1 - torch.exp(-noise)


@Noise.register("normal")
class NormalNoise(Noise):
    """
    Normal noise. The standard distribution has mean 0 and variance 1.

    Registered as a `Noise` with name "normal".
    """

    def standard(self, problem: ArgmaxProblem) -> Tensor:
        return _empty_like(problem.scores).normal_()

    def standard_slope(self, noise: Tensor) -> Tensor:
        return noise


@Noise.register("sum_of_gamma")
class SumOfGammaNoise(Noise):
    """
    Noise such that the sum of `k` independent standard samples has a Gumbel distribution: the
    perturbation of the score of an object of `k` parts is then a Gumbel variable
    ([Niepert, Minervini & Franceschi, 2021](https://arxiv.org/abs/2106.01798), section 4.1):
    `(sum_{i=1..num_terms} Gamma(1/k, scale k/i) - log num_terms) / k`.

    Registered as a `Noise` with name "sum_of_gamma".

    # Parameters

    scale : `float`, optional (default = `1.0`)
    k : `float`, optional (default = `None`)
        By default, for each instance the number of parts of its best object.
    num_terms : `int`, optional (default = `10`)
        With infinitely many terms the sum of `k` samples is exactly Gumbel.
    """

    def __init__(self, scale: float = 1.0, k: Optional[float] = None, num_terms: int = 10) -> None:
        super().__init__(scale)
        check_positive(k=k)
        check_counts(num_terms=num_terms)
        self._k = k
        self._num_terms = num_terms

    def standard(self, problem: ArgmaxProblem) -> Tensor:
        return self._standard(problem.scores, self._sizes(problem))

    def samples(self, problem: ArgmaxProblem, num_samples: int) -> Tensor:
        sizes = self._sizes(problem)  # an argmax, for all samples
        noise = [self._standard(problem.scores, sizes) for _ in range(num_samples)]
        return self._scale * torch.stack(noise)

    def _standard(self, scores: Tensor, sizes: Tensor) -> Tensor:
        like = _empty_like(scores)
        k = per_instance(sizes.to(like.dtype), like)
        shape = (1 / k).expand_as(like).contiguous()
        total = torch.zeros_like(like)
        for term in range(1, self._num_terms + 1):
            total += torch._standard_gamma(shape) * (k / term)
        return (total - torch.log(total.new_tensor(self._num_terms))) / k

    def _sizes(self, problem: ArgmaxProblem) -> Tensor:
        """Returns `k` of each instance, shape `(batch_size,)`."""
        if self._k is not None:
            return problem.scores.new_full((problem.scores.size(0),), self._k)
        # The best object under invalid scores is NaN, and no gamma variable can be sampled from
        # that.
        invalid = invalid_instances(problem.mask, is_score, problem.scores)
        if invalid is not None:
            problem = problem.at(without_invalid(problem.scores, invalid, problem.mask))
        return flatten_parts(problem.argmax()).sum(dim=-1).clamp(min=1)


def _empty_like(scores: Tensor) -> Tensor:
    return scores.new_empty(scores.shape, dtype=torch.promote_types(scores.dtype, torch.float32))
