"""
Stops trainings by signals, the writing of each kind of file among the moments, has them recovered,
and compares them with one that was not stopped: python -m tests.callbacks.stopped_runs FOLDER
[MOMENTS [SEED [SIGNAL]]]. Prints a row for each stop, and how many there were of each kind; the
exit status is 1 if any differs.

A moment is an event: a file of the run that is opened for writing, renamed, linked or removed, a
part of one that is written, or a batch. Its kind is the kind of file, or "batch"; the moments go
round the kinds, so that a dozen of them strike each. All runs are forked from one process, which
has imported AllenNLP once.
"""

import json
import os
import random
import re
import shutil
import signal
import sys
import tarfile
import traceback
from collections import Counter
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import torch
from allennlp.__main__ import run as allennlp
from allennlp.training import TrainerCallback

import spigot_allennlp.callbacks.last_epochs
import spigot_allennlp.callbacks.resumable  # noqa: F401  (the config names both)
from tests.callbacks.resumable_test import OF_THE_MACHINE, ONE_TASK, write_sentences

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TRAINER = {
    "num_epochs": 3,
    "cuda_device": -1,
    "validation_metric": "+accuracy",
    "patience": 2,
    "optimizer": {"type": "adam", "lr": 0.05},
    "checkpointer": {"save_every_num_batches": 3, "keep_most_recent_by_count": 1},
    "callbacks": ["events", "last_epochs", "resumable"],
}
WRITES = ("open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate")


class Stop(NamedTuple):
    """The event before which a signal strikes, by its number."""

    number: int
    signal: signal.Signals


class Outcome(NamedTuple):
    """What was stopped, and how that ended; `differing` names what recovery did not bring back."""

    stop: Stop
    event: str
    status: int
    recovered: int
    differing: List[str]


class Events:
    """Counts the events of a process in a folder, notes them, and has a signal strike."""

    def __init__(self, folder: Path, stop: Optional[Stop]) -> None:
        self._folder = f"{folder}{os.sep}"
        self._stop = stop
        self._log = os.open(f"{folder}.events", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._number = 0

    def happens(self, name: str) -> None:
        os.write(self._log, f"{name}\n".encode())
        self._number += 1
        if self._stop is not None and self._number == self._stop.number:
            os.kill(os.getpid(), self._stop.signal)

    def audit(self, event: str, arguments: Any) -> None:
        if event not in WRITES or not str(arguments[0]).startswith(self._folder):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        self.happens(f"{event} {str(arguments[0])[len(self._folder) :]}")

    def watch(self) -> None:
        """From now on, for the rest of the process."""
        EventsCallback.events = self
        save, copy = torch.save, tarfile.copyfileobj  # type: ignore[attr-defined]

        def save_in_parts(state: Any, file: Any) -> None:
            save(state, Parts(file, self))

        def copy_noted(*arguments: Any, **options: Any) -> None:
            self.happens("part of model.tar.gz")
            copy(*arguments, **options)

        torch.save = save_in_parts
        tarfile.copyfileobj = copy_noted  # type: ignore[attr-defined]
        sys.addaudithook(self.audit)


class Parts:
    """A file that is written in parts, each of which is an event."""

    def __init__(self, file: Any, events: Events) -> None:
        self._file = file
        self._events = events

    def write(self, content: bytes) -> int:
        if len(content) > 200:  # the tensors
            self._events.happens(f"part of {os.path.basename(self._file.name)}")
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


@TrainerCallback.register("events")
class EventsCallback(TrainerCallback):
    """Each batch is an event."""

    events: Optional[Events] = None

    def on_batch(self, *args: Any, **kwargs: Any) -> None:
        if self.events is not None:
            self.events.happens("batch")


def train(folder: Path, stop: Optional[Stop] = None, recover: bool = False) -> int:
    """`allennlp train` in a process of its own: its exit status, or the signal that ended it."""
    child = os.fork()
    if child == 0:
        log = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        torch.set_num_threads(1)
        sys.argv = ["allennlp", "train", str(folder.parent / "config.json"), "-s", str(folder)]
        sys.argv += ["--recover"] * recover
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            Events(folder, stop).watch()
            allennlp()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def contents(folder: Path) -> Dict[str, Any]:
    """What two runs are to have in common, by file."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"]
    by_file: Dict[str, Any] = {"files": sorted(str(file.relative_to(folder)) for file in files)}
    for file in folder.glob("*.json"):
        values = json.loads(file.read_text())
        by_file[file.name] = {
            key: value
            for key, value in values.items()
            if not any(word in key for word in OF_THE_MACHINE)
        }
    for file in (folder / "vocabulary").glob("*.txt"):
        by_file[file.name] = file.read_text()
    with tarfile.open(folder / "model.tar.gz") as archive:
        by_file["archive"] = sorted(set(archive.getnames()) - {"vocabulary/.lock"})
        archive.extractall(f"{folder}.archive", filter="data")
    for name, file in {
        "best.th": folder / "best.th",
        "archived weights": Path(f"{folder}.archive", "weights.th"),
    }.items():
        by_file[name] = {key: value.tolist() for key, value in torch.load(file).items()}
    return by_file


def stop_and_recover(folder: Path, whole: Dict[str, Any], stop: Stop) -> Outcome:
    """A run that is stopped and, unless nothing of it is there, recovered."""
    shutil.rmtree(folder, ignore_errors=True)
    Path(f"{folder}.log").unlink(missing_ok=True)
    status = train(folder, stop)
    events = Path(f"{folder}.events").read_text().splitlines()
    event = events[stop.number - 1] if stop.number <= len(events) else "none"
    recovered = train(folder, recover=folder.exists())
    differing = ["not recovered"]
    if recovered == 0:
        recovered_contents = contents(folder)
        keys = whole.keys() | recovered_contents.keys()
        differing = sorted(key for key in keys if whole.get(key) != recovered_contents.get(key))
    return Outcome(stop, event, status, recovered, differing)


def kind_of(event: str) -> str:
    """The file that an event is about, without numbers, or the first folder; or "batch"."""
    path = event.split(" ")[-1].split("/")[0]
    return re.sub(r"_e\d+_b\d+|_\d+", "", re.sub(r"\.(.+)\.\d+\.new", r"\1", path))


def moments(events: Sequence[str], generator: random.Random) -> Iterator[int]:
    """Numbers of events without end: of each kind in turn, and of each kind all in random order."""
    by_kind: Dict[str, List[int]] = {}
    for number, event in enumerate(events, start=1):
        by_kind.setdefault(kind_of(event), []).append(number)
    pools = [cycle(generator.sample(numbers, len(numbers))) for numbers in by_kind.values()]
    return chain.from_iterable(zip(*pools, strict=True))


def main(here: Path, count: int = 20, seed: int = 0, only: int = 0) -> bool:
    """Whether all were recovered, and none differed; `only` is the number of a signal."""
    random.seed(0)
    write_sentences(here / "train.txt", 47)
    write_sentences(here / "dev.txt", 19)
    os.chdir(here)
    (here / "config.json").write_text(json.dumps({**ONE_TASK, "trainer": TRAINER}))
    assert train(here / "whole") == 0, (here / "whole.log").read_text()
    whole = contents(here / "whole")
    events = (here / "whole.events").read_text().splitlines()
    numbers = moments(events, random.Random(seed))
    struck: Counter = Counter()
    same: Counter = Counter()
    for kind in [kind for kind in SIGNALS if only in (0, kind)]:
        for number in islice(numbers, count):
            folder = here / f"{kind.name}-{number}"
            outcome = stop_and_recover(folder, whole, Stop(number, kind))
            differs = outcome.recovered != 0 or bool(outcome.differing)
            key = (kind.name, kind_of(outcome.event))
            struck[key] += 1
            same[key] += not differs
            print(
                f"{kind.name:8} {number:4}/{len(events)} {outcome.event:45} status "
                f"{outcome.status:3} recovered {outcome.recovered} "
                f"{'; '.join(outcome.differing) or 'same'}",
                flush=True,
            )
            if not differs:
                for leftover in here.glob(f"{folder.name}*"):
                    shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for key, number in struck.items():
        print(f"{key[0]:8} {key[1]:20} struck {number:3}, recovered and the same {same[key]:3}")
    return same == struck


if __name__ == "__main__":
    sys.exit(not main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:])))
