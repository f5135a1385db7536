"""A step size for finite differences of argmaxes that adapts until differences are seen."""

import torch
from allennlp.common import FromParams
from torch import Tensor

from spigot_allennlp.config_checks import check_interval, check_positive
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.nn.instances import flatten_parts


class AdaptiveStep(torch.nn.Module, FromParams):
    """
    Makes a step size grow while the surrogate gradients are sparser than wanted, and shrink while
    they are not ([Minervini, Franceschi & Niepert, 2023](https://arxiv.org/abs/2209.04862), section
    3.2).

    # Parameters

    rate : `float`, optional (default = `1e-3`)
        By how much the step size changes with every backward pass.
    wanted : `float`, optional (default = `1.0`)
        How many entries of an instance's surrogate gradient should differ from zero, in the mean.
    decay : `float`, optional (default = `0.9`)
        Of the moving average of that number.
    """

    _found: Tensor  # the name is in archives: the moving average of nonzero entries

    def __init__(self, rate: float = 1e-3, wanted: float = 1.0, decay: float = 0.9) -> None:
        super().__init__()
        check_positive(rate=rate, wanted=wanted)
        check_interval("[0, 1)", decay=decay)
        self._rate = rate
        self._wanted = wanted
        self._decay = decay
        self.register_buffer("_found", torch.tensor(float(wanted)))

    def size(self, problem: ArgmaxProblem, gradient: Tensor, beta: Tensor) -> Tensor:
        """
        Returns `beta * ||scores|| / ||gradient||` over the possible parts, shape `(batch_size,)`;
        zero where either norm is.
        """
        possible = flatten_parts(problem.scores.masked_fill(~problem.possible, 0)).norm(dim=-1)
        norm = flatten_parts(gradient).norm(dim=-1)
        return torch.where(norm > 0, beta * possible / norm, 0)

    def adapt(self, beta: Tensor, surrogate: Tensor) -> None:
        """Changes `beta`, in place, after a backward pass that computed `surrogate`."""
        if len(surrogate) == 0:
            return
        nonzero = flatten_parts(surrogate != 0).sum(dim=-1).to(self._found.dtype).mean()
        self._found.lerp_(nonzero, 1 - self._decay)
        beta += self._rate if self._found < self._wanted else -self._rate
        beta.clamp_(min=0)
