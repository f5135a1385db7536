"""Trains and tests the runs of a plan that are not done: what `allennlp ablate` does but report."""

import logging
from pathlib import Path
from typing import List, Optional, Sequence

from spigot_allennlp.ablation.plan.plan import FILE, Plan
from spigot_allennlp.ablation.plan.validation import config_error
from spigot_allennlp.ablation.run.executors import Executor
from spigot_allennlp.ablation.run.progress import Progress
from spigot_allennlp.ablation.run.run_record import (
    DONE,
    FAILED,
    PLANNED,
    REFUSED,
    TRAINED,
    RunRecord,
)
from spigot_allennlp.ablation.run.single_run import INSTANCES, Run
from spigot_allennlp.compat import atomic_io

logger = logging.getLogger(__name__)


def start_ablation(plan: Plan, folder: Path) -> Plan:
    """
    Writes the plan into the folder, together with what was planned there before. Nobody else may be
    writing into the folder: what a killed ablation left of a file is removed.

    # Returns

    `Plan`
        What is reported: this plan with the variants and runs that were there before.

    # Raises

    `ConfigurationError` if the two contradict each other.
    """
    atomic_io.remove_unfinished(folder)
    joined = plan
    if atomic_io.holds_json(folder / FILE):
        joined = plan.joined_to(Plan.load(folder), folder)
    elif (folder / FILE).exists():
        logger.warning("%s cannot be read: it is made anew.", folder / FILE)
    joined.save(folder)
    return joined


def run_ablation(
    plan: Plan,
    folder: Path,
    executor: Executor,
    threads: int = 1,
    packages: Sequence[str] = (),
    retry_failed: bool = False,
) -> None:
    """
    Trains and tests the runs of a plan that are not done, and prints how it goes. Runs that were
    interrupted are resumed. Those whose config makes no sense are refused before anything is
    trained; those that failed stay as they are unless `retry_failed`. Neither stops the others.

    # Parameters

    plan : `Plan`
    folder : `Path`
        Of the ablation.
    executor : `Executor`
    threads : `int`, optional (default = `1`)
        Of each run.
    packages : `Sequence[str]`, optional (default = `()`)
        What `--include-package` names.
    retry_failed : `bool`, optional (default = `False`)
    """
    runs = runs_of(plan, folder, threads, packages)
    refuse_invalid(plan, runs)
    mark_damaged_tests(runs)
    records = [run.record() for run in runs]
    open_runs = [
        run for run, record in zip(runs, records, strict=True) if not is_over(record, retry_failed)
    ]
    # Those that were interrupted come first.
    open_runs.sort(key=lambda run: not run.record().attempts)
    progress = Progress(len(runs), len(runs) - len(open_runs), plan.metrics[0])
    progress.opening(folder, records)

    def on_start(run: Run) -> None:
        progress.started(run, is_resumed=bool(run.record().attempts))

    def on_end(run: Run, cause_of_death: Optional[str]) -> None:
        record = run.record()
        if cause_of_death and record.state != DONE:
            record.state, record.message = FAILED, cause_of_death
            record.save(run.folder)
        progress.ended(run, record)

    executor.execute(open_runs, on_start, on_end)


def runs_of(plan: Plan, folder: Path, threads: int = 1, packages: Sequence[str] = ()) -> List[Run]:
    """Returns the runs of a plan, in the order in which they are trained."""
    return [
        Run(
            plan.folder_of(run_id, folder).absolute(),
            run_id.variant,
            run_id.seed,
            plan.config_of(run_id),
            plan.test_data,
            threads,
            tuple(packages),
        )
        for run_id in plan.runs
    ]


def refuse_invalid(plan: Plan, runs: Sequence[Run]) -> None:
    """
    Records the runs whose config cannot be trained as refused. A run that was refused is validated
    again: a release may have brought what it lacked.
    """
    variants = dict.fromkeys(run.variant for run in runs)
    errors = {variant: config_error(plan.variants[variant].config) for variant in variants}
    for run in runs:
        record, error = run.record(), errors[run.variant]
        if record.state in (PLANNED, REFUSED) and error:
            record.state, record.message = REFUSED, error
            record.save(run.folder)
        elif record.state == REFUSED and not record.attempts:
            record.state = PLANNED
            record.save(run.folder)


def mark_damaged_tests(runs: Sequence[Run]) -> None:
    """Marks the runs to be tested again that are done, but whose test results cannot be read."""
    for run in runs:
        record, file = run.record(), run.folder / INSTANCES
        if record.state == DONE and file.exists() and not atomic_io.is_whole_zip(file):
            logger.warning("%s is damaged: %s is tested again.", file, run.folder)
            record.state = TRAINED
            record.save(run.folder)


def is_over(record: RunRecord, retry_failed: bool) -> bool:
    """Says whether a run needs no more work. One that was refused untried is not retried."""
    if record.state == FAILED or record.state == REFUSED and record.attempts:
        return not retry_failed
    return record.state in (DONE, REFUSED)
