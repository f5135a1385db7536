"""
The biaffine parsers of AllenNLP, `graph_parser` and `biaffine_parser`, of the sizes of ours, as
`allennlp train` and `allennlp predict` handle them.
"""

from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import allennlp_models.structured_prediction  # noqa: F401 (registers readers and models)
from allennlp.common import Params
from allennlp.common.util import JsonDict, sanitize
from allennlp.data import Instance
from allennlp.models import load_archive
from allennlp.predictors import Predictor

from benchmarks.parsers import (
    ARC_DIM,
    HIDDEN_DIM,
    INPUT_DIM,
    LABEL_DIM,
    LAYERS,
    Specification,
    config,
)

_GOLD = ("arc_tags", "head_tags", "head_indices")
_WRITTEN = ("tokens", "words", "arcs", "arc_tags", "predicted_heads", "predicted_dependencies")


class _ArcsAlone(Predictor):
    """Writes words, arcs and labels. AllenNLP's own predictors would also write the probability of
    every label of every pair, which takes far longer than parsing; and would fail at labels in the
    file that were not seen in training, which are of no use here."""

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        instances = [
            Instance({name: field for name, field in instance.items() if name not in _GOLD})
            for instance in instances
        ]
        for instance in instances:
            self._dataset_reader.apply_token_indexers(instance)
        return [
            sanitize({name: output[name] for name in _WRITTEN if name in output})
            for output in self._model.forward_on_instances(instances)
        ]

    def predict_instance(self, instance: Instance) -> JsonDict:
        return self.predict_batch_instance([instance])[0]


def _params(reader: Dict[str, Any], model: str) -> Params:
    """Their readers have no lemmas: words have an embedding of 150, so that the input of the LSTM
    is as large."""
    trainer = config("semantic_parser/log_likelihood")["trainer"].as_dict()
    embedder = {"type": "embedding", "embedding_dim": 150}
    indexer = {"type": "single_id", "lowercase_tokens": True}
    encoder = {"type": "lstm", "input_size": INPUT_DIM, "hidden_size": HIDDEN_DIM}
    return Params(
        {
            "dataset_reader": {**reader, "token_indexers": {"tokens": indexer}},
            "model": {
                "type": model,
                "text_field_embedder": {"token_embedders": {"tokens": embedder}},
                "pos_tag_embedding": {"embedding_dim": 50, "vocab_namespace": "pos"},
                "encoder": {**encoder, "num_layers": LAYERS, "bidirectional": True},
                "arc_representation_dim": ARC_DIM,
                "tag_representation_dim": LABEL_DIM,
                "dropout": 0.33,
                "input_dropout": 0.2,
            },
            "trainer": {name: trainer[name] for name in ("num_epochs", "optimizer", "grad_norm")},
        }
    )


def _predictor(archive_file: Path) -> Predictor:
    archive = load_archive(str(archive_file))
    return _ArcsAlone(archive.model, archive.validation_dataset_reader)


#: By kind.
SPECIFICATIONS: Dict[str, Specification] = {
    "semantic": Specification(
        "sdp_augmented",
        partial(_params, {"type": "semantic_dependencies"}, "graph_parser"),
        _predictor,
    ),
    "syntactic": Specification(
        "conllu",
        partial(
            _params,
            {"type": "universal_dependencies", "use_language_specific_pos": True},
            "biaffine_parser",
        ),
        _predictor,
    ),
}
