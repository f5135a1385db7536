"""What transformers and huggingface_hub have changed since AllenNLP 2.10.1."""

import pytest
import torch
import transformers
from allennlp.common import cached_transformers, push_to_hf
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer
from allennlp.data.tokenizers import PretrainedTransformerTokenizer
from allennlp.modules.token_embedders import (
    PretrainedTransformerEmbedder,
    PretrainedTransformerMismatchedEmbedder,
)
from allennlp.training.optimizers import HuggingfaceAdamWOptimizer

from tests.tiny_transformer import SPECIAL, save_tiny_transformer

PIECES = [*SPECIAL, *"a b c ##a ##b ##c the cat sat".split()]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """The folder of a BERT with random weights."""
    return save_tiny_transformer(tmp_path_factory.mktemp("bert"), PIECES[len(SPECIAL) :])


@pytest.fixture(autouse=True)
def no_cache():
    """AllenNLP keeps one model of a name, whatever its options are."""
    cached_transformers._clear_caches()


def test_a_sentence_is_tokenized_with_the_special_tokens(bert):
    tokens = PretrainedTransformerTokenizer(bert).tokenize("the cat abc")
    assert [str(token) for token in tokens] == "[CLS] the cat a ##b ##c [SEP]".split()


def test_special_tokens_are_left_out_when_asked_for(bert):
    tokens = PretrainedTransformerTokenizer(bert, add_special_tokens=False).tokenize("the cat")
    assert [str(token) for token in tokens] == ["the", "cat"]


def batch_of(indexer, *sentences):
    """The tensors of sentences, for an embedder."""
    fields = [
        TextField([Token(word) for word in words.split()], {"x": indexer}) for words in sentences
    ]
    batch = Batch([Instance({"tokens": field}) for field in fields])
    batch.index_instances(Vocabulary())
    return batch.as_tensor_dict()["tokens"]["x"]


def states_of(bert, pieces, **options):
    """Returns what the transformer itself makes of some pieces, without batches and masks."""
    ids = torch.tensor([[PIECES.index(piece) for piece in pieces.split()]])
    return transformers.BertModel.from_pretrained(bert).eval()(ids, **options)


def test_words_are_embedded_as_the_transformer_itself_embeds_their_pieces(bert):
    tensors = batch_of(PretrainedTransformerMismatchedIndexer(bert), "the cat abc")
    embedder = PretrainedTransformerMismatchedEmbedder(bert).eval()
    (states,) = states_of(bert, "[CLS] the cat a ##b ##c [SEP]").last_hidden_state
    expected = torch.stack([states[1], states[2], states[3:6].mean(0)])
    torch.testing.assert_close(embedder(**tensors)[0], expected)


def test_padding_changes_nothing(bert):
    indexer = PretrainedTransformerMismatchedIndexer(bert)
    embedder = PretrainedTransformerMismatchedEmbedder(bert).eval()
    together = embedder(**batch_of(indexer, "cat", "the cat abc sat"))
    torch.testing.assert_close(together[:1, :1], embedder(**batch_of(indexer, "cat")))


def test_layers_are_mixed(bert):
    embedder = PretrainedTransformerMismatchedEmbedder(bert, last_layer_only=False).eval()
    tensors = batch_of(PretrainedTransformerMismatchedIndexer(bert), "the cat")
    outputs = states_of(bert, "[CLS] the cat [SEP]", output_hidden_states=True)
    _, first, second = outputs.hidden_states
    expected = (first + second) / 2  # the weights are equal before training
    torch.testing.assert_close(embedder(**tensors), expected[:, 1:3])


def test_a_long_sentence_is_split_into_segments_with_special_tokens(bert):
    indexer = PretrainedTransformerMismatchedIndexer(bert, max_length=5)
    words = [Token(word) for word in "the cat abc sat".split()]
    indices = indexer.tokens_to_indices(words, Vocabulary())
    segments = "[CLS] the cat a [SEP] [CLS] ##b ##c sat [SEP]"
    assert [PIECES[index] for index in indices["token_ids"]] == segments.split()


@pytest.mark.parametrize("sub_token_mode", ["avg", "first"])
def test_the_segments_of_a_long_sentence_are_embedded_each_by_itself(bert, sub_token_mode):
    indexer = PretrainedTransformerMismatchedIndexer(bert, max_length=5)
    embedder = PretrainedTransformerMismatchedEmbedder(
        bert, max_length=5, sub_token_mode=sub_token_mode
    ).eval()
    embedded = embedder(**batch_of(indexer, "the cat abc sat", "cat"))
    (first,) = states_of(bert, "[CLS] the cat a [SEP]").last_hidden_state
    (second,) = states_of(bert, "[CLS] ##b ##c sat [SEP]").last_hidden_state
    pieces = torch.stack([first[3], second[1], second[2]])
    abc = pieces.mean(0) if sub_token_mode == "avg" else pieces[0]
    torch.testing.assert_close(embedded[0], torch.stack([first[1], first[2], abc, second[3]]))
    (alone,) = states_of(bert, "[CLS] cat [SEP]").last_hidden_state
    torch.testing.assert_close(embedded[1, 0], alone[1])


def tokenizers():
    """Tokenizers that put special tokens before and after a sequence, after it, and nowhere."""
    letters = list("abc")
    numbered = {piece: number for number, piece in enumerate([*letters, "<|endoftext|>"])}
    scored = [(piece, 0.0) for piece in ("<pad>", "</s>", "<unk>", "▁", *letters)]
    marked = {
        piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])
    }
    return [
        transformers.BertTokenizer(vocab={piece: number for number, piece in enumerate(PIECES)}),
        transformers.RobertaTokenizer(vocab=marked, merges=[]),
        transformers.T5Tokenizer(vocab=scored, extra_ids=0),
        transformers.GPT2Tokenizer(vocab=numbered, merges=[]),
    ]


@pytest.mark.parametrize("tokenizer", tokenizers(), ids=lambda value: type(value).__name__)
def test_special_tokens_are_put_around_ids_as_around_text(bert, tokenizer):
    cached_transformers.get_tokenizer(bert)  # mends what it returns, and all of its kind
    within = tokenizer.encode("abc", add_special_tokens=False)
    around = tokenizer.build_inputs_with_special_tokens(within)
    assert around == tokenizer.encode("abc", add_special_tokens=True)


@pytest.fixture(scope="module")
def bert_of_16_bits(bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp("half")
    transformers.BertModel.from_pretrained(bert).half().save_pretrained(folder)
    transformers.BertTokenizer.from_pretrained(bert).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("load_weights", [True, False])
def test_a_model_of_16_bits_is_loaded_with_32(bert_of_16_bits, load_weights):
    embedder = PretrainedTransformerEmbedder(bert_of_16_bits, load_weights=load_weights)
    assert {parameter.dtype for parameter in embedder.parameters()} == {torch.float32}


def test_a_config_may_ask_for_16_bits(bert):
    model = cached_transformers.get(bert, True, dtype=torch.float16)
    assert model.dtype == torch.float16


def test_the_last_layer_is_initialized_again_when_asked_for(bert):
    torch.manual_seed(1)
    before = cached_transformers.get(bert, True).encoder.layer
    after = cached_transformers.get(bert, True, reinit_modules=1).encoder.layer
    weights = [
        layers[number].output.dense.weight for number in (0, 1) for layers in (before, after)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[2], weights[3])


@pytest.mark.parametrize("checkpointing, runs", [(False, 1), (True, 2)])
def test_gradient_checkpointing_runs_a_layer_again(bert, checkpointing, runs):
    embedder = PretrainedTransformerMismatchedEmbedder(bert, gradient_checkpointing=checkpointing)
    layer = embedder._matched_embedder.transformer_model.encoder.layer[0]
    calls = []
    layer.attention.register_forward_hook(lambda *_: calls.append(1))
    tensors = batch_of(PretrainedTransformerMismatchedIndexer(bert), "the cat")
    embedder.train()(**tensors).sum().backward()
    assert len(calls) == runs
    assert layer.output.dense.weight.grad is not None


def test_the_adamw_of_hugging_face_is_that_of_pytorch():
    steps = []
    for build in (
        lambda parameter: HuggingfaceAdamWOptimizer([("p", parameter)], lr=0.1, weight_decay=0.2),
        lambda parameter: torch.optim.AdamW([parameter], lr=0.1, weight_decay=0.2),
    ):
        parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = build(parameter)
        parameter.grad = torch.tensor([0.3, 0.4])
        optimizer.step()
        steps.append(parameter.detach())
    torch.testing.assert_close(*steps, rtol=1e-3, atol=1e-3)


def test_push_to_hf_can_be_imported_and_nobody_else_sees_what_is_gone():
    import huggingface_hub

    assert callable(push_to_hf.push_to_hf if hasattr(push_to_hf, "push_to_hf") else push_to_hf)
    assert getattr(huggingface_hub, "HfFolder", None).__class__.__name__ != "Gone"
