"""
SPIGOT and its relatives for AllenNLP: latent structures that are trained through their argmax.

Importing this package mends AllenNLP where a current stack asks for it, lets the variables of our
configs have their defaults, and registers everything that a config can name.
"""

import spigot_allennlp_startup
from spigot_allennlp import compat

compat.require("allennlp")
spigot_allennlp_startup.install()
compat.mend_what_is_imported()

from spigot_allennlp import (
    ablation,
    callbacks,
    commands,
    data,
    estimators,
    metrics,
    models,
    modules,
    nn,
    predictors,
    projections,
    structures,
    training,
)
