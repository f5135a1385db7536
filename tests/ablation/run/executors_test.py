"""Runs in processes of their own: what they print, and what happens when a process dies."""

import importlib.util
import multiprocessing
import os
import signal
import sys
import time

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.plan.plan import save_joined_plan
from spigot_allennlp.ablation.run.ablation import run_ablation
from spigot_allennlp.ablation.run.executors import LocalProcesses, RayCluster
from spigot_allennlp.ablation.run.run_record import RunRecord
from spigot_allennlp.ablation.run.single_run import Run
from tests.ablation.tiny_experiment import planned, write_experiment

BEHAVIOURS = {
    "sleep": lambda: time.sleep(60),
    "exit": lambda: os._exit(7),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "print": lambda: os.write(1, b"hello"),
}


def behave(run):
    """In the place of training: what the name of its variant says."""
    unfinished = run.folder / "process.tmp"
    unfinished.write_text(f"{os.getpid()} {os.getppid()}")
    unfinished.rename(run.folder / "process")  # Whoever waits for the file finds all of it.
    BEHAVIOURS[run.variant]()


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr("spigot_allennlp.ablation.run.executors.train_and_test", behave)

    def make(*variants):
        return [Run(tmp_path / f"{n}", name, n, {}) for n, name in enumerate(variants)]

    return make


def execute(runs, jobs=2):
    events = []
    LocalProcesses(jobs, "fork").execute(
        runs,
        lambda run: events.append(("started", run.variant)),
        lambda run, problem: events.append((run.variant, problem)),
    )
    return events


def test_a_process_prints_into_the_log_of_its_run(runs, capfd):
    (run,) = runs("print")
    assert execute([run]) == [("started", "print"), ("print", None)]
    assert "hello" in (run.folder / "log.txt").read_text()
    assert capfd.readouterr().out == ""


def test_a_process_that_dies_does_not_stop_the_others(runs):
    events = execute(runs("kill", "exit", "print"), jobs=1)
    assert events[1] == (
        "kill",
        "The process was ended by SIGKILL. The kernel does that when memory runs out.",
    )
    assert events[3:] == [
        ("exit", "The process ended with status 7."),
        ("started", "print"),
        ("print", None),
    ]


def test_no_more_run_at_a_time_than_jobs(runs):
    events = execute(runs("print", "print", "print"), jobs=2)
    started = [name == "started" for name, _ in events]
    running = [2 * sum(started[: n + 1]) - (n + 1) for n in range(len(started))]
    assert max(running) == 2


def test_whatever_interrupts_it_ends_those_that_run(runs):
    (run,) = runs("sleep")

    def interrupt(_):
        raise KeyboardInterrupt

    class Interrupted(LocalProcesses):
        def _await_any(self, handles):
            while not (run.folder / "process").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupted(1, "fork").execute([run], lambda _: None, interrupt)
    process = int((run.folder / "process").read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_process_ends_with_its_parent(runs):
    (run,) = runs("sleep")
    parent = multiprocessing.get_context("fork").Process(target=execute, args=([run],))
    parent.start()
    while not (run.folder / "process").exists():
        time.sleep(0.01)
    child = int((run.folder / "process").read_text().split()[0])
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
    assert LocalProcesses(1)._context.get_start_method() == "spawn"


has_ray = importlib.util.find_spec("ray") is not None


@pytest.mark.skipif(not has_ray, reason="ray is not installed")
def test_two_workers_of_ray_train_the_runs_and_a_failed_one_is_recorded(tmp_path, monkeypatch):
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    monkeypatch.setenv("PYTHONPATH", root)
    write_experiment(tmp_path)
    plan = planned(tmp_path, 'model.dropout=0.1,"much"', seeds=[1])
    plan = save_joined_plan(plan, tmp_path / "out")
    try:
        run_ablation(plan, tmp_path / "out", RayCluster(jobs=2))
    except ConfigurationError as error:
        pytest.skip(f"Ray itself could not start, three times: {error}")
    done, failed = (
        RunRecord.load(tmp_path / "out" / name / "seed-1") for name in ("dropout=0.1", "much")
    )
    assert done.state == "done" and "accuracy" in done.test["figures"]
    assert failed.state == "failed" and "TypeError" in failed.message
    processes = {record.attempts[0]["process"] for record in (done, failed)}
    assert len(processes) == 2 and os.getpid() not in processes
    assert "Beginning training" in (tmp_path / "out/dropout=0.1/seed-1/log.txt").read_text()


class FakeRay:
    """Fails to start a number of times; executes each task when its result is asked for."""

    def __init__(self, failures, cpus=2):
        self.failures, self.cpus, self.started, self.cancelled = failures, cpus, [], []
        self.is_shut_down = False

    def init(self, address, **options):
        self.started.append((address, options.get("num_cpus")))
        if len(self.started) <= self.failures:
            raise Exception("The current node timed out during startup.")

    def remote(self, **options):
        def task(function):
            task.remote = lambda run: (function, run.folder)
            return task

        return task

    def cluster_resources(self):
        return {"CPU": self.cpus}

    def wait(self, references, num_returns):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        if "dies" in str(reference[1]):
            raise RuntimeError("the node is gone")

    def cancel(self, reference, force):
        self.cancelled.append(reference)

    def shutdown(self):
        self.is_shut_down = True


def test_an_instance_of_ray_that_is_slow_to_start_is_started_again(monkeypatch):
    ray = FakeRay(failures=2)
    monkeypatch.setitem(sys.modules, "ray", ray)
    cluster = RayCluster(jobs=2, threads=3)
    cluster._open()
    assert cluster._ray is ray
    assert ray.started == [("local", 6)] * 3


@pytest.mark.parametrize("address, attempts", [("local", 3), ("auto", 1)])
def test_ray_that_does_not_start_is_named(monkeypatch, address, attempts):
    ray = FakeRay(failures=9)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(ConfigurationError, match=f"--ray {address}: The current node timed out"):
        RayCluster(address)._open()
    assert len(ray.started) == attempts


def test_ray_that_is_not_installed_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError, match="pip install 'spigot_allennlp\\[ray\\]'"):
        RayCluster().execute([Run(tmp_path, "a", 1, {})], lambda _: None, lambda *_: None)


def test_no_runs_need_no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    RayCluster().execute([], lambda _: None, lambda *_: None)


def test_ray_has_as_many_runs_as_there_is_room_for_and_tells_which_died(tmp_path, monkeypatch):
    ray = FakeRay(failures=0, cpus=2)
    monkeypatch.setitem(sys.modules, "ray", ray)
    events = []
    RayCluster("auto").execute(
        [Run(tmp_path / name, name, 1, {}) for name in ("lives", "dies", "last")],
        lambda run: events.append(("started", run.variant)),
        lambda run, problem: events.append((run.variant, problem)),
    )
    assert events == [
        ("started", "lives"),
        ("started", "dies"),
        ("lives", None),
        ("started", "last"),
        ("dies", "RuntimeError: the node is gone"),
        ("last", None),
    ]
    assert ray.is_shut_down and not ray.cancelled


def test_ray_ends_what_runs_when_something_interrupts_it(tmp_path, monkeypatch):
    ray = FakeRay(failures=0, cpus=2)
    monkeypatch.setitem(sys.modules, "ray", ray)

    def interrupt(*_):
        raise KeyboardInterrupt

    runs = [Run(tmp_path / name, name, 1, {}) for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        RayCluster("auto").execute(runs, lambda _: None, interrupt)
    assert [folder for _, folder in ray.cancelled] == [tmp_path / "b"] and ray.is_shut_down
