"""Encoders that any AllenNLP config can name."""

from spigot_allennlp.modules.seq2seq_encoders.sparse_attentive_lstm import SparseAttentiveLstm
from spigot_allennlp.modules.seq2seq_encoders.spiking_encoder import SpikingSeq2SeqEncoder

__all__ = ["SparseAttentiveLstm", "SpikingSeq2SeqEncoder"]
