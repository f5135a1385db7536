"""One run of an ablation, a variant with a seed: trained, resumed, tested, and recorded."""

import logging
import resource
import shutil
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import digest
from spigot_allennlp.ablation.run.run_record import (
    DONE,
    FAILED,
    REFUSED,
    RUNNING,
    TRAINED,
    RunRecord,
)
from spigot_allennlp.compat import atomic_io
from spigot_allennlp.compat.checkpoints import are_whole_weights, has_checkpoint

logger = logging.getLogger(__name__)

# The names that these have in ablations that have begun.
LOG, SERIALIZATION_DIR, INSTANCES = "log.txt", "run", "test_instances.npz"


@dataclass(frozen=True)
class Run:
    """
    All that a process needs in order to train and test it, on this machine or on another.

    # Parameters

    folder : `Path`
        Its own. Within it: `cell.json` (see `RunRecord`), `log.txt`, `test_instances.npz` (see
        `InstanceEvaluation`), and `run`, AllenNLP's serialization directory.
    variant : `str`
    seed : `int`
    config : `Dict[str, Any]`
        With the seeds.
    test_data : `Any`, optional (default = `None`)
        See `Plan`.
    threads : `int`, optional (default = `1`)
        Of PyTorch, and of the kernels.
    packages : `Tuple[str, ...]`, optional (default = `()`)
        What `--include-package` names, for a process that has not imported it.
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

    @property
    def data(self) -> Tuple[Any, str]:
        """Returns the path of the test data, and the name of the option or key that gives it."""
        places = {"--test-data": self.test_data}
        for key in ("test_data_path", "validation_data_path"):
            places[key] = self.config.get(key)
        return next(((data, name) for name, data in places.items() if data), (None, ""))

    def record(self) -> RunRecord:
        """Reads what is known of it; a new record if it was never started."""
        record = RunRecord.load(self.folder)
        return record or RunRecord(self.variant, self.seed, digest(self.config))


def train_and_test(run: Run) -> None:
    """
    Trains a run, from where an earlier attempt was interrupted, and tests it. What came of it is in
    its record; errors are recorded, not raised.
    """
    atomic_io.remove_unfinished(run.folder)
    record = run.record()
    _close_attempt(run, record)
    record.start_attempt()
    start = time.monotonic()
    with _recorded_errors(run, record):
        # The training makes damaged files of a trained run anew, mostly without another epoch.
        if record.state != TRAINED or not _can_be_loaded(run):
            record.state = RUNNING
            record.save(run.folder)
            record.metrics = _train(run)
            record.state = TRAINED
            _note_use(record, start)
            record.save(run.folder)
        start_testing = time.monotonic()
        record.test = _test(run)
        record.seconds_testing = time.monotonic() - start_testing
        record.state = DONE
    _note_use(record, start)
    record.save(run.folder)


def _train(run: Run) -> Dict[str, Any]:
    """
    Trains by AllenNLP, with `--recover` if there is something to recover, and returns its metrics.
    """
    from allennlp.commands.train import train_model
    from allennlp.common import Params

    recover = _can_be_recovered(run)
    # If the run was killed after its last epoch, this trains nothing, and writes all but the
    # weights anew: vocabulary, metrics and archive, of which any may be torn.
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
    Says whether there is a training to recover. What cannot be read of it is made anew: the config;
    and all, if the weights with the best metrics are damaged, which nothing else could bring back.
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
    """Says whether nothing is damaged of what `_test` needs of a trained run."""
    from allennlp.models.archival import load_archive

    try:
        load_archive(str(run.serialization_dir))
    except Exception:
        logger.warning("%s cannot be loaded.", run.serialization_dir, exc_info=True)
        return False
    return True


def _test(run: Run) -> Dict[str, Any]:
    """
    Tests the best weights, writes what each instance adds to the metrics, and returns
    `RunRecord.test`.
    """
    from allennlp.common import Params
    from allennlp.common.util import prepare_environment
    from allennlp.models.archival import load_archive

    from spigot_allennlp.ablation.run.instance_evaluation import evaluate_instances, read_instances

    data, key = run.data
    if data is None:
        return {"data": None, "key": "", "instances": 0, "figures": {}, "sources": {}}
    archive = load_archive(str(run.serialization_dir), cuda_device=_device(run.config))
    prepare_environment(Params(run.config).duplicate())
    instances = read_instances(archive.validation_dataset_reader, data)
    evaluation = evaluate_instances(archive.model, instances)
    evaluation.save(run.folder / INSTANCES)
    return {
        "data": data,
        "key": key,
        "instances": evaluation.num_instances,
        "figures": evaluation.metrics,
        "sources": evaluation.sources,
    }


def _device(config: Dict[str, Any]) -> int:
    """Returns the trainer's device: the first GPU, if there is one and the config names none."""
    import torch

    device: Optional[int] = config.get("trainer", {}).get("cuda_device")
    if device is None:
        return 0 if torch.cuda.is_available() else -1
    return device


@contextmanager
def _recorded_errors(run: Run, record: RunRecord) -> Iterator[None]:
    """Records an error; of a config that is wrong before its first checkpoint, as a refusal."""
    try:
        yield
    except Exception as error:
        has_weights = any(run.serialization_dir.glob("model_state_*"))
        if isinstance(error, ConfigurationError) and not has_weights:
            record.state, record.message = REFUSED, str(error)
        else:
            record.state, record.message = FAILED, f"{type(error).__name__}: {error}"
        with open(run.folder / LOG, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())


def _close_attempt(run: Run, record: RunRecord) -> None:
    """Notes of an attempt that was killed the time up to the last epoch that it completed."""
    if record.attempts and not record.attempts[-1]["seconds"]:
        started = record.attempts[-1]["started"]
        files = run.serialization_dir.glob("metrics_epoch_*.json")
        last = max((file.stat().st_mtime for file in files), default=started)
        record.attempts[-1]["seconds"] = max(0.0, last - started)
        record.attempts[-1]["interrupted"] = True


def _note_use(record: RunRecord, start: float) -> None:
    """Notes the time since `start`, of the monotonic clock, and the memory of this process."""
    import torch

    record.attempts[-1]["seconds"] = time.monotonic() - start
    use = resource.getrusage(resource.RUSAGE_SELF)
    record.attempts[-1]["cpu_seconds"] = use.ru_utime + use.ru_stime
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    record.peak_memory_mb = max(record.peak_memory_mb or 0.0, use.ru_maxrss / unit)
    if torch.cuda.is_initialized():
        gpu = torch.cuda.max_memory_allocated() / 1024**2
        record.peak_gpu_memory_mb = max(record.peak_gpu_memory_mb or 0.0, gpu)
