"""A parser that needs no training, in an archive."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
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
        metadata = output_dict.pop("metadata")
        for key in ("id", "words", "lemmas", "pos"):
            output_dict[key] = [entry[key] for entry in metadata]
        lengths = [len(words) for words in output_dict["words"]]
        output_dict["heads"] = [list(range(length)) for length in lengths]
        output_dict["relations"] = [["dep"] * length for length in lengths]
        output_dict["arcs"] = [[[i, i + 1, "ARG1"] for i in range(1, n)] for n in lengths]
        output_dict["tops"] = [[1] for _ in lengths]
        return output_dict


@pytest.fixture
def make_archive(tmp_path):
    """Makes an archive, given parts of its configuration."""

    def make(**config) -> str:
        vocab = Vocabulary()
        for token in ("We", "know", "we"):
            vocab.add_token_to_namespace(token)
        folder = Path(tmp_path) / "model"
        config = {"model": {"type": "chain_parser"}, "dataset_reader": {"type": "sdp"}, **config}
        vocab.save_to_files(str(folder / "vocabulary"))
        (folder / "config.json").write_text(json.dumps(config))
        torch.save(ChainParser(vocab).state_dict(), folder / "weights.th")
        archive_model(str(folder), weights="weights.th")
        return str(folder / "model.tar.gz")

    return make


@pytest.fixture
def seen():
    """What the parser was given, batch by batch."""
    SEEN.clear()
    return SEEN
