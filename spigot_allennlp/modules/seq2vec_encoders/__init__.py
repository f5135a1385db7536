"""Encoders of sequences to vectors."""

from spigot_allennlp.modules.seq2vec_encoders.spiking_encoder import SpikingSeq2VecEncoder
