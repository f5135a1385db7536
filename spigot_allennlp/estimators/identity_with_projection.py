"""The identity on projected scores, without the directions that leave the argmax unchanged."""

from typing import Optional

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.nn.instances import at_least_single, flatten_parts, per_instance
from spigot_allennlp.nn.invalid_scores import compute_valid, invalid_instances, is_score
from spigot_allennlp.registrable import ConfigurationError
from spigot_allennlp.structures.structure import Structure


@GradientEstimator.register("identity_with_projection")
class IdentityWithProjection(StraightThrough):
    """
    Projects the scores of an instance: subtracts their mean and divides by their Euclidean norm.
    Neither changes the argmax. The gradient passes through the argmax as if it were the identity,
    and through the projection as autograd computes it
    ([Sahoo et al., 2023](https://arxiv.org/abs/2205.15213), section 3.3). So the scores do not move
    in directions that cannot change the object, and do not grow without bound. Mean and norm are
    taken over the possible parts: those that are legal and do not score minus infinity.

    Registered as a `GradientEstimator` with name "identity_with_projection".

    # Parameters

    center : `bool`, optional (default = `True`)
        Whether to subtract the mean. Only for structures whose objects all have the same number of
        parts.
    normalize : `bool`, optional (default = `True`)
        Whether to divide by the norm.
    max_step_norm : `float`, optional (default = `None`)
        As in `SurrogateEstimator`, of the gradient that reaches the projected scores.
    """

    def __init__(
        self,
        center: bool = True,
        normalize: bool = True,
        max_step_norm: Optional[float] = None,
    ) -> None:
        super().__init__(max_step_norm)
        self._center = center
        self._normalize = normalize

    def check(self, structure: Structure) -> None:
        super().check(structure)
        if self._center and not structure.fixed_size:
            raise ConfigurationError(
                f"{type(self).__name__} subtracts the mean of the scores, which changes the argmax "
                f"of {type(structure).__name__}, whose objects may differ in their number of "
                "parts. Choose another estimator, or set center: false."
            )

    def forward(self, problem: ArgmaxProblem) -> Tensor:
        invalid = invalid_instances(problem.mask, is_score, problem.scores)
        projected = compute_valid(self._project, invalid, problem.mask, problem.scores)
        # Projected scores have the same argmax, so the problem keeps its own scores.
        return self.value_for(projected, problem)

    def _project(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        possible = flatten_parts(mask & (scores != -torch.inf))
        flat = flatten_parts(at_least_single(scores)).masked_fill(~possible, 0)
        if self._center:
            mean = flat.sum(dim=-1, keepdim=True) / possible.sum(dim=-1, keepdim=True).clamp(min=1)
            flat = (flat - mean).masked_fill(~possible, 0)
        if self._normalize:
            norm = torch.linalg.vector_norm(flat, dim=-1)
            # Scores of norm zero stay as they are, rather than 0 / 0.
            flat = flat / per_instance(torch.where(norm > 0, norm, 1), flat)
        return flat.reshape(scores.shape)
