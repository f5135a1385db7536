"""The parsers over every kind of token embedder that a config may name."""

import json
import math
from pathlib import Path

from allennlp.commands.train import train_model
from allennlp.common import Params

from tests.models.parsing_model_case import EXPERIMENTS
from tests.tiny_transformer import save_tiny_transformer

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


def test_a_pretrained_transformer_over_the_treebanks_tokens(tmp_path):
    small_transformer = save_tiny_transformer(tmp_path / "bert")
    indexer = {"type": "pretrained_transformer_mismatched", "model_name": small_transformer}
    embedder = {"type": "pretrained_transformer_mismatched", "model_name": small_transformer}
    train(only(indexer, embedder, 8), tmp_path / "run")
    assert 0 < metric(tmp_path / "run", "best_validation_loss") < math.inf


def test_a_parser_right_on_a_transformer(tmp_path):
    transformer = {
        "type": "pretrained_transformer_mismatched",
        "model_name": save_tiny_transformer(tmp_path / "bert"),
    }
    overrides = {**only(transformer, transformer, 8), "model.encoder.encoder": None}
    del overrides["model.encoder.encoder.input_size"]
    model = train(overrides, tmp_path / "run")
    assert model.encoder.get_output_dim() == 8
    assert 0 < metric(tmp_path / "run", "best_validation_loss") < math.inf
