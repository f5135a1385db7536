"""A parser and a classifier that need no training, in archives."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model
from allennlp.models.archival import archive_model

SEEN: List[Dict[str, Any]] = []


@Model.register("chain_parser")
class ChainParser(Model):
    """Each token depends on the one before it, in tree and graph alike; the first is the top."""

    default_predictor = "parser"

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab)
        self._unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, tokens, metadata, **layers) -> Dict[str, Any]:
        SEEN.append({"tokens": tokens, "metadata": metadata})
        return {"metadata": metadata, "loss": self._unused.sum()}

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        carry_over(output_dict)
        lengths = [len(words) for words in output_dict["words"]]
        output_dict["heads"] = [list(range(length)) for length in lengths]
        output_dict["relations"] = [["dep"] * length for length in lengths]
        output_dict["arcs"] = [[[i, i + 1, "ARG1"] for i in range(1, n)] for n in lengths]
        output_dict["tops"] = [[1] for _ in lengths]
        return output_dict


@Model.register("length_classifier")
class LengthClassifier(Model):
    """Sentences of more than two words are positive. With `tree`, each token is its own head."""

    default_predictor = "sentiment"

    def __init__(self, vocab: Vocabulary, tree: bool = False) -> None:
        super().__init__(vocab)
        self._logits = torch.nn.Parameter(torch.tensor([-20.0, 0.0]))
        self._tree = tree

    def forward(self, tokens, metadata, **layers) -> Dict[str, Any]:
        SEEN.append({"tokens": tokens, "metadata": metadata})
        return {"metadata": metadata, "loss": self._logits.sum()}

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        carry_over(output_dict)
        lengths = [len(words) for words in output_dict["words"]]
        labels = [["negative", "positive"][:: 1 if length > 2 else -1] for length in lengths]
        probabilities = self._logits.softmax(dim=-1).tolist()
        output_dict["label"] = [likely for _, likely in labels]
        output_dict["probabilities"] = [
            dict(zip(pair, probabilities, strict=True)) for pair in labels
        ]
        if self._tree:
            output_dict["heads"] = [list(range(1, length + 1)) for length in lengths]
        else:
            output_dict["arcs"] = [[[1, 1, "ARG1"]] for _ in lengths]
            output_dict["tops"] = [[] for _ in lengths]
        return output_dict


def carry_over(output_dict: Dict[str, Any]) -> None:
    """Puts what the metadata say of each sentence into the output."""
    metadata = output_dict.pop("metadata")
    for key in ("id", "words", "lemmas", "pos"):
        output_dict[key] = [entry[key] for entry in metadata]


def without_words(model: Model, output_dict: Dict[str, Any]) -> Dict[str, Any]:
    """The `make_output_human_readable` of a parser that loses the words of the sentences."""
    lost = [None for _ in output_dict["metadata"]]
    return {"heads": [[0] for _ in lost], "words": lost}


@pytest.fixture
def make_archive(tmp_path):
    """Makes an archive, given parts of its configuration."""

    def make(**config) -> str:
        vocab = Vocabulary()
        for token in ("We", "know", "we"):
            vocab.add_token_to_namespace(token)
        vocab.add_tokens_to_namespace(["0", "1", "2", "3", "4"], "labels")
        folder = Path(tmp_path) / "model"
        config = {"model": {"type": "chain_parser"}, "dataset_reader": {"type": "sdp"}, **config}
        vocab.save_to_files(str(folder / "vocabulary"))
        (folder / "config.json").write_text(json.dumps(config))
        model = Model.from_params(Params(config["model"]).duplicate(), vocab=vocab)
        torch.save(model.state_dict(), folder / "weights.th")
        archive_model(str(folder), weights="weights.th")
        return str(folder / "model.tar.gz")

    return make


@pytest.fixture
def seen():
    """What the model was given, batch by batch."""
    SEEN.clear()
    return SEEN
