"""
The biaffine parsers of supar ([Dozat and Manning, 2018](https://aclanthology.org/P18-2077), and
their earlier one of trees), as its `train` and `predict` handle them; of the sizes of ours.

Its parser of trees has no lemmas: the tag has an embedding of 100, so that the input of the LSTM is
as large. A batch of its `train` has a number of tokens, not of sentences: here it is that of the
others.
"""

import contextlib
import io
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from supar import BiaffineDependencyParser, BiaffineSemanticDependencyParser, Parser
from supar.utils import Dataset
from supar.utils.transform import Batch
from torch.utils.data import DataLoader

from benchmarks.parsers import ARC_DIM, HIDDEN_DIM, LABEL_DIM, LAYERS, TRAINING_BATCH, FileParser
from benchmarks.sentences import SentenceFiles

_CLASSES = {"semantic": BiaffineSemanticDependencyParser, "syntactic": BiaffineDependencyParser}
_FEATURES: Dict[str, Dict[str, Any]] = {
    "semantic": {
        "feat": ["tag", "lemma"],
        "n_feat_embed": 50,
        "n_edge_mlp": ARC_DIM,
        "n_label_mlp": LABEL_DIM,
    },
    "syntactic": {
        "feat": ["tag"],
        "n_feat_embed": 100,
        "n_arc_mlp": ARC_DIM,
        "n_rel_mlp": LABEL_DIM,
    },
}
_GRAD_NORM = 5.0


class SuparParser(FileParser):
    """
    A parser of supar's.

    # Parameters

    kind : `str`
        `"semantic"` or `"syntactic"`.
    training : `SentenceFiles`
    folder : `Path`
        Where it is saved; made.
    batch_size : `int`
        In training.
    """

    def __init__(
        self,
        kind: str,
        training: SentenceFiles,
        folder: Path,
        batch_size: int = TRAINING_BATCH,
    ) -> None:
        folder.mkdir(parents=True)
        self._file = folder / "model"
        torch.manual_seed(1)
        with _quietly():
            self._parser = _CLASSES[kind].build(
                str(self._file),
                train=str(training.conllu),
                build=True,
                min_freq=1,
                encoder="lstm",
                embed=None,
                n_embed=100,
                n_pretrained=100,  # of another size, they would be a further input
                n_lstm_hidden=HIDDEN_DIM,
                n_lstm_layers=LAYERS,
                clip=_GRAD_NORM,
                update_steps=1,
                punct=False,
                partial=False,
                **_FEATURES[kind],
            )
            parameters = self._parser.model.parameters()
            self._parser.optimizer = torch.optim.Adam(parameters, 2e-3, (0.9, 0.99))
            self._parser.scheduler = torch.optim.lr_scheduler.ExponentialLR(
                self._parser.optimizer, 1.0
            )
            self._parser.transform.train()
            data = Dataset(self._parser.transform, str(training.conllu)).build(5000)
        numbers = range(len(data))
        chunks = [numbers[start : start + batch_size] for start in numbers[::batch_size]]
        loader = DataLoader(data, batch_sampler=chunks, collate_fn=Batch)
        self._batches = chain.from_iterable(repeat(loader))

    def train(self, steps: int = 1) -> None:
        batches: List[Batch] = [next(self._batches) for _ in range(steps)]
        with _quietly():
            self._parser._train(batches)

    def save(self) -> Path:
        """Writes the parser to a file, and returns its path."""
        self._parser.save(str(self._file))
        return self._file

    def parse(self, source: SentenceFiles, target: Path, batch_size: Optional[int] = None) -> None:
        options = {}
        if batch_size is not None:  # it counts tokens
            options = {"buckets": 1, "batch_size": batch_size * max(source.lengths)}
        parse_file(self._parser, source.conllu, target, **options)


def load(file: Path) -> Parser:
    """Loads a parser that was saved; `torch.load` would refuse, by default, what it has in it."""
    original = torch.load
    torch.load = lambda *arguments, **options: original(  # type: ignore[assignment]
        *arguments, **{"weights_only": False, **options}
    )
    try:
        return Parser.load(str(file))
    finally:
        torch.load = original


def parse_file(parser: Parser, source: Path, target: Path, **options: int) -> None:
    """Calls `predict`, from file to file, with its own batches if there are no options."""
    with _quietly():
        parser.predict(data=str(source), pred=str(target), verbose=False, **options)


def _quietly() -> Any:
    """Without its progress bars."""
    return contextlib.redirect_stderr(io.StringIO())
