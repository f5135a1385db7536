"""The parsers over every kind of token embedder that a config may name."""

import json
import math
import string
from pathlib import Path

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from transformers import BertConfig, BertModel, BertTokenizerFast

from tests.models.parsing_model_case import EXPERIMENTS

WORDS = {
    "dataset_reader.token_indexers.words": {"type": "single_id", "lowercase_tokens": True},
}


def train(overrides, folder: Path):
    params = Params.from_file(str(EXPERIMENTS / "semantic_parser.jsonnet"), json.dumps(overrides))
    return train_model(params, str(folder), include_package=["spigot_allennlp"])


def metric(folder: Path, name: str) -> float:
    return json.loads((folder / "metrics.json").read_text())[name]


def only(indexer, embedder, input_size):
    """The experiment with this one indexer and embedder."""
    return {
        "dataset_reader.token_indexers": {"only": indexer},
        "model.encoder.text_field_embedder": {"token_embedders": {"only": embedder}},
        "model.encoder.encoder.input_size": input_size,
        "model.encoder.word_dropout": None,
        "model.initializer": {"regexes": []},
    }


def test_characters(tmp_path):
    embedder = {
        "type": "character_encoding",
        "embedding": {"embedding_dim": 4, "vocab_namespace": "token_characters"},
        "encoder": {"type": "cnn", "embedding_dim": 4, "num_filters": 3, "ngram_filter_sizes": [2]},
    }
    indexer = {"type": "characters", "min_padding_length": 3}
    train(only(indexer, embedder, 3), tmp_path / "run")
    assert 0 < metric(tmp_path / "run", "best_validation_loss") < math.inf


def test_pretrained_vectors_are_read(tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("the " + " ".join(["7.0"] * 16) + "\n")
    overrides = {
        "model.encoder.text_field_embedder.token_embedders.words.pretrained_file": str(vectors),
        "model.encoder.text_field_embedder.token_embedders.words.trainable": False,
        "model.initializer": {"regexes": []},
    }
    model = train(overrides, tmp_path / "run")
    weight = model.encoder._embedder.token_embedder_words.weight
    index = model.vocab.get_token_index("the", "tokens")
    assert weight[index].tolist() == [7.0] * 16
    assert not weight.requires_grad


@pytest.fixture
def small_transformer(tmp_path):
    """A transformer with random weights, saved as `from_pretrained` expects it."""
    folder = tmp_path / "bert"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.printable.split()]
    letters = [*string.ascii_lowercase, *("##" + letter for letter in string.ascii_lowercase)]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(pieces + letters))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces + letters),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return str(folder)


def test_a_pretrained_transformer_over_the_treebanks_tokens(small_transformer, tmp_path):
    indexer = {"type": "pretrained_transformer_mismatched", "model_name": small_transformer}
    embedder = {"type": "pretrained_transformer_mismatched", "model_name": small_transformer}
    train(only(indexer, embedder, 8), tmp_path / "run")
    assert 0 < metric(tmp_path / "run", "best_validation_loss") < math.inf
