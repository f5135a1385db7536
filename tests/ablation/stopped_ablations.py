"""
Kills ablations by SIGKILL, all their processes at once or the one that trains a run alone, has
them done by the same command (after the death of a run, with --retry-failed), and compares them
with one that was not killed: python -m tests.ablation.stopped_ablations FOLDER [MOMENTS [SEED]].
Prints a row for each; the exit status is 1 if any differs.

A moment is an event as of `tests.callbacks.stopped_runs`. All runs are forked from one process.
"""

import json
import os
import random
import re
import shutil
import signal
import sys
import traceback
from collections import Counter
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from spigot_allennlp.ablation.plan.plan import save_joined_plan
from spigot_allennlp.ablation.report.report import write_report
from spigot_allennlp.ablation.run.ablation import run_ablation
from spigot_allennlp.ablation.run.executors import LocalProcesses
from spigot_allennlp.ablation.run.run_record import RunRecord
from spigot_allennlp.compat.folder_lock import locked
from tests.ablation.tiny_experiment import planned, write_experiment
from tests.callbacks.resumable_test import OF_THE_MACHINE
from tests.callbacks.stopped_runs import Events, kind_of

RUN = re.compile(r"\S+/seed-\d+/")


class Kill(NamedTuple):
    """The occurrence of an event before which SIGKILL strikes, in that process or in all."""

    event: str
    occurrence: int
    is_of_all: bool


class EventsOfProcesses(Events):
    """Counts the events of each name; one that is forked goes on with its own count."""

    def __init__(self, folder: Path, kill: Optional[Kill]) -> None:
        super().__init__(folder, None)
        self._kill = kill
        self._counts: Counter = Counter()

    def happens(self, name: str) -> None:
        name = re.sub(r"\.\d+\.new", ".new", name)
        self._counts[name] += 1
        os.write(self._log, f"{self._counts[name]} {name}\n".encode())
        if self._kill is not None and (name, self._counts[name]) == self._kill[:2]:
            target = 0 if self._kill.is_of_all else os.getpid()
            (os.killpg if self._kill.is_of_all else os.kill)(target, signal.SIGKILL)


def ablate(here: Path, out: Path, kill: Optional[Kill] = None, retry_failed: bool = False) -> int:
    """The signal that ended it, or its exit status, which is 0 if all runs are done."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        log = os.open(f"{out}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            EventsOfProcesses(out, kill).watch()
            with locked(out):
                plan = save_joined_plan(planned(here, seeds=[1]), out)
                run_ablation(plan, out, LocalProcesses(jobs=2), retry_failed=retry_failed)
                os._exit(0 if write_report(plan, out, 100) else 3)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(out: Path) -> Dict[str, Any]:
    """What two ablations are to have in common."""
    files = [file for file in out.rglob("*") if file.is_file() and file.name != ".lock"]
    content: Dict[str, Any] = {"files": sorted(str(file.relative_to(out)) for file in files)}
    for file in out.rglob("cell.json"):
        record = RunRecord.load(file.parent)
        assert record is not None
        content[str(file.relative_to(out))] = (record.state, record.test["figures"])
        content[f"{file.relative_to(out)}: metrics"] = {
            key: value
            for key, value in record.metrics.items()
            if not any(word in key for word in OF_THE_MACHINE)
        }
    for row in json.loads((out / "report.json").read_text())["variants"]:
        content[row["variant"]] = (row["states"], row["spreads"], row["comparison"])
    return content


def moments(events: Sequence[str], generator: random.Random) -> Iterator[Kill]:
    """
    Kills without end: of each kind of file in turn, by turns of all processes and of that of a
    run, if it is a file of a run.
    """
    by_kind: Dict[str, List[str]] = {}
    for event in events:
        kind = kind_of(RUN.sub("", event).replace(" run/", " "))
        by_kind.setdefault(kind, []).append(event)
    pools = [cycle(generator.sample(of_kind, len(of_kind))) for of_kind in by_kind.values()]
    generator.shuffle(pools)
    for number, event in enumerate(chain.from_iterable(zip(*pools, strict=True))):
        occurrence, name = event.split(" ", 1)
        is_of_run = RUN.search(name) is not None or name.startswith("part of ")
        yield Kill(name, int(occurrence), is_of_all=number % 2 == 0 or not is_of_run)


def main(here: Path, count: int = 8, seed: int = 0) -> bool:
    """Whether all were done in the end, and none differed."""
    write_experiment(here, callbacks=["resumable"])
    assert ablate(here, here / "whole") == 0, (here / "whole.log").read_text()
    whole = contents(here / "whole")
    events = (here / "whole.events").read_text().splitlines()
    is_right = True
    for number, kill in enumerate(islice(moments(events, random.Random(seed)), count)):
        out = here / f"killed-{number}"
        status = ablate(here, out, kill)
        again = ablate(here, out, retry_failed=not kill.is_of_all)
        differing = ["not done"]
        if again == 0:
            content = contents(out)
            differing = [
                key for key in whole.keys() | content.keys() if whole.get(key) != content.get(key)
            ]
        is_right = is_right and not differing
        print(
            f"{'all' if kill.is_of_all else 'one':4} {kill.occurrence} {kill.event:55} status "
            f"{status:3}, then {again} {'; '.join(sorted(differing)) or 'same'}",
            flush=True,
        )
        if not differing:
            shutil.rmtree(out)
    return is_right


if __name__ == "__main__":
    sys.exit(not main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:])))
