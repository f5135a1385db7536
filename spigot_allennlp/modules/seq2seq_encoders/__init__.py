"""Encoders that any AllenNLP config can name."""

from spigot_allennlp.modules.seq2seq_encoders.sparse_attentive_lstm import SparseAttentiveLstm

__all__ = ["SparseAttentiveLstm"]
