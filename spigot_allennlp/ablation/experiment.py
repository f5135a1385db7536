"""Trains what has not been trained yet."""

import logging
from pathlib import Path
from typing import List, Optional, Sequence

from spigot_allennlp.ablation import record as states
from spigot_allennlp.ablation.cell import INSTANCES, Cell
from spigot_allennlp.ablation.executor import Executor
from spigot_allennlp.ablation.plan import FILE, Plan
from spigot_allennlp.ablation.progress import Progress
from spigot_allennlp.ablation.record import Record
from spigot_allennlp.ablation.refusal import reason_to_refuse
from spigot_allennlp.compat import whole_files

logger = logging.getLogger(__name__)


def begin(plan: Plan, folder: Path) -> Plan:
    """
    Writes the plan down, together with what was planned before in the same folder. Nobody else may
    be writing into it: what a killed ablation left of a file is removed.

    # Raises

    `ConfigurationError` if the two contradict each other.
    """
    whole_files.remove_unfinished(folder)
    whole = plan
    if whole_files.holds_json(folder / FILE):
        whole = plan.joined_to(Plan.load(folder), folder)
    elif (folder / FILE).exists():
        logger.warning("%s cannot be read: it is made anew.", folder / FILE)
    whole.save(folder)
    return whole


def carry_out(
    plan: Plan,
    folder: Path,
    executor: Executor,
    threads: int = 1,
    packages: Sequence[str] = (),
    retry_failed: bool = False,
) -> None:
    """
    Trains and tests the cells of a plan that are not done, and says how it goes. Cells that were
    interrupted go on. Those whose config makes no sense are refused before anything is trained;
    those that failed stay as they are unless `retry_failed`. Neither stops the others.
    """
    cells = cells_in(plan, folder, threads, packages)
    refuse_at_once(plan, cells)
    test_again(cells)
    known = [cell.record() for cell in cells]
    waiting = [
        cell for cell, one in zip(cells, known, strict=True) if not is_over(one, retry_failed)
    ]
    # Those that were interrupted come first.
    waiting.sort(key=lambda cell: not cell.record().attempts)
    progress = Progress(len(cells), len(cells) - len(waiting), plan.metrics[0])
    progress.opening(folder, known)

    def started(cell: Cell) -> None:
        progress.started(cell, goes_on=bool(cell.record().attempts))

    def ended(cell: Cell, cause_of_death: Optional[str]) -> None:
        record = cell.record()
        if cause_of_death and record.state != states.DONE:
            record.state, record.message = states.FAILED, cause_of_death
            record.save(cell.folder)
        progress.ended(cell, record)

    executor.run(waiting, started, ended)


def cells_in(
    plan: Plan, folder: Path, threads: int = 1, packages: Sequence[str] = ()
) -> List[Cell]:
    """The cells of a plan, in the order in which they are trained."""
    return [
        Cell(
            plan.cell_folder(folder, name, seed).absolute(),
            name,
            seed,
            plan.cell_config(name, seed),
            plan.test_data,
            threads,
            tuple(packages),
        )
        for name, seed in plan.cells
    ]


def refuse_at_once(plan: Plan, cells: Sequence[Cell]) -> None:
    """
    Marks the cells whose config cannot be trained. One that was refused is looked at again: a
    release may have brought what it lacked.
    """
    names = dict.fromkeys(name for name, _ in plan.cells)
    reasons = {name: reason_to_refuse(plan.variants[name].config) for name in names}
    for cell in cells:
        known, reason = cell.record(), reasons[cell.variant]
        if known.state in (states.PLANNED, states.REFUSED) and reason:
            known.state, known.message = states.REFUSED, reason
            known.save(cell.folder)
        elif known.state == states.REFUSED and not known.attempts:
            known.state = states.PLANNED
            known.save(cell.folder)


def test_again(cells: Sequence[Cell]) -> None:
    """Has those tested once more of whose test nobody can read what it found."""
    for cell in cells:
        known, file = cell.record(), cell.folder / INSTANCES
        if known.state == states.DONE and file.exists() and not whole_files.is_whole_zip(file):
            logger.warning("%s is damaged: %s is tested again.", file, cell.folder)
            known.state = states.TRAINED
            known.save(cell.folder)


def is_over(known: Record, retry_failed: bool) -> bool:
    """Whether nothing is to be done for a cell. One that was refused untried is not retried."""
    if known.state == states.FAILED or known.state == states.REFUSED and known.attempts:
        return not retry_failed
    return known.state in (states.DONE, states.REFUSED)
