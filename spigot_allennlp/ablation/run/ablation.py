"""
Trains and tests the runs of a plan that are not done, and prints progress: what `allennlp ablate`
does between planning and reporting.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import Plan, stored_plan
from spigot_allennlp.ablation.plan.validation import config_error
from spigot_allennlp.ablation.run.executors import Executor
from spigot_allennlp.ablation.run.run_record import (
    DONE,
    FAILED,
    PLANNED,
    REFUSED,
    TRAINED,
    RunRecord,
    format_duration,
)
from spigot_allennlp.ablation.run.single_run import (
    INSTANCES_FILE,
    LOG_FILE,
    Run,
    config_digest,
    file_digests,
    make_runs,
)
from spigot_allennlp.compat import atomic_io
from spigot_allennlp.compat.atomic_io import holds_json, read_json
from spigot_allennlp.compat.checkpoints import has_checkpoint
from spigot_allennlp.compat.configs import first_difference

logger = logging.getLogger(__name__)


def run_ablation(
    plan: Plan,
    folder: Path,
    executor: Executor,
    threads: int = 1,
    packages: Sequence[str] = (),
    retry_failed: bool = False,
) -> None:
    """
    Trains and tests the runs of a plan that are not done, and prints progress. Interrupted runs are
    resumed. Runs with an invalid config are recorded as refused before anything is trained. Failed
    runs stay as they are unless `retry_failed`. Neither stops the other runs.

    # Parameters

    plan : `Plan`
    folder : `Path`
        The folder of the ablation.
    executor : `Executor`
        Where the runs are executed: in processes on this machine, or on a cluster.
    threads : `int`, optional (default = `1`)
        The CPU threads of each run.
    packages : `Sequence[str]`, optional (default = `()`)
        What `--include-package` names.
    retry_failed : `bool`, optional (default = `False`)
        Whether to resume failed runs.
    """
    runs = make_runs(plan, folder, threads, packages)
    record_validation_errors(plan, runs)
    mark_damaged_tests(runs)
    records = [run.load_record() for run in runs]
    pairs = zip(runs, records, strict=True)
    open_pairs = [(run, record) for run, record in pairs if not is_over(record, retry_failed)]
    # Interrupted runs come first.
    open_pairs.sort(key=lambda pair: not pair[1].attempts)
    printer = ProgressPrinter(len(runs), len(runs) - len(open_pairs), plan.metrics[0])
    printer.print_overview(folder, records)

    def on_start(run: Run) -> None:
        printer.print_start(run, is_resumed=bool(run.load_record().attempts))

    def on_end(run: Run, cause_of_death: Optional[str]) -> None:
        record = run.load_record()
        if cause_of_death and record.state != DONE:
            record.state, record.message = FAILED, cause_of_death
            record.save(run.folder)
        printer.print_end(run, record)

    executor.execute([run for run, _ in open_pairs], on_start, on_end)


def check_trained_configs(plan: Plan, folder: Path) -> None:
    """
    Checks that the runs that were started in a folder had the configs of this plan. This is for a
    folder whose own plan is lost or damaged; otherwise the plans are compared.

    # Raises

    `ConfigurationError` that names a run with a different config.
    """
    if stored_plan(folder) is not None:
        return
    for run in make_runs(plan, folder):
        record = run.load_record()
        if record.attempts and record.config_digest != config_digest(run.config):
            files = (run.serialization_dir / f"config{end}.json" for end in ("_as_given", ""))
            known = next(filter(holds_json, files), None)
            change = first_difference(read_json(known), run.config) if known else None
            raise ConfigurationError(
                f"The run in {run.folder} has begun with another config, and {folder} has no plan "
                f"that can be read. {f'There {change}. ' if change else ''}Name another folder, or "
                "delete that of the run."
            )


def check_trained_files(plan: Plan, folder: Path) -> None:
    """
    Checks that the files that this plan needs have not changed since runs were started in the
    folder, whether from this plan or from the stored one. Otherwise the report would compare scores
    on different data.

    # Raises

    `ConfigurationError` that names the file and a run, or says that the two plans contradict each
    other.
    """
    files = file_digests(make_runs(plan, folder))
    earlier = stored_plan(folder)
    for run in make_runs(plan.join(earlier, folder) if earlier else plan, folder):
        record = run.load_record()
        has_weights = record.state in (DONE, TRAINED) or has_checkpoint(run.serialization_dir)
        for path, digest in record.files.items():
            if has_weights and files.get(path, digest) != digest:
                raise ConfigurationError(
                    f"{path} has changed since the run in {run.folder} began with it, so that its "
                    "scores and new ones would not be of the same data. Put the file back as it "
                    "was, or name another folder."
                )


def record_validation_errors(plan: Plan, runs: Sequence[Run]) -> None:
    """
    Records runs with an invalid config as refused. A refused run is validated again, since a new
    release may have what it lacked.
    """
    variants = dict.fromkeys(run.variant for run in runs)
    errors = {variant: config_error(plan.variants[variant].config) for variant in variants}
    for run in runs:
        record, error = run.load_record(), errors[run.variant]
        if record.state in (PLANNED, REFUSED) and error:
            record.state, record.message = REFUSED, error
            record.save(run.folder)
        elif record.state == REFUSED and not record.attempts:
            record.state = PLANNED
            record.save(run.folder)


def mark_damaged_tests(runs: Sequence[Run]) -> None:
    """Marks runs that are done, but have unreadable test results, to be tested again."""
    for run in runs:
        record, file = run.load_record(), run.folder / INSTANCES_FILE
        if record.state == DONE and file.exists() and not atomic_io.is_whole_zip(file):
            logger.warning("%s is damaged: %s is tested again.", file, run.folder)
            record.state = TRAINED
            record.save(run.folder)


def is_over(record: RunRecord, retry_failed: bool) -> bool:
    """
    Returns whether a run needs no more work: it is done, its config was invalid, or it failed and
    is not to be retried. A run that was refused after it had started counts as failed.
    """
    if record.state == FAILED or record.state == REFUSED and record.attempts:
        return not retry_failed
    return record.state in (DONE, REFUSED)


class ProgressPrinter:
    """
    Prints a line when a run of an ablation starts, and a line when it ends.

    # Parameters

    total : `int`
        The total number of runs.
    over : `int`
        The number of runs that need no more work.
    metric : `str`
        The metric to show.
    """

    def __init__(self, total: int, over: int, metric: str) -> None:
        self._total = total
        self._over = over
        self._metric = metric

    def print_overview(self, folder: Path, records: Sequence[RunRecord]) -> None:
        """Prints the number of runs in each state, and why runs were refused."""
        counts = Counter(record.shown_state for record in records)
        states = ", ".join(f"{number} {state}" for state, number in counts.items())
        print(f"{len(records)} runs in {folder}: {states}", flush=True)
        refused = {record.variant: record.message for record in records if record.state == REFUSED}
        for variant, message in refused.items():
            print(f"refused: {variant}: {first_line(message)}", flush=True)

    def print_start(self, run: Run, is_resumed: bool) -> None:
        """Prints that a run has started."""
        self._print(run, "resumed" if is_resumed else "started")

    def print_end(self, run: Run, record: RunRecord) -> None:
        """Prints how a run has ended."""
        self._over += 1
        if record.state == DONE:
            value = record.test_metrics.get(self._metric)
            score = "" if value is None else f"{self._metric} {value:.4f} "
            self._print(run, f"done: {score}in {format_duration(record.seconds)}")
        else:
            log = f" Log: {run.folder / LOG_FILE}" if record.attempts else ""
            self._print(run, f"{record.state}: {first_line(record.message)}{log}")

    def _print(self, run: Run, event: str) -> None:
        width = len(str(self._total))
        count = f"[{self._over:{width}d}/{self._total}]"
        print(f"{count} {run.variant} seed {run.seed}  {event}", flush=True)


def first_line(text: str, longest: int = 200) -> str:
    """Returns the first line of a message, truncated if it is longer than `longest`."""
    line = text.strip().split("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"
