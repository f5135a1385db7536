"""The argmax forward, the Jacobian of the marginals backward."""

from torch import Tensor

from spigot_allennlp.config_checks import check_positive
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem


@GradientEstimator.register("straight_through_marginals")
class StraightThroughMarginals(GradientEstimator):
    """
    The rest of the model receives the argmax, and its gradient goes back as if it had received the
    marginals: `dL/ds = J(s) dL/dz`, with `J` the Jacobian of the marginals of
    `p(z) ∝ exp <s / temperature, z>` (STE-S in
    [Mihaylova, Niculae & Martins, 2020](https://arxiv.org/abs/2010.02357), section 3.2). On
    `categorical` it is the Jacobian of the softmax, all of it: that paper's code has the diagonal.

    Registered as a `GradientEstimator` with name "straight_through_marginals". Needs
    `log_partition` of its structure.

    # Parameters

    temperature : `float`, optional (default = `1.0`)
    """

    requires = frozenset({"log_partition"})

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self._temperature = temperature

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        marginals = problem.at(problem.scores / self._temperature).marginals()
        # The difference is zero, and leaves the argmax exact.
        return problem.argmax() + (marginals - marginals.detach())
