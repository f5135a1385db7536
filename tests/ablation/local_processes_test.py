"""Processes of their own: what they print, and what becomes of one that dies."""

import multiprocessing
import os
import signal
import time

import pytest

from spigot_allennlp.ablation import local_processes
from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.local_processes import LocalProcesses

HOW = {
    "sleep": lambda: time.sleep(60),
    "exit": lambda: os._exit(7),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "print": lambda: os.write(1, b"hello"),
}


def behave(cell):
    """In the place of training: what the name of its variant says."""
    (cell.folder / "process").write_text(f"{os.getpid()} {os.getppid()}")
    HOW[cell.variant]()


@pytest.fixture
def cells(tmp_path, monkeypatch):
    monkeypatch.setattr("spigot_allennlp.ablation.cell_run.run", behave)

    def make(*variants):
        made = [Cell(tmp_path / f"{n}", name, n, {}) for n, name in enumerate(variants)]
        return made

    return make


def run(cells, jobs=2):
    events = []
    LocalProcesses(jobs, "fork").run(
        cells,
        lambda cell: events.append(("started", cell.variant)),
        lambda cell, problem: events.append((cell.variant, problem)),
    )
    return events


def test_a_process_prints_into_the_log_of_its_cell(cells, capfd):
    (cell,) = cells("print")
    assert run([cell]) == [("started", "print"), ("print", None)]
    assert "hello" in (cell.folder / "log.txt").read_text()
    assert capfd.readouterr().out == ""


def test_a_process_that_dies_does_not_stop_the_others(cells):
    events = run(cells("kill", "exit", "print"), jobs=1)
    assert events[1] == (
        "kill",
        "The process was ended by SIGKILL. The kernel does that when memory runs out.",
    )
    assert events[3:] == [
        ("exit", "The process ended with status 7."),
        ("started", "print"),
        ("print", None),
    ]


def test_no_more_run_at_a_time_than_jobs(cells):
    events = run(cells("print", "print", "print"), jobs=2)
    started = [name == "started" for name, _ in events]
    running = [2 * sum(started[: n + 1]) - (n + 1) for n in range(len(started))]
    assert max(running) == 2


def test_whatever_interrupts_it_ends_those_that_run(cells):
    (cell,) = cells("sleep")

    def interrupt(_):
        raise KeyboardInterrupt

    class Interrupted(LocalProcesses):
        def _await_one(self, running, ended):
            while not (cell.folder / "process").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(1, "fork").run([cell], lambda _: None, interrupt)
    process = int((cell.folder / "process").read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_ends_with_its_parent(cells):
    (cell,) = cells("sleep")
    parent = multiprocessing.get_context("fork").Process(target=run, args=([cell],))
    parent.start()
    while not (cell.folder / "process").exists() or not (cell.folder / "process").read_text():
        time.sleep(0.01)
    child = int((cell.folder / "process").read_text().split()[0])
    parent.kill()
    parent.join()
    deadline = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process):
    """An orphan that nobody waits for stays a zombie where no init takes it in."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_spawn_is_chosen_where_there_is_no_fork(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert local_processes.LocalProcesses(1)._context.get_start_method() == "spawn"
