"""Encodings of numbers as spikes."""

from spigot_allennlp.modules.spike_encoding.events import Events
from spigot_allennlp.modules.spike_encoding.latency import Latency
from spigot_allennlp.modules.spike_encoding.rate import Rate
from spigot_allennlp.modules.spike_encoding.spike_encoding import SpikeEncoding
