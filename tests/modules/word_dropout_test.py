import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.modules.word_dropout import WordDropout

WORDS = ["often"] * 9 + ["rare"]


@pytest.fixture
def instances():
    indexers = {
        "words": SingleIdTokenIndexer("tokens"),
        "pos": SingleIdTokenIndexer("pos", feature_name="pos_"),
    }
    return [Instance({"tokens": TextField([Token(w, pos_="N") for w in WORDS], indexers)})]


@pytest.fixture
def vocab(instances):
    return Vocabulary.from_instances(instances)


def tensors(instances, vocab, copies):
    batch = Batch(instances * copies)
    batch.index_instances(vocab)
    return batch.as_tensor_dict()["tokens"]


def test_a_word_is_dropped_with_probability_alpha_over_count_plus_alpha(instances, vocab):
    torch.manual_seed(0)
    tokens = tensors(instances, vocab, copies=4000)
    dropped = WordDropout(vocab, alpha=1.0)(tokens)["words"]["tokens"] == 1
    assert abs(dropped[:, :9].float().mean() - 1 / 10) < 0.01  # "often": count 9
    assert abs(dropped[:, 9].float().mean() - 1 / 2) < 0.03  # "rare": count 1


def test_other_indexers_lose_the_same_tokens_if_asked(instances, vocab):
    torch.manual_seed(0)
    tokens = tensors(instances, vocab, copies=50)
    alone = WordDropout(vocab, alpha=1.0)(tokens)
    assert torch.equal(alone["pos"]["tokens"], tokens["pos"]["tokens"])
    together = WordDropout(vocab, alpha=1.0, together=["pos"])(tokens)
    assert torch.equal(together["pos"]["tokens"] == 1, together["words"]["tokens"] == 1)


def test_evaluation_drops_nothing_and_the_input_is_not_changed(instances, vocab):
    tokens = tensors(instances, vocab, copies=50)
    before = tokens["words"]["tokens"].clone()
    dropout = WordDropout(vocab, alpha=1.0)
    dropout(tokens)
    assert torch.equal(tokens["words"]["tokens"], before)
    assert dropout.eval()(tokens) is tokens


def test_counts_are_saved_with_the_weights(instances, vocab):
    uncounted = Vocabulary()
    uncounted.extend_from_vocab(vocab)
    dropout = WordDropout(uncounted)
    with pytest.raises(ConfigurationError, match="from_instances"):
        dropout(tensors(instances, vocab, copies=1))
    dropout.load_state_dict(WordDropout(vocab).state_dict())
    assert dropout._counts[vocab.get_token_index("often")] == 9


def test_the_workers_of_a_distributed_run_who_read_the_vocabulary_know_the_counts(vocab, tmp_path):
    vocab.save_to_files(tmp_path)
    read = WordDropout(Vocabulary.from_files(tmp_path))
    assert torch.equal(read._counts, WordDropout(vocab)._counts)


def test_an_indexer_that_is_not_there_is_named(instances, vocab):
    with pytest.raises(ConfigurationError, match="'lemmas'.*\\['pos', 'words'\\]"):
        WordDropout(vocab, indexer="lemmas")(tensors(instances, vocab, copies=1))


def test_words_added_to_the_vocabulary_later_count_as_seen_once(instances, vocab):
    dropout = WordDropout(vocab)
    before = dropout._counts.clone()
    vocab.add_token_to_namespace("new", "tokens")
    dropout.extend_vocab(vocab)
    assert torch.equal(dropout._counts[:-1], before)
    assert dropout._counts[-1] == 1


def test_a_namespace_that_is_not_that_of_the_indexer_is_refused(instances, vocab):
    with pytest.raises(ConfigurationError, match="lacks the namespace 'words'"):
        WordDropout(vocab, namespace="words")
    with pytest.raises(ConfigurationError, match="the 3 entries of the namespace 'pos'.*'words'"):
        WordDropout(vocab, namespace="pos")(tensors(instances, vocab, copies=1))
