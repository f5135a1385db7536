"""The estimators that the study compares, and three rules that are no options of the package."""

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
from spigot_allennlp.projections.sparsemap import SparseMAPProjection
from spigot_allennlp.structures.structure import Structure


class TwoSidedSpigot(Spigot):
    """
    Half the difference of two projected steps from the argmax, against the gradient and along it:
    `(P(z + step) - P(z - step)) / 2`. Of the opposite gradient it is the opposite.
    """

    def advance(
        self, problem: ArgmaxProblem, point: Tensor, step: Tensor
    ) -> Tuple[ArgmaxProblem, Tensor]:
        _, against = super().advance(problem, point, step)
        _, along = super().advance(problem, point, -step)
        return problem, (against - along) / 2


class InteriorSpigot(Spigot):
    """
    SPIGOT's step from the marginals, with the gradient that arrives at the argmax: `spigot_ce`
    without a second run of the rest of the model.
    """

    requires = frozenset({"log_partition"})

    def start(self, problem: ArgmaxProblem, value: Tensor) -> Tuple[ArgmaxProblem, Tensor]:
        return problem, problem.at(problem.scores.double()).marginals()


class TwoSidedInteriorSpigot(TwoSidedSpigot, InteriorSpigot):
    """The two-sided step from the marginals, with the gradient that arrives at the argmax."""


Make = Callable[[], GradientEstimator]

# What is random differs from call to call.
RANDOM: Dict[str, Make] = {
    "stochastic_softmax": StochasticSoftmax,
    "perturb_and_map": PerturbAndMAP,
    "perturbed": Perturbed,
    "implicit_mle": ImplicitMLE,
    "implicit_mle, adaptive": lambda: ImplicitMLE(adaptive=AdaptiveStep(), symmetric=True),
    "reinforce": Reinforce,
    "reinforce, 4 samples": lambda: Reinforce(num_samples=4),
}
DETERMINISTIC: Dict[str, Make] = {
    "structured_attention": StructuredAttention,
    "sparsemap": SparseMAP,
    "straight_through": StraightThrough,
    "straight_through_marginals": StraightThroughMarginals,
    "identity_with_projection": IdentityWithProjection,
    "blackbox": Blackbox,
    "spigot_ce": SpigotCE,
    "spigot_eg": SpigotEG,
    "spigot": Spigot,
    "spigot, step 0.1": lambda: Spigot(step_size=0.1),
    "spigot, projection sparsemap": lambda: Spigot(projection=SparseMAPProjection()),
}
# Built for the study.
EXPERIMENTS: Dict[str, Make] = {
    "spigot, two-sided": TwoSidedSpigot,
    "spigot, from the marginals": InteriorSpigot,
    "spigot, from the marginals, two-sided": TwoSidedInteriorSpigot,
}
RIVALS: Dict[str, Make] = {**DETERMINISTIC, **EXPERIMENTS, **RANDOM}


def names_for(structure: Structure) -> List[str]:
    """
    Returns the names in `RIVALS` that differ on a structure: where SPIGOT's own projection is
    exact, or missing, there is no other row for the exact one.
    """
    relaxed = structure.provides("projected_step") and not structure.provides("hull_jvp")
    return [name for name in RIVALS if relaxed or name != "spigot, projection sparsemap"]


def make(name: str, structure: Structure) -> GradientEstimator:
    """
    Returns the estimator of a name in `RIVALS`, in the form that suits the structure: SPIGOT onto
    the exact hull where no other projection is known, the identity without the mean where objects
    differ in size.
    """
    estimator: GradientEstimator
    if name == "identity_with_projection":
        estimator = IdentityWithProjection(center=structure.fixed_size)
    else:
        estimator = RIVALS[name]()
    if isinstance(estimator, Spigot) and not structure.provides("projected_step"):
        estimator._projection = SparseMAPProjection()
    return estimator.train()


def score_gradients(
    estimator: GradientEstimator,
    structure: Structure,
    scores: Tensor,
    mask: BoolTensor,
    downstream: Downstream,
) -> Tensor:
    """Returns the gradient of each instance's own loss, of the shape of `scores`."""
    leaf = scores.detach().clone().requires_grad_()
    problem = ArgmaxProblem(structure, leaf, mask.expand(scores.shape), downstream)
    value = estimator(problem)
    losses = problem.losses(value)
    # What is added to the loss is a mean over the instances.
    (losses.sum() + len(scores) * estimator.auxiliary_loss(problem, value, losses)).backward()
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
