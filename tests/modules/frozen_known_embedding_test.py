import json

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import load_archive
from allennlp.modules import TokenEmbedder
from allennlp.training.optimizers import Optimizer

from spigot_allennlp.modules.frozen_known_embedding import FrozenKnownEmbedding
from tests.models.embedders_test import only, train

THE, OF = [1.0, 2.0], [-3.0, 0.5]


@pytest.fixture
def vectors(tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_text("the 1.0 2.0\nof -3.0 0.5\nunseen 9 9\n")
    return str(file)


def vocabulary(*words):
    return Vocabulary(tokens_to_add={"tokens": list(words)})


def embedding(vocab, vectors):
    params = {"type": "frozen_known_embedding", "embedding_dim": 2, "pretrained_file": vectors}
    return TokenEmbedder.from_params(Params(params), vocab=vocab)


def test_known_words_keep_their_vectors_in_training_and_others_do_not(vectors):
    vocab = vocabulary("the", "zyx", "of")
    module = embedding(vocab, vectors)
    ids = torch.tensor([[vocab.get_token_index(word) for word in ("the", "zyx", "of")]])
    before = module(ids).detach()
    assert before[0, 0].tolist() == THE and before[0, 2].tolist() == OF
    config = {"type": "fused_adam", "lr": 0.1, "weight_decay": 0.5, "decoupled_weight_decay": True}
    optimizer = Optimizer.from_params(
        Params(config), model_parameters=list(module.named_parameters())
    )
    module(ids).sum().backward()
    optimizer.step()
    after = module(ids).detach()
    assert after[0, [0, 2]].equal(before[0, [0, 2]])
    # Adam's first step is the rate, 0.1; before that the decay takes 0.05 of the vector.
    torch.testing.assert_close(after[0, 1], 0.95 * before[0, 1] - 0.1)


def test_without_a_file_all_words_are_learned():
    module = FrozenKnownEmbedding(vocabulary("the"), 2)
    module(torch.tensor([[1, 2]])).sum().backward()
    assert module._learned.weight.grad[1:].equal(torch.ones(2, 2))
    assert module.get_output_dim() == 2


def test_words_that_come_later_are_learned(vectors):
    vocab = vocabulary("the")
    module = embedding(vocab, vectors)
    vocab.add_token_to_namespace("later")
    module.extend_vocab(vocab)
    out = module(torch.tensor([[2, 3]]))
    assert out[0, 0].tolist() == THE
    out.sum().backward()
    assert module._learned.weight.grad[3].tolist() == [1, 1]


def test_a_file_without_any_of_the_words_is_refused(vectors):
    with pytest.raises(ConfigurationError, match="none of the 3 words"):
        embedding(vocabulary("xyz"), vectors)


def test_an_archive_holds_the_vectors(vectors, tmp_path):
    embedder = {"type": "frozen_known_embedding", "embedding_dim": 2, "pretrained_file": vectors}
    indexer = {"type": "single_id", "lowercase_tokens": True}
    train(json.loads(json.dumps(only(indexer, embedder, 2))), tmp_path / "run")
    (tmp_path / "vectors.txt").unlink()
    model = load_archive(str(tmp_path / "run" / "model.tar.gz")).model
    index = torch.tensor([[model.vocab.get_token_index("the", "tokens")]])
    module = model.encoder._embedder.token_embedder_only
    assert module(index)[0, 0].tolist() == THE
