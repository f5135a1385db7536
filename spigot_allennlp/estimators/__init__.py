"""Floor 4: what the backward pass does."""

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator, SurrogateEstimator
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.problem import ArgmaxProblem
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.estimators.structured_attention import StructuredAttention

__all__ = [
    "ArgmaxProblem",
    "GradientEstimator",
    "Pipeline",
    "Spigot",
    "StraightThrough",
    "StructuredAttention",
    "SurrogateEstimator",
]
