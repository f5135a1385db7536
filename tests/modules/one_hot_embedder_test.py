import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.modules import TokenEmbedder


def test_each_symbol_has_a_one_at_its_place():
    vocab = Vocabulary({"symbols": {"a": 2, "b": 1}})
    params = Params({"type": "one_hot", "vocab_namespace": "symbols"})
    embedder = TokenEmbedder.from_params(params, vocab=vocab).double()
    assert embedder.get_output_dim() == 4  # with padding and the unknown one
    vectors = embedder(torch.tensor([[2, 0, 3]]))
    assert vectors.dtype == torch.double
    assert vectors.tolist() == [[[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]]
