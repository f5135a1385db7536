"""The estimators that the study compares, including a rule that is not in the package."""

from typing import Callable, Dict, List, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.estimators.blackbox import Blackbox
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.identity_with_projection import IdentityWithProjection
from spigot_allennlp.estimators.implicit_mle import AdaptiveStep, ImplicitMLE
from spigot_allennlp.estimators.perturb_and_map import PerturbAndMAP
from spigot_allennlp.estimators.perturbed import Perturbed
from spigot_allennlp.estimators.problem import ArgmaxProblem, Downstream
from spigot_allennlp.estimators.reinforce import Reinforce
from spigot_allennlp.estimators.sparsemap import SparseMAP
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.spigot_ce import SpigotCE
from spigot_allennlp.estimators.spigot_eg import SpigotEG
from spigot_allennlp.estimators.stochastic_softmax import StochasticSoftmax
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from spigot_allennlp.projections.projection import LocalProjection, Projection
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.structure import Structure


class InteriorSpigot(Spigot):
    """
    SPIGOT's step from the marginals, but with the gradient at the argmax: `spigot_ce` without a
    second run of the rest of the model.
    """

    requires = frozenset({"marginals"})

    def start(self, problem: ArgmaxProblem, value: Tensor) -> Tuple[ArgmaxProblem, Tensor]:
        return problem, problem.at(problem.scores.double()).marginals()


# Makes an estimator in the form that fits a structure.
EstimatorFactory = Callable[[Structure], GradientEstimator]


def _projection(structure: Structure) -> Projection:
    """Returns SPIGOT's own projection, or the exact one for structures that have no other."""
    local = structure.provides("projected_step")
    return LocalProjection() if local else SparseMAPProjection()


# Random estimators: their gradients differ from call to call.
RANDOM: Dict[str, EstimatorFactory] = {
    "stochastic_softmax": lambda _: StochasticSoftmax(),
    "perturb_and_map": lambda _: PerturbAndMAP(),
    "perturbed": lambda _: Perturbed(),
    "implicit_mle": lambda _: ImplicitMLE(),
    "implicit_mle, adaptive": lambda _: ImplicitMLE(adaptive=AdaptiveStep(), symmetric=True),
    "reinforce": lambda _: Reinforce(),
    "reinforce, 4 samples": lambda _: Reinforce(num_samples=4),
}
DETERMINISTIC: Dict[str, EstimatorFactory] = {
    "structured_attention": lambda _: StructuredAttention(),
    "sparsemap": lambda _: SparseMAP(),
    "straight_through": lambda _: StraightThrough(),
    "straight_through_marginals": lambda _: StraightThroughMarginals(),
    # The mean is not removed if objects differ in size.
    "identity_with_projection": lambda structure: IdentityWithProjection(
        center=structure.fixed_size
    ),
    "blackbox": lambda _: Blackbox(),
    "spigot_ce": lambda structure: SpigotCE(projection=_projection(structure)),
    "spigot_eg": lambda _: SpigotEG(),
    "spigot": lambda structure: Spigot(projection=_projection(structure)),
    "spigot, step 0.1": lambda structure: Spigot(step_size=0.1, projection=_projection(structure)),
    "spigot, two-sided": lambda structure: Spigot(
        projection=_projection(structure), two_sided=True
    ),
    "spigot, projection sparsemap": lambda _: Spigot(projection=SparseMAPProjection()),
}
# Built for the study.
EXPERIMENTS: Dict[str, EstimatorFactory] = {
    "spigot, from the marginals": lambda structure: InteriorSpigot(
        projection=_projection(structure)
    ),
    "spigot, from the marginals, two-sided": lambda structure: InteriorSpigot(
        projection=_projection(structure), two_sided=True
    ),
}
RIVALS: Dict[str, EstimatorFactory] = {**DETERMINISTIC, **EXPERIMENTS, **RANDOM}


def names_for(structure: Structure) -> List[str]:
    """
    Returns the names in `RIVALS` that differ on a structure: if SPIGOT's own projection is exact or
    missing, there is no separate row for the exact one.
    """
    relaxed = structure.provides("projected_step") and not structure.provides("hull_jvp")
    return [name for name in RIVALS if relaxed or name != "spigot, projection sparsemap"]


def make_estimator(name: str, structure: Structure) -> GradientEstimator:
    """Returns the estimator with a name in `RIVALS` for a structure, in training mode."""
    return RIVALS[name](structure).train()


def score_gradients(
    estimator: GradientEstimator,
    structure: Structure,
    scores: Tensor,
    mask: BoolTensor,
    downstream: Downstream,
) -> Tensor:
    """Returns the gradient of each instance's own loss, with the shape of `scores`."""
    leaf = scores.detach().clone().requires_grad_()
    problem = ArgmaxProblem(structure, leaf, mask.expand(scores.shape), downstream)
    value = estimator(problem)
    losses = problem.losses(value)
    # The auxiliary loss is a mean over the instances.
    (losses.sum() + len(scores) * estimator.auxiliary_loss(problem, value, losses)).backward()
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
