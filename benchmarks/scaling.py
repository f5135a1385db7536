"""
How parsers scale: training and parsing over the length of sentences, the size of batches, and the
number of threads. Ours beside supar's semantic parser and the LSTM alone, in turns, by the clock on
the wall.
"""

import functools
import logging
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence

import torch

from benchmarks import end_to_end
from benchmarks.problem import Size
from benchmarks.results import ScalingPoint, Settings
from benchmarks.sentences import sample_of_length, write_sentences

logger = logging.getLogger(__name__)

#: At all of these lengths with the usual batch, and all of these batches at the usual length.
LENGTHS, BATCHES = (10, 20, 40, 80, 160, 320), (1, 4, 16, 64)
USUAL = Size(16, 20)
THREADS = (1, 2)
_TURNS = 3


def sizes(lengths: Sequence[int] = LENGTHS, batches: Sequence[int] = BATCHES) -> List[Size]:
    """Returns the sizes that are measured, from the small to the large."""
    chosen = {Size(USUAL.batch, length) for length in lengths}
    chosen |= {Size(batch, USUAL.length) for batch in batches}
    return sorted(chosen, key=lambda size: size.batch * size.length**2)


def scaling(
    settings: Settings, chosen: Sequence[Size] = (), threads: Sequence[int] = THREADS
) -> List[ScalingPoint]:
    """
    Measures the words a second of training and parsing.

    # Parameters

    settings : `Settings`
    chosen : `Sequence[Size]`, optional (default = `()`)
        If there are none, `sizes()`.
    threads : `Sequence[int]`, optional (default = `(1, 2)`)
        Numbers of threads.
    """
    before = torch.get_num_threads()
    points: List[ScalingPoint] = []
    # Two of everybody is enough to see how they scale.
    settings = replace(settings, without=(*settings.without, "allennlp"))
    try:
        for size in chosen or sizes():
            with tempfile.TemporaryDirectory() as folder:
                for point in _points_at(size, threads, settings, Path(folder)):
                    logger.info("%s", point)
                    points.append(point)
    finally:
        torch.set_num_threads(before)
    return points


def _points_at(
    size: Size, threads: Sequence[int], settings: Settings, folder: Path
) -> Iterator[ScalingPoint]:
    """Yields the points of a size. The parsers have seen a few batches alone."""
    # No fewer than a batch; more of short sentences, which take no time.
    count = size.batch * max(1, 640 // (size.batch * size.length))
    files = write_sentences(folder / "sentences", sample_of_length(size.length, count, seed=5))
    parsers = end_to_end.build("semantic", settings, files, folder, size.batch)
    tasks: Dict[str, Dict[str, Callable[[], None]]] = {
        "training": {
            name: functools.partial(parser.train, count // size.batch)
            for name, parser in parsers.items()
        },
        "parsing": {
            name: functools.partial(parser.parse, files, folder / "parsed", size.batch)
            for name, parser in parsers.items()
        },
    }
    for task, calls in tasks.items():
        for number in threads:
            torch.set_num_threads(number)
            measured = end_to_end.in_turns(calls, _TURNS, time.perf_counter, settings.patience)
            for name, seconds in measured.items():
                rate = count * size.length / statistics.median(seconds)
                yield ScalingPoint(task, name, size, number, rate)
