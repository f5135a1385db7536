"""
The runs of an ablation, each a variant with a seed: makes them from a plan, and trains, resumes and
tests one.
"""

import hashlib
import json
import logging
import os
import resource
import shutil
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import prepare_environment
from allennlp.models.archival import load_archive

from spigot_allennlp.ablation.plan.plan import Plan, folder_name, trainer_of
from spigot_allennlp.ablation.run.instance_evaluation import evaluate_instances, read_instances
from spigot_allennlp.ablation.run.run_record import (
    DONE,
    FAILED,
    REFUSED,
    RUNNING,
    TRAINED,
    RunRecord,
    TestResult,
)
from spigot_allennlp.compat import atomic_io
from spigot_allennlp.compat.atomic_io import file_sha256
from spigot_allennlp.compat.checkpoints import are_whole_weights, has_checkpoint
from spigot_allennlp.compat.configs import paths_in, texts_of
from spigot_allennlp.training.learning_curves import epoch_files

logger = logging.getLogger(__name__)

# In the folder of a run, beside its record: the output, the test scores of each instance (see
# `InstanceEvaluation`), and AllenNLP's serialization directory.
LOG_FILE, INSTANCES_FILE, SERIALIZATION_DIR = "log.txt", "test_instances.npz", "run"


class TestData(NamedTuple):
    """The path of the test data of a run, and the option or config key that named it."""

    path: Any
    key: str


@dataclass(frozen=True)
class Run:
    """
    Everything a process needs to train and test a run, on this machine or another.

    # Parameters

    folder : `Path`
        The folder of the run.
    variant : `str`
        The name of the variant.
    seed : `int`
    config : `Dict[str, Any]`
        The full config, including the seed.
    test_data : `Any`, optional (default = `None`)
        The value of `--test-data` (see `Plan`).
    threads : `int`, optional (default = `1`)
        The number of threads for PyTorch and for the kernels.
    packages : `Tuple[str, ...]`, optional (default = `()`)
        The values of `--include-package`, for a process that has not imported them.
    """

    folder: Path
    variant: str
    seed: int
    config: Dict[str, Any]
    test_data: Any = None
    threads: int = 1
    packages: Tuple[str, ...] = ()

    @property
    def serialization_dir(self) -> Path:
        """AllenNLP's folder."""
        return self.folder / SERIALIZATION_DIR

    def find_test_data(self) -> Optional[TestData]:
        """
        Returns the data of `--test-data`, or else the config's test data, or else its validation
        data; `None` if there are none.
        """
        paths = {"--test-data": self.test_data}
        for key in ("test_data_path", "validation_data_path"):
            paths[key] = self.config.get(key)
        return next((TestData(path, key) for key, path in paths.items() if path), None)

    def load_record(self) -> RunRecord:
        """Reads the record of the run; returns a new record if the run was never started."""
        record = RunRecord.load(self.folder)
        return record or RunRecord(self.variant, self.seed, config_digest(self.config))


def config_digest(config: Dict[str, Any]) -> str:
    """Returns a digest that is equal for equal configs, whatever the order of their keys."""
    text = json.dumps(config, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def file_digests(runs: Iterable[Run]) -> Dict[str, str]:
    """
    Returns the digests of the test data of all runs, and of all files that the strings of their
    configs name: data, vectors and archives, but not folders.
    """
    texts = {text for run in runs for text in texts_of([run.config, run.test_data])}
    paths = {path for text in texts for path in paths_in(text)}
    return {path: file_sha256(path) for path in sorted(paths) if os.path.isfile(path)}


def make_runs(
    plan: Plan, folder: Path, threads: int = 1, packages: Sequence[str] = ()
) -> List[Run]:
    """Makes the runs of a plan, in order. The folder of a run is `<variant>/seed-<n>`."""
    return [
        Run(
            folder=(folder / folder_name(run_id.variant) / f"seed-{run_id.seed}").absolute(),
            variant=run_id.variant,
            seed=run_id.seed,
            config=plan.seeded_config(run_id),
            test_data=plan.test_data,
            threads=threads,
            packages=tuple(packages),
        )
        for run_id in plan.run_ids
    ]


def train_and_test(run: Run) -> None:
    """
    Trains a run, continuing where an earlier attempt was interrupted, and tests it. The results are
    in its record. Errors are recorded, not raised.
    """
    atomic_io.remove_unfinished(run.folder)
    record = run.load_record()
    _close_attempt(run, record)
    record.start_attempt()
    start = time.monotonic()
    with _recorded_errors(run, record):
        record.files = file_digests([run])
        # Training recreates the damaged files of a trained run, mostly without another epoch.
        if record.state != TRAINED or not _can_be_loaded(run):
            record.state = RUNNING
            record.save(run.folder)
            record.metrics = _train(run)
            record.state = TRAINED
            _record_resources(record, start)
            record.save(run.folder)
        start_testing = time.monotonic()
        record.test = _test(run)
        record.seconds_testing = time.monotonic() - start_testing
        record.state = DONE
    _record_resources(record, start)
    record.save(run.folder)


def _train(run: Run) -> Dict[str, Any]:
    """Trains with AllenNLP, with `--recover` if possible, and returns the metrics."""
    recover = _can_be_recovered(run)
    # If the run was killed after its last epoch, this trains nothing, but rewrites everything
    # except the weights: vocabulary, metrics and archive, any of which may be incomplete.
    train_model(
        Params(run.config).duplicate(),
        str(run.serialization_dir),
        recover=recover,
        force=not recover,
        include_package=list(run.packages),
        file_friendly_logging=True,
        return_model=False,
    )
    return atomic_io.read_json(run.serialization_dir / "metrics.json")


def _can_be_recovered(run: Run) -> bool:
    """
    Returns whether there is a training run to recover. An unreadable config is rewritten. If the
    weights with the best metrics are damaged, training starts over, since nothing else could
    restore them.
    """
    folder = run.serialization_dir
    if not has_checkpoint(folder):
        return False
    weights = folder / "best.th"
    if weights.exists() and not are_whole_weights(weights):
        logger.warning("%s is damaged: %s is trained from the beginning.", weights, folder)
        shutil.rmtree(folder)
        return False
    if not atomic_io.holds_json(folder / "config.json"):
        logger.warning("%s cannot be read, and is written anew.", folder / "config.json")
        atomic_io.write_json(folder / "config.json", run.config)
    return True


def _can_be_loaded(run: Run) -> bool:
    """Returns whether the files of a trained run that `_test` needs are undamaged."""
    try:
        load_archive(str(run.serialization_dir))
    except Exception:
        logger.warning("%s cannot be loaded.", run.serialization_dir, exc_info=True)
        return False
    return True


def _test(run: Run) -> TestResult:
    """
    Tests the best weights, stores what each instance adds to the metrics, and returns the metrics.
    """
    test_data = run.find_test_data()
    if test_data is None:
        return {"data": None, "key": "", "instances": 0, "figures": {}, "sources": {}}
    archive = load_archive(str(run.serialization_dir), cuda_device=_device(run.config))
    prepare_environment(Params(run.config).duplicate())
    instances = read_instances(archive.validation_dataset_reader, test_data.path)
    evaluation = evaluate_instances(archive.model, instances)
    evaluation.save(run.folder / INSTANCES_FILE)
    return {
        "data": test_data.path,
        "key": test_data.key,
        "instances": evaluation.num_instances,
        "figures": evaluation.metrics,
        "sources": evaluation.sources,
    }


def _device(config: Dict[str, Any]) -> int:
    """Returns the trainer's device: the first GPU, if there is one and the config names none."""
    device: Optional[int] = trainer_of(config).get("cuda_device")
    if device is None:
        return 0 if torch.cuda.is_available() else -1
    return device


@contextmanager
def _recorded_errors(run: Run, record: RunRecord) -> Iterator[None]:
    """
    Records an error in the block as "failed", or as "refused" if the config proved invalid before
    the first checkpoint.
    """
    try:
        yield
    except Exception as error:
        has_weights = has_checkpoint(run.serialization_dir)
        if isinstance(error, ConfigurationError) and not has_weights:
            record.state, record.message = REFUSED, str(error)
        else:
            record.state, record.message = FAILED, f"{type(error).__name__}: {error}"
        with open(run.folder / LOG_FILE, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())


def _close_attempt(run: Run, record: RunRecord) -> None:
    """If the last attempt was killed, records how long it took up to its last completed epoch."""
    if record.attempts and not record.attempts[-1]["seconds"]:
        started = record.attempts[-1]["started"]
        files = epoch_files(run.serialization_dir).values()
        last = max((file.stat().st_mtime for file in files), default=started)
        record.attempts[-1]["seconds"] = max(0.0, last - started)
        record.attempts[-1]["interrupted"] = True


def _record_resources(record: RunRecord, start: float) -> None:
    """Records the time since `start`, by the monotonic clock, and the memory of this process."""
    record.attempts[-1]["seconds"] = time.monotonic() - start
    use = resource.getrusage(resource.RUSAGE_SELF)
    record.attempts[-1]["cpu_seconds"] = use.ru_utime + use.ru_stime
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    record.peak_memory_mb = max(record.peak_memory_mb or 0.0, use.ru_maxrss / unit)
    if torch.cuda.is_initialized():
        gpu = torch.cuda.max_memory_allocated() / 1024**2
        record.peak_gpu_memory_mb = max(record.peak_gpu_memory_mb or 0.0, gpu)
