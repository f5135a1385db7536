"""
What a user waits for, beside the parsers of supar and AllenNLP: training, parsing from file to
file, the memory that it takes, and the start of a command.

All are trained on the same batches of the embedded treebank and parse the same file, in turns, so
that a drift of the machine hits all of them. An LSTM alone, of the size of that within each, takes
part, and says how much of the time could be saved at all.

Run as `python -m benchmarks.end_to_end LIBRARY KIND SAVED SHORT LONG`, it is the fresh process that
parses a file of short sentences, and then prints by how many bytes another one raises its peak of
memory.
"""

import contextlib
import functools
import math
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence

from benchmarks.goals import MEGABYTES, RATIO, SECONDS
from benchmarks.library import OURS, PeerFailure, describe_exception
from benchmarks.measurement import Clock, clock, peak_memory, reset_peak_memory
from benchmarks.parsers import (
    KINDS,
    PARSING_BATCH,
    TRAINING_BATCH,
    AllenNlpParser,
    FileParser,
    LstmAlone,
    parse_file,
    specification_of,
)
from benchmarks.results import Metric, Settings
from benchmarks.sentences import (
    SentenceFiles,
    files_at,
    in_batches_of_similar_length,
    sample,
    sample_of_length,
    write_sentences,
)

#: The libraries beside ours.
PEERS = ("supar", "allennlp")
LSTM = "LSTM"

_ROOT = Path(__file__).parents[1]
# Batches of a parser's turn in training, and how often each sees all sentences.
_STEPS, _EPOCHS = 4, 2
# How often a command is started.
_STARTS = 3
# Words of the long sentence of which the memory is measured, and the sentences beside it.
_LONGEST, _OTHERS = 250, 63


# ---- Training


class Contest(NamedTuple):
    """
    Parsers of the same task, all of them trained.

    # Parameters

    parsers : `Dict[str, FileParser]`
        By name: `OURS`, the peers, `LSTM`.
    seconds : `Dict[str, List[float]]`
        Of each turn in training.
    folder : `tempfile.TemporaryDirectory`
        Holds their files, for as long as it is referred to.
    """

    parsers: Dict[str, FileParser]
    seconds: Dict[str, List[float]]
    folder: tempfile.TemporaryDirectory

    @property
    def path(self) -> Path:
        return Path(self.folder.name)


def training(settings: Settings) -> List[Metric]:
    """Measures how many times as many sentences a second ours trains on as others do, and how many
    times as long as the LSTM's own a step takes."""
    metrics = []
    for kind in KINDS:
        seconds = contest(kind, settings).seconds
        metrics += _beside_others("training", kind, seconds, _STEPS * TRAINING_BATCH)
        ratio = _median_ratio(seconds[OURS], seconds[LSTM])
        detail = f"a whole step of {TRAINING_BATCH} sentences / the LSTM's forward and backward"
        metrics.append(Metric("training", f"{kind}, a step / the LSTM's own", ratio, RATIO, detail))
    return metrics


@functools.cache
def contest(kind: str, settings: Settings) -> Contest:
    """
    Trains the parsers of a kind, in turns. The first turn of each is not timed.

    # Raises

    `PeerFailure` if one that is not ours fails.
    """
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    sentences = in_batches_of_similar_length(sample(settings.sentences, seed=1), TRAINING_BATCH)
    parsers = build(kind, settings, write_sentences(path / "train", sentences), path)
    calls: Dict[str, Callable[[], None]] = {
        name: functools.partial(parser.train, _STEPS) for name, parser in parsers.items()
    }
    turns = _EPOCHS * settings.sentences // (_STEPS * TRAINING_BATCH)
    return Contest(parsers, in_turns(calls, turns, clock(settings.threads)), folder)


def build(
    kind: str,
    settings: Settings,
    files: SentenceFiles,
    folder: Path,
    batch_size: int = TRAINING_BATCH,
) -> Dict[str, FileParser]:
    """Returns parsers of a kind that learn from some files: ours, the peers that the settings do
    not leave out, and the LSTM."""
    parsers: Dict[str, FileParser] = {}
    for name in (OURS, *PEERS):
        if name not in settings.without:
            with _naming(name):
                parsers[name] = _build(name, kind, files, folder / name, batch_size)
    parsers[LSTM] = LstmAlone(files.lengths, batch_size)
    return parsers


def _build(name: str, kind: str, files: SentenceFiles, folder: Path, batch_size: int) -> FileParser:
    if name == "supar":
        from benchmarks.peers.supar_parsers import SuparParser

        return SuparParser(kind, files, folder, batch_size)
    return AllenNlpParser(specification_of(name, kind), files, folder, batch_size)


def in_turns(
    calls: Dict[str, Callable[[], None]], turns: int, now: Clock, patience: float = math.inf
) -> Dict[str, List[float]]:
    """
    Makes calls in turns, each once before.

    # Parameters

    calls : `Dict[str, Callable[[], None]]`
        By name.
    turns : `int`
    now : `Clock`
    patience : `float`, optional (default = `math.inf`)
        Seconds after which no further turn begins; but one is always made.

    # Returns

    `Dict[str, List[float]]`
        The seconds of each turn.

    # Raises

    `PeerFailure` if a call that is not ours fails.
    """
    seconds: Dict[str, List[float]] = {name: [] for name in calls}
    beginning = now()
    for turn in range(1 + turns):
        if turn > 1 and now() - beginning > patience:
            break
        # What comes after another finds the processor's cache as that has left it.
        names = list(calls) if turn % 2 == 0 else list(reversed(calls))
        for name in names:
            with _naming(name):
                start = now()
                calls[name]()
                taken = now() - start
            if turn > 0:
                seconds[name].append(taken)
    return seconds


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Makes an exception the failure of the parser of this name, if it is not ours."""
    try:
        yield
    except Exception as error:
        if name not in PEERS:
            raise
        raise PeerFailure(f"{name} fails: {describe_exception(error)}") from error


def _beside_others(
    row: str, kind: str, seconds: Dict[str, List[float]], sentences: int
) -> List[Metric]:
    """Returns how many times as fast as each peer ours is, from the seconds for so many sentences
    in each turn, and the rates of all."""
    rates = {name: sentences / statistics.median(taken) for name, taken in seconds.items()}
    detail = ", ".join(f"{name} {rate:.0f} sentences/s" for name, rate in rates.items())
    return [
        Metric(row, f"{kind}, beside {name}", _median_ratio(taken, seconds[OURS]), RATIO, detail)
        for name, taken in seconds.items()
        if name in PEERS
    ]


def _median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


# ---- Parsing


def parsing(settings: Settings) -> List[Metric]:
    """Measures how many times as many sentences a second ours parses as others do, from file to
    file, and which share of the LSTM's own speed that is."""
    metrics = []
    for kind in KINDS:
        trained = contest(kind, settings)
        files = write_sentences(trained.path / "dev", sample(settings.sentences, seed=2))
        target = trained.path / "parsed"
        calls: Dict[str, Callable[[], None]] = {}
        for name, parser in trained.parsers.items():
            with _naming(name):
                parser.load()
            calls[name] = functools.partial(parser.parse, files, target)
        ours = trained.parsers[OURS]
        assert isinstance(ours, AllenNlpParser)
        on_instances = f"{OURS} by forward_on_instances"
        calls[on_instances] = functools.partial(ours.forward_on_instances, files)
        seconds = in_turns(calls, settings.parses, clock(settings.threads))
        metrics += _beside_others("parsing", kind, seconds, settings.sentences)
        ratio = _median_ratio(seconds[LSTM], seconds[OURS])
        detail = f"the LSTM in batches of {PARSING_BATCH}, sorted by length"
        metrics.append(Metric("parsing", f"{kind}, of the LSTM's own", ratio, RATIO, detail))
    return metrics


# ---- Memory


def parsing_memory(settings: Settings) -> List[Metric]:
    """Measures by how much a file with a long sentence among short ones raises the peak of a fresh
    process that has parsed a file of short ones before."""
    metrics = []
    for kind in KINDS:
        trained = contest(kind, settings)
        short = sample(_OTHERS, seed=3)
        [long] = sample_of_length(_LONGEST, 1, seed=4)
        middle = _OTHERS // 2
        write_sentences(trained.path / "short", short)
        write_sentences(trained.path / "long", [*short[:middle], long, *short[middle:]])
        detail = f"{_OTHERS} sentences of the treebank and one of {_LONGEST} words"
        for name, parser in trained.parsers.items():
            if name != LSTM:
                with _naming(name):
                    peak = _peak_in_fresh_process(name, kind, parser.save(), trained.path)
                label = f"{kind}, {name}"
                metrics.append(Metric("parsing_memory", label, peak / 1e6, MEGABYTES, detail))
    return metrics


def _peak_in_fresh_process(name: str, kind: str, saved: Path, folder: Path) -> int:
    files = [str(folder / "short"), str(folder / "long")]
    command = [sys.executable, "-m", __name__, name, kind, str(saved), *files]
    return int(output_of(command).split()[-1])


def output_of(command: Sequence[str]) -> str:
    """
    Returns what a process prints.

    # Raises

    `RuntimeError` with the last line of its complaint, if it fails.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it does not say why"])[-1])
    return done.stdout


def main(arguments: Sequence[str]) -> None:
    """Prints by how many bytes parsing a file raises the peak of this process."""
    name, kind, saved, *stems = arguments
    warnings.simplefilter("ignore")
    short, long = (files_at(Path(stem)) for stem in stems)
    parse = _loaded(name, kind, Path(saved))
    parse(short)
    reset_peak_memory()
    before = peak_memory()
    parse(long)
    print(peak_memory() - before)


def _loaded(name: str, kind: str, saved: Path) -> Callable[[SentenceFiles], None]:
    """Returns a function that parses a file with a parser that was saved."""
    target = saved.with_name("parsed")
    if name == "supar":
        from benchmarks.peers import supar_parsers

        parser = supar_parsers.load(saved)
        return lambda files: supar_parsers.parse_file(parser, files.conllu, target)
    specification = specification_of(name, kind)
    predictor = specification.predictor(saved)
    return lambda files: parse_file(predictor, getattr(files, specification.text_format), target)


# ---- Start


def start_up(settings: Settings) -> List[Metric]:
    """Measures the processor's time of commands that do nothing yet: the median of some starts."""
    commands = {
        "allennlp --help": ["-m", "allennlp", "--help"],
        "import spigot_allennlp": ["-c", "import spigot_allennlp"],
        "import torch": ["-c", "import torch"],
    }
    return [
        Metric("start_up", label, _start(command), SECONDS, f"median of {_STARTS} starts")
        for label, command in commands.items()
    ]


def _start(command: Sequence[str]) -> float:
    return statistics.median(_seconds_of_process(command) for _ in range(_STARTS))


def _seconds_of_process(command: Sequence[str]) -> float:
    before = os.times()
    # In the folder where AllenNLP finds the list of plugins.
    subprocess.run([sys.executable, *command], cwd=_ROOT, check=True, capture_output=True)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


if __name__ == "__main__":
    main(sys.argv[1:])
