"""Gradients for layers of spiking neurons."""

from spigot_allennlp.modules.spiking_gradient.hm2_bp import HM2BP
from spigot_allennlp.modules.spiking_gradient.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_gradient.surrogate import Surrogate
