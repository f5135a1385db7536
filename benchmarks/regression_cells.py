"""
What a process of `regression` measures: how long the cells take of the code that is on its path.

It is run as a script, by its path, and imports nothing of its own package but the adapter of ours
and its problems: these come, as all of `spigot_allennlp` and the training configs do, from the
first checkout in `PYTHONPATH`, which may be an older one. Times are those of the processor.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

#: The rows beside the operations, and the training configs that each has a cell of.
MODEL_ROWS = ("training_step", "parsing")
CONFIGS = ("semantic_parser/log_likelihood", "syntactic_then_semantic/spigot")

_SEED = 1
# A call shorter than this, in seconds, is repeated until it is that long.
_LEAST_SECONDS = 1e-3
_FEWEST_ROUNDS, _MOST_ROUNDS = 3, 40
# Sentences to train on and to parse, and steps before and while time is taken. Their number is
# fixed, so that every process parses with the same weights.
_SENTENCES, _BATCH = 64, 64
_FIRST_STEPS, _STEPS, _PARSES = 4, 16, 3

#: Seconds by cell (a row, and a size or a config), and why others have none.
Measured = Tuple[Dict[str, float], Dict[str, str]]


class _Run(NamedTuple):
    """The names of cells that are measured together, and the function that returns their seconds,
    in this order."""

    cells: Tuple[str, ...]
    measure: Callable[[], Sequence[float]]


def main(arguments: Sequence[str]) -> None:
    """Prints the seconds of the cells, and the failures, as JSON."""
    parser = argparse.ArgumentParser("regression_cells.py")
    parser.add_argument("--rows", nargs="*", default=[], help="these alone; if none, all")
    parser.add_argument("--sizes", nargs="*", default=[], help="as in 32x40")
    parser.add_argument("--budget", type=float, required=True, help="seconds for an operation")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    seconds, failures = measure(options.rows, options.sizes, options.budget)
    print(json.dumps({"seconds": seconds, "failures": failures}))


def measure(rows: Sequence[str], sizes: Sequence[str], budget: float) -> Measured:
    """
    Measures cells.

    # Parameters

    rows : `Sequence[str]`
        Operations, and any of `MODEL_ROWS`; all, if there are none. What the code on the path does
        not have, is in neither part of the result.
    sizes : `Sequence[str]`
        Of the operations, as in `"32x40"`.
    budget : `float`
        Seconds for an operation at a size.
    """
    seconds: Dict[str, float] = {}
    failures: Dict[str, str] = {}
    for run in [*_operations(rows, sizes, budget), *_models(rows)]:
        try:
            seconds.update(zip(run.cells, run.measure(), strict=True))
        except Exception as error:  # the other cells shall not be lost
            reason = (str(error).strip().splitlines() or [""])[0]
            failures.update(dict.fromkeys(run.cells, f"{type(error).__name__}: {reason}"))
    return seconds, failures


def median_seconds(call: Callable[[], Any], budget: float) -> float:
    """Returns the median seconds of a call, after a first one that is not counted."""
    call()
    estimate = max(_seconds(call, 1), 1e-9)
    calls = max(1, round(_LEAST_SECONDS / estimate))
    rounds = min(max(int(budget / (estimate * calls)), _FEWEST_ROUNDS), _MOST_ROUNDS)
    return statistics.median(_seconds(call, calls) / calls for _ in range(rounds))


def _seconds(call: Callable[[], Any], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        call()
    return time.process_time() - start


def _operations(rows: Sequence[str], sizes: Sequence[str], budget: float) -> Iterator[_Run]:
    """Yields the cells of the operations, at all sizes."""
    from benchmarks.operation import OPERATIONS
    from benchmarks.ours import Ours

    ours = Ours()
    for name, operation in OPERATIONS.items():
        if (not rows or name in rows) and ours.offers(name):
            for size in sizes:
                yield _Run((f"{name} {size}",), partial(_time, ours, operation, size, budget))


def _time(ours: Any, operation: Any, size: str, budget: float) -> List[float]:
    from benchmarks.problem import Size

    problem = operation.problem(Size(*map(int, size.split("x"))), _SEED)
    return [median_seconds(ours.prepare(operation.name, problem).run, budget)]


def _models(rows: Sequence[str]) -> Iterator[_Run]:
    """Yields the cells of each training config that the checkout has."""
    import benchmarks

    wanted = [row for row in MODEL_ROWS if not rows or row in rows]
    configs = Path(benchmarks.__path__[0]).parent / "training_config"
    for name in CONFIGS if wanted else ():
        config = configs / f"{name}.jsonnet"
        if config.is_file():
            cells = tuple(f"{row} {name}" for row in wanted)
            yield _Run(cells, partial(_train_and_parse, config, wanted))


def _train_and_parse(config: Path, rows: Sequence[str]) -> List[float]:
    """Returns the median seconds of a training step and of parsing a file, those of `rows`."""
    from allennlp.commands.predict import _PredictManager
    from allennlp.commands.train import TrainModel
    from allennlp.common import Params
    from allennlp.common.util import prepare_environment
    from allennlp.data import DatasetReader
    from allennlp.predictors import Predictor

    from spigot_allennlp.commands.generate_treebank import generate_treebank

    spec = f"synthetic:size={_SENTENCES},seed={_SEED}"
    names = ("SPIGOT_SDP_TRAIN", "SPIGOT_SDP_DEV", "SPIGOT_CONLL_TRAIN", "SPIGOT_CONLL_DEV")
    params = Params.from_file(str(config), ext_vars=dict.fromkeys(names, spec))
    parsing = params.duplicate()["validation_dataset_reader"]
    prepare_environment(params)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        job = TrainModel.from_params(params, serialization_dir=folder, local_rank=0)
        trainer: Any = job.trainer
        job.model.train()
        batches = list(trainer.data_loader)
        steps = [
            _step(trainer, batches[turn % len(batches)]) for turn in range(_FIRST_STEPS + _STEPS)
        ]
        generate_treebank(folder, {"train": _SENTENCES}, _SEED, ["sdp", "conllx"])
        sentences, parsed = Path(folder) / "train.sdp", Path(folder) / "parsed"
        job.model.eval()
        predictor = Predictor.by_name("parser")(job.model, DatasetReader.from_params(parsing))

        def parse() -> None:
            _PredictManager(predictor, str(sentences), str(parsed), _BATCH, False, True).run()

        parse()
        parses = [_seconds(parse, 1) for _ in range(_PARSES)]
    seconds = {"training_step": steps[_FIRST_STEPS:], "parsing": parses}
    return [statistics.median(seconds[row]) for row in rows]


def _step(trainer: Any, batch: Any) -> float:
    """Makes a step as AllenNLP's trainer does, and returns the seconds that it took."""
    start = time.process_time()
    trainer.optimizer.zero_grad()
    trainer.batch_outputs(batch, for_training=True)["loss"].backward()
    trainer.rescale_gradients()
    trainer.optimizer.step()
    return time.process_time() - start


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1:])
