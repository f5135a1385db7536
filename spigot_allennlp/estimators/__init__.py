"""Defines the backward pass through an argmax: SPIGOT and its rivals, a file each."""

from spigot_allennlp.estimators.blackbox import Blackbox
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.identity_with_projection import IdentityWithProjection
from spigot_allennlp.estimators.implicit_mle import AdaptiveStep, ImplicitMLE
from spigot_allennlp.estimators.noise import Noise
from spigot_allennlp.estimators.perturb_and_map import PerturbAndMAP
from spigot_allennlp.estimators.perturbed import Perturbed
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.pulled_back_estimator import PulledBackEstimator
from spigot_allennlp.estimators.reinforce import Reinforce
from spigot_allennlp.estimators.sparsemap import SparseMAP
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.spigot_ce import SpigotCE
from spigot_allennlp.estimators.spigot_eg import SpigotEG
from spigot_allennlp.estimators.stochastic_softmax import StochasticSoftmax
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.estimators.straight_through_marginals import StraightThroughMarginals
from spigot_allennlp.estimators.structured_attention import StructuredAttention

__all__ = [
    "AdaptiveStep",
    "ArgmaxProblem",
    "Blackbox",
    "GradientEstimator",
    "IdentityWithProjection",
    "ImplicitMLE",
    "Noise",
    "PerturbAndMAP",
    "Perturbed",
    "Pipeline",
    "PulledBackEstimator",
    "Reinforce",
    "SparseMAP",
    "Spigot",
    "SpigotCE",
    "SpigotEG",
    "StochasticSoftmax",
    "StraightThrough",
    "StraightThroughMarginals",
    "StructuredAttention",
    "SurrogateEstimator",
]
