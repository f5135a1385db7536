"""Encoders of sequences to sequences."""

from spigot_allennlp.modules.seq2seq_encoders.spiking_encoder import SpikingSeq2SeqEncoder
