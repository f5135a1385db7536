import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.testing import assert_close

from spigot_allennlp.modules.sentence_encoder import SentenceEncoder


def encoder():
    torch.manual_seed(0)
    vocab = Vocabulary()
    for word in ["a", "b", "c"]:
        vocab.add_token_to_namespace(word)
    params = Params(
        {
            "text_field_embedder": {
                "token_embedders": {"words": {"type": "embedding", "embedding_dim": 4}}
            },
            "encoder": {"type": "lstm", "input_size": 4, "hidden_size": 3, "bidirectional": True},
        }
    )
    return SentenceEncoder.from_params(params, vocab=vocab).eval()


def test_the_root_comes_first_and_the_tokens_follow():
    tokens = {"words": {"tokens": torch.tensor([[2, 3, 4], [2, 0, 0]])}}
    module = encoder()
    states, mask = module(tokens)
    assert states.shape == (2, 4, module.get_output_dim()) == (2, 4, 6)
    assert mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert_close(states[0, 0], states[1, 0])
    assert not torch.equal(states[0, 1], states[0, 2])


def test_padding_changes_nothing():
    module = encoder()
    padded, _ = module({"words": {"tokens": torch.tensor([[2, 3, 0], [4, 3, 2]])}})
    alone, _ = module({"words": {"tokens": torch.tensor([[2, 3]])}})
    assert_close(padded[0, :3], alone[0])


def test_without_an_encoder_the_embedded_tokens_are_the_states():
    vocab = Vocabulary()
    embedders = {"words": {"type": "embedding", "num_embeddings": 5, "embedding_dim": 4}}
    params = Params({"text_field_embedder": {"token_embedders": embedders}})
    module = SentenceEncoder.from_params(params, vocab=vocab).eval()
    states, _ = module({"words": {"tokens": torch.tensor([[2, 3], [4, 0]])}})
    weight = module._embedder.token_embedder_words.weight
    assert module.get_output_dim() == 4
    assert_close(states[0, 1:], weight[2:4])
    assert_close(states[1, 1:], torch.stack([weight[4], torch.zeros(4)]))


@pytest.mark.parametrize("kind", ["lstm", "sparse_attentive_lstm"])
def test_an_encoder_that_carries_states_from_sentence_to_sentence_is_refused(kind):
    def make(stateful):
        embedders = {"words": {"type": "embedding", "num_embeddings": 5, "embedding_dim": 4}}
        encoder = {"type": kind, "input_size": 4, "hidden_size": 3, "stateful": stateful}
        params = {"text_field_embedder": {"token_embedders": embedders}, "encoder": encoder}
        return SentenceEncoder.from_params(Params(params), vocab=Vocabulary())

    with pytest.raises(ConfigurationError, match='encoder is stateful.*"stateful": false'):
        make(stateful=True)
    make(stateful=False)
