"""
Parsers that are trained on a file and then parse others: ours (AllenNLP's and supar's are in
`peers/`), all of the same sizes; and an LSTM alone, which all of them have within.

Sizes: embeddings of words 100, of lemmas 50 and of parts of speech 50, a bidirectional LSTM of two
layers of 200, 200 for arcs and 100 for labels, dropout and Adam as in our configs.
"""

import contextlib
import io
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

import torch
from allennlp.commands.predict import _PredictManager
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.common.util import prepare_environment
from allennlp.models import archive_model, load_archive
from allennlp.predictors import Predictor
from allennlp.training import util as training_util
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.library import OURS
from benchmarks.sentences import SentenceFiles

#: Sentences in a batch.
TRAINING_BATCH, PARSING_BATCH = 16, 64

INPUT_DIM, HIDDEN_DIM, LAYERS = 200, 200, 2
ARC_DIM, LABEL_DIM = 200, 100
#: What is predicted: a graph, or a tree.
KINDS = ("semantic", "syntactic")

_ROOT = Path(__file__).parents[1]


class FileParser:
    """A parser, or what takes its part in a race."""

    def train(self, steps: int = 1) -> None:
        """Makes steps on the next batches of the training file, which begins again at its end."""
        raise NotImplementedError

    def load(self) -> None:
        """Makes it ready to parse."""

    def parse(self, source: SentenceFiles, target: Path, batch_size: Optional[int] = None) -> None:
        """Parses a file, and writes what it predicts into another; by default in batches as its
        users have them."""
        raise NotImplementedError

    def save(self) -> Path:
        """Writes the parser as it is now to a file, for another process to load."""
        raise NotImplementedError


# ---- Ours, and others that AllenNLP handles


class Specification(NamedTuple):
    """
    Says how AllenNLP makes a parser and uses it.

    # Parameters

    text_format : `str`
        The file that it reads, as a field of `SentenceFiles`.
    params : `Callable[[], Params]`
        Returns what `allennlp train` takes, without the paths.
    predictor : `Callable[[Path], Predictor]`
        Loads an archive, as `allennlp predict` does.
    """

    text_format: str
    params: Callable[[], Params]
    predictor: Callable[[Path], Predictor]


class AllenNlpParser(FileParser):
    """
    A parser as `allennlp train` and `allennlp predict` handle it.

    # Parameters

    specification : `Specification`
    training : `SentenceFiles`
    folder : `Path`
        Where its archive is written; made.
    batch_size : `int`
        In training.
    """

    def __init__(
        self,
        specification: Specification,
        training: SentenceFiles,
        folder: Path,
        batch_size: int = TRAINING_BATCH,
    ) -> None:
        self._specification, self._folder = specification, folder
        self._predictor: Optional[Predictor] = None
        params = specification.params()
        path = str(getattr(training, specification.text_format))
        params["train_data_path"] = params["validation_data_path"] = path
        params["data_loader"] = {"batch_size": batch_size}  # the file is in batches
        folder.mkdir(parents=True)
        params.to_file(str(folder / "config.json"))
        prepare_environment(params)
        with contextlib.redirect_stderr(io.StringIO()):  # progress bars
            job = TrainModel.from_params(params, serialization_dir=str(folder), local_rank=0)
        self._trainer: Any = job.trainer
        self._batches = self._repeat()

    def _repeat(self) -> Iterator[Any]:
        while True:
            yield from self._trainer.data_loader

    def train(self, steps: int = 1) -> None:
        """Also computes what the trainer shows after each batch."""
        self._predictor = None
        trainer = self._trainer
        trainer.model.train()
        for _ in range(steps):
            trainer.optimizer.zero_grad()
            loss = trainer.batch_outputs(next(self._batches), for_training=True)["loss"]
            loss.backward()
            trainer.rescale_gradients()
            trainer.optimizer.step()
            value = loss.item()
            shown = training_util.get_metrics(trainer.model, value, None, value, None, 1)
            training_util.description_from_metrics(shown)

    def save(self) -> Path:
        """Writes the archive of the model as it is now, and returns its path."""
        torch.save(self._trainer.model.state_dict(), self._folder / "best.th")
        return Path(archive_model(str(self._folder)))

    def load(self) -> None:
        self._predictor = self._specification.predictor(self.save())

    def parse(self, source: SentenceFiles, target: Path, batch_size: Optional[int] = None) -> None:
        file = getattr(source, self._specification.text_format)
        parse_file(self._ready(), file, target, batch_size or PARSING_BATCH)

    def forward_on_instances(self, source: SentenceFiles) -> None:
        """Reads a file, and parses its sentences, in batches as they are in the file."""
        predictor = self._ready()
        reader: Any = predictor._dataset_reader
        instances = list(reader.read(str(getattr(source, self._specification.text_format))))
        for start in range(0, len(instances), PARSING_BATCH):
            batch = instances[start : start + PARSING_BATCH]
            for instance in batch:
                reader.apply_token_indexers(instance)
            predictor._model.forward_on_instances(batch)

    def _ready(self) -> Predictor:
        if self._predictor is None:
            self.load()
        assert self._predictor is not None
        return self._predictor


def parse_file(
    predictor: Predictor, source: Path, target: Path, batch_size: int = PARSING_BATCH
) -> None:
    """Does what `allennlp predict --use-dataset-reader --batch-size 64 --silent` does, once it has
    loaded its archive."""
    _PredictManager(predictor, str(source), str(target), batch_size, False, True).run()


def config(name: str) -> Params:
    """Returns one of our training configs, with the embedded treebank as its data."""
    return Params.from_file(str(_ROOT / "training_config" / f"{name}.jsonnet"))


def specification_of(library: str, kind: str) -> Specification:
    """Returns that of a parser of ours or of AllenNLP's."""
    if library == OURS:
        return _OURS[kind]
    from benchmarks.peers.allennlp_parsers import SPECIFICATIONS

    return SPECIFICATIONS[kind]


def _our_predictor(archive_file: Path, **options: Any) -> Predictor:
    return Predictor.from_archive(load_archive(str(archive_file)), extra_args=options)


_OURS: Dict[str, Specification] = {
    "semantic": Specification(
        "sdp",
        partial(config, "semantic_parser/log_likelihood"),
        partial(_our_predictor, output="sdp"),
    ),
    "syntactic": Specification(
        "conllu", partial(config, "syntactic_parser/log_likelihood"), _our_predictor
    ),
}


# ---- The LSTM


class LstmAlone(FileParser):
    """
    The LSTM that is in all of them, on random vectors of the lengths of the sentences.

    # Parameters

    lengths : `Sequence[int]`
        Of the training file, which is in batches.
    batch_size : `int`
        In training.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int = TRAINING_BATCH) -> None:
        self._lstm = torch.nn.LSTM(
            INPUT_DIM, HIDDEN_DIM, num_layers=LAYERS, bidirectional=True, batch_first=True
        )
        self._batches = cycle(_chunks(lengths, batch_size))

    def train(self, steps: int = 1) -> None:
        """Runs forward and backward, to the input as well."""
        self._lstm.train()
        for _ in range(steps):
            self._lstm.zero_grad()
            self._outputs(next(self._batches)).sum().backward()

    def parse(self, source: SentenceFiles, target: Path, batch_size: Optional[int] = None) -> None:
        """Runs forward, in batches of sentences that are sorted by length; writes nothing."""
        self._lstm.eval()
        with torch.inference_mode():
            for lengths in _chunks(sorted(source.lengths), batch_size or PARSING_BATCH):
                self._outputs(lengths)

    def _outputs(self, lengths: Sequence[int]) -> torch.Tensor:
        inputs = torch.randn(
            len(lengths), max(lengths), INPUT_DIM, requires_grad=self._lstm.training
        )
        packed = pack_padded_sequence(inputs, torch.tensor(lengths), True, enforce_sorted=False)
        return pad_packed_sequence(self._lstm(packed)[0], batch_first=True)[0]


def _chunks(values: Sequence[int], size: int) -> List[Sequence[int]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
