"""What transformers and huggingface_hub have changed since AllenNLP 2.10.1."""

import pytest
import torch
import transformers
from allennlp.common import push_to_hf
from allennlp.data import Token, Vocabulary
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer
from allennlp.data.tokenizers import PretrainedTransformerTokenizer
from allennlp.modules.token_embedders import PretrainedTransformerMismatchedEmbedder
from allennlp.training.optimizers import HuggingfaceAdamWOptimizer

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] a b c ##a ##b ##c the cat sat".split()


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """The folder of a BERT with random weights."""
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(PIECES))
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizer.from_pretrained(folder).save_pretrained(folder)
    return str(folder)


def test_a_sentence_is_tokenized_with_the_special_tokens(bert):
    tokens = PretrainedTransformerTokenizer(bert).tokenize("the cat abc")
    assert [str(token) for token in tokens] == "[CLS] the cat a ##b ##c [SEP]".split()


def test_special_tokens_are_left_out_when_asked_for(bert):
    tokens = PretrainedTransformerTokenizer(bert, add_special_tokens=False).tokenize("the cat")
    assert [str(token) for token in tokens] == ["the", "cat"]


def test_words_are_embedded_as_the_transformer_itself_embeds_their_pieces(bert):
    words = [Token(word) for word in "the cat abc".split()]
    indexer = PretrainedTransformerMismatchedIndexer(bert)
    indices = indexer.tokens_to_indices(words, Vocabulary())
    lengths = {name: len(values) for name, values in indices.items()}
    tensors = indexer.as_padded_tensor_dict(indices, lengths)
    tensors = {name: tensor.unsqueeze(0) for name, tensor in tensors.items()}
    embedder = PretrainedTransformerMismatchedEmbedder(bert).eval()
    pieces = torch.tensor(
        [[PIECES.index(piece) for piece in "[CLS] the cat a ##b ##c [SEP]".split()]]
    )
    model = transformers.BertModel.from_pretrained(bert).eval()
    (states,) = model(pieces).last_hidden_state
    expected = torch.stack([states[1], states[2], states[3:6].mean(0)])
    torch.testing.assert_close(embedder(**tensors)[0], expected)


def test_the_adamw_of_hugging_face_is_that_of_pytorch():
    steps = []
    for build in (
        lambda one: HuggingfaceAdamWOptimizer([("p", one)], lr=0.1, weight_decay=0.2),
        lambda one: torch.optim.AdamW([one], lr=0.1, weight_decay=0.2),
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
