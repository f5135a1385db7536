"""Estimators that pull the downstream loss back to a target for the intermediate object."""

from typing import Any, Optional, Tuple

from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_positive
from spigot_allennlp.estimators.gradient_estimator import SurrogateEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import at_least_single


class PulledBackEstimator(SurrogateEstimator):
    """
    A family of surrogates, including SPIGOT, that take a few steps towards a better object.

    Which object would have had a lower loss? From a start `mu_0`, a few steps down the gradient of
    the downstream loss lead to a target `mu_k`, and the scores learn from this as they would from a
    gold object: `dL/dscores = mu_0 - mu_k`
    ([Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3).

    Started at the argmax this is the gradient of the perceptron loss; started at the marginals,
    that of the cross-entropy. A subclass defines where to start (`start`, by default the argmax)
    and how to take a step (`advance`). If it starts elsewhere, it sets `starts_at_argmax` to False,
    because the gradient there is not known.

    # Parameters

    step_size : `float`, optional (default = `1.0`)
        Per instance: it multiplies the gradient of the instance's own loss, whatever the batch
        size.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`.
    num_steps : `int`, optional (default = `1`)
        Each step uses the gradient at the point reached. At the argmax it is known; at any other
        point the rest of the model runs again to compute it, with the dropout of the first
        evaluation.
    """

    starts_at_argmax = True

    def __init__(
        self, step_size: float = 1.0, max_step_norm: Optional[float] = None, num_steps: int = 1
    ) -> None:
        super().__init__(max_step_norm)
        check_positive(step_size=step_size)
        check_counts(num_steps=num_steps)
        self._step_size = step_size
        self._num_steps = num_steps

    @property
    def reevaluates(self) -> bool:
        return self._num_steps > 1 or not self.starts_at_argmax

    def start(self, problem: ArgmaxProblem, value: Tensor) -> Tuple[ArgmaxProblem, Tensor]:
        """Returns the problem and the point `mu_0` from which the first step is taken."""
        return problem, at_least_single(value)

    def advance(
        self, problem: ArgmaxProblem, point: Tensor, step: Tensor
    ) -> Tuple[ArgmaxProblem, Tensor]:
        """
        Subtracts `step`, the scaled gradient, from the point. Returns the problem from which the
        next step is taken, and the displacement `point - next`. Where this is small, the difference
        of the two points would lose it to rounding.
        """
        raise NotImplementedError

    def pull_back(
        self, problem: ArgmaxProblem, value: Tensor, gradient: Tensor, state: Any
    ) -> Tensor:
        here, origin = self.start(problem, value)
        moved = origin.new_zeros(origin.shape)
        for number in range(self._num_steps):
            point = origin - moved
            if number > 0 or not self.starts_at_argmax:
                gradient = problem.downstream_gradient(point.to(at_least_single(value).dtype))
            step = self.bounded(self._step_size * at_least_single(gradient))
            here, displacement = self.advance(here, point, step)
            moved = moved + displacement
        return moved
