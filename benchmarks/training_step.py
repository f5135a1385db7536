"""
A training step of `syntactic_then_semantic`, with SPIGOT and with the pipeline: the cost of the
gradient through the argmax in a whole step.

Both models come from the training configs, as `allennlp train` builds them, with the synthetic
treebank, and take turns at the same batches.
"""

import contextlib
import io
import statistics
import tempfile
from pathlib import Path
from typing import Dict, List

from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.common.util import prepare_environment
from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer

from benchmarks.goals import RATIO
from benchmarks.measurement import Clock
from benchmarks.results import Metric

_CONFIGS = Path(__file__).parents[1] / "training_config" / "syntactic_then_semantic"
_DATA = {
    name: "synthetic:size=200,seed=1"
    for name in ("SPIGOT_SDP_TRAIN", "SPIGOT_SDP_DEV", "SPIGOT_CONLL_TRAIN", "SPIGOT_CONLL_DEV")
}


def training_step(now: Clock, num_batches: int = 8, rounds: int = 3) -> Metric:
    """Measures how many times as long as the pipeline SPIGOT takes: the median over steps."""
    with tempfile.TemporaryDirectory() as folder:
        trainers = {name: _build(name, Path(folder) / name) for name in ("pipeline", "spigot")}
        loader = trainers["spigot"].data_loader
        batches = [batch for batch, _ in zip(loader, range(num_batches), strict=False)]
        for trainer in trainers.values():
            _step(trainer, batches[0], now)
        seconds: Dict[str, List[float]] = {name: [] for name in trainers}
        for turn, batch in enumerate(batches * rounds):
            # The second of both has the batch in the processor's cache.
            for name in sorted(trainers, reverse=turn % 2 == 1):
                seconds[name].append(_step(trainers[name], batch, now))
    pairs = zip(seconds["pipeline"], seconds["spigot"], strict=True)
    ratio = statistics.median(spigot / pipeline for pipeline, spigot in pairs)
    medians = ", ".join(
        f"{1000 * statistics.median(measured):.0f} ms with {name}"
        for name, measured in seconds.items()
    )
    return Metric("training_step", "spigot / pipeline", ratio, RATIO, f"{medians}; batches of 16")


def _build(name: str, folder: Path) -> GradientDescentTrainer:
    params = Params.from_file(str(_CONFIGS / f"{name}.jsonnet"), ext_vars=_DATA)
    prepare_environment(params)
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        job = TrainModel.from_params(params, serialization_dir=str(folder), local_rank=0)
    assert isinstance(job.trainer, GradientDescentTrainer)
    job.model.train()
    return job.trainer


def _step(trainer: GradientDescentTrainer, batch: TensorDict, now: Clock) -> float:
    """Makes a step as AllenNLP's trainer does, and returns the seconds that it took."""
    start = now()
    trainer.optimizer.zero_grad()
    loss = trainer.batch_outputs(batch, for_training=True)["loss"]
    loss.backward()
    trainer.rescale_gradients()
    trainer.optimizer.step()
    return now() - start
