"""The identity, on scores without the directions that leave the argmax as it is."""

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
    Projects the scores of an instance: subtracts their mean and divides by their Euclidean norm,
    neither of which changes the argmax. The gradient passes the argmax as if it were the identity,
    and the projection as it should
    ([Sahoo et al., 2023](https://arxiv.org/abs/2205.15213), section 3.3). So the scores are not
    moved in directions in which they cannot change the object, and cannot run away. Mean and norm
    are those of the possible parts: legal, and not of score minus infinity.

    Registered as a `GradientEstimator` with name "identity_with_projection".

    # Parameters

    center : `bool`, optional (default = `True`)
        Whether the mean is subtracted. Only of structures whose objects all have the same number of
        parts.
    normalize : `bool`, optional (default = `True`)
        Whether the norm is made one.
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
        # It has the same argmax, which is therefore that of the scores as they are.
        return self.value_for(projected, problem)

    def _project(self, scores: Tensor, mask: BoolTensor) -> Tensor:
        possible = flatten_parts(mask & (scores != -torch.inf))
        flat = flatten_parts(at_least_single(scores)).masked_fill(~possible, 0)
        if self._center:
            mean = flat.sum(dim=-1, keepdim=True) / possible.sum(dim=-1, keepdim=True).clamp(min=1)
            flat = (flat - mean).masked_fill(~possible, 0)
        if self._normalize:
            norm = torch.linalg.vector_norm(flat, dim=-1)
            # Scores that are all the same stay as they are, rather than 0 / 0.
            flat = flat / per_instance(torch.where(norm > 0, norm, 1), flat)
        return flat.reshape(scores.shape)
