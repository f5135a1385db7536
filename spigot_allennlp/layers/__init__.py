"""
Layers and losses for any model in PyTorch: `StructuredArgmaxLayer`, and solvers of your own.

AllenNLP need not be installed.
"""

from spigot_allennlp.layers.differentiable_solver import DifferentiableSolver
from spigot_allennlp.layers.losses import (
    hinge_loss,
    negative_log_likelihood,
    perceptron_loss,
    perturbed_loss,
    sparsemap_loss,
    spo_plus_loss,
)
from spigot_allennlp.layers.solver_structure import SolverStructure
from spigot_allennlp.layers.structured_argmax_layer import (
    FirstOutput,
    Latent,
    StructuredArgmaxLayer,
)

__all__ = [
    "DifferentiableSolver",
    "FirstOutput",
    "Latent",
    "SolverStructure",
    "StructuredArgmaxLayer",
    "hinge_loss",
    "negative_log_likelihood",
    "perceptron_loss",
    "perturbed_loss",
    "sparsemap_loss",
    "spo_plus_loss",
]
