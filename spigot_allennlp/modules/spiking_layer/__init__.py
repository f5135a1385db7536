"""Layers of spiking neurons."""

from spigot_allennlp.modules.spiking_layer.convolution import Convolution
from spigot_allennlp.modules.spiking_layer.fully_connected import FullyConnected
from spigot_allennlp.modules.spiking_layer.pooling import Pooling
from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer
