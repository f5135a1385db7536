"""Through Ray itself, where it is installed; and what is said where it is not."""

import importlib.util
import os
import sys

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.experiment import begin, carry_out
from spigot_allennlp.ablation.ray_cluster import RayCluster
from spigot_allennlp.ablation.record import Record
from tests.ablation.tiny_experiment import planned, write_experiment

has_ray = importlib.util.find_spec("ray") is not None


@pytest.mark.skipif(not has_ray, reason="ray is not installed")
def test_two_workers_train_the_cells_and_a_failed_one_is_recorded(tmp_path, monkeypatch):
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    monkeypatch.setenv("PYTHONPATH", root)
    write_experiment(tmp_path)
    plan = begin(planned(tmp_path, 'model.dropout=0.1,"much"', seeds=[1]), tmp_path / "out")
    try:
        carry_out(plan, tmp_path / "out", RayCluster(jobs=2))
    except ConfigurationError as error:
        pytest.skip(f"Ray itself could not start, three times: {error}")
    done, failed = (
        Record.load(tmp_path / "out" / name / "seed-1") for name in ("dropout=0.1", "much")
    )
    assert done.state == "done" and "accuracy" in done.test["figures"]
    assert failed.state == "failed" and "TypeError" in failed.message
    processes = {one.attempts[0]["process"] for one in (done, failed)}
    assert len(processes) == 2 and os.getpid() not in processes
    assert "Beginning training" in (tmp_path / "out/dropout=0.1/seed-1/log.txt").read_text()


class FakeRay:
    """Fails to start as often as it is told."""

    def __init__(self, failures):
        self.failures, self.started = failures, []

    def init(self, address, **options):
        self.started.append((address, options.get("num_cpus")))
        if len(self.started) <= self.failures:
            raise Exception("The current node timed out during startup.")

    def shutdown(self):
        pass


def test_an_instance_that_is_slow_to_start_is_started_again(monkeypatch):
    ray = FakeRay(failures=2)
    monkeypatch.setitem(sys.modules, "ray", ray)
    assert RayCluster(jobs=2, threads=3)._connected() is ray
    assert ray.started == [("local", 6)] * 3


@pytest.mark.parametrize("address, attempts", [("local", 3), ("auto", 1)])
def test_ray_that_does_not_start_is_named(monkeypatch, address, attempts):
    ray = FakeRay(failures=9)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(ConfigurationError, match=f"--ray {address}: The current node timed out"):
        RayCluster(address)._connected()
    assert len(ray.started) == attempts


def test_ray_that_is_not_installed_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError, match="pip install 'spigot_allennlp\\[ray\\]'"):
        RayCluster().run([Cell(tmp_path, "a", 1, {})], lambda _: None, lambda *_: None)


def test_no_cells_need_no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    RayCluster().run([], lambda _: None, lambda *_: None)
