"""Cells on a cluster, or on this machine, through Ray."""

import os
from typing import Any, Dict, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.cell_run import run_in_process_of_its_own
from spigot_allennlp.ablation.executor import Ended, Executor, Started

LOCAL = "local"


class RayCluster(Executor):
    """
    Each cell is a task of [Ray](https://docs.ray.io), in a process of its own. All nodes must see
    the folder of the ablation (and the data) under the same path, and have this package installed:
    what a cell finds out comes back by its record in the folder, not through Ray. Scheduling is
    Ray's; cells that were interrupted are resumed, on whichever node.

    # Parameters

    address : `str`, optional (default = `"local"`)
        What `ray.init` connects to: "auto", "host:6379", "ray://host:10001"; or "local", for an
        instance on this machine that ends with the ablation.
    jobs : `int`, optional (default = `None`)
        How many cells run at a time; as many as there is room for, if it is not given.
    threads : `int`, optional (default = `1`)
        CPUs that a cell takes.
    gpus : `float`, optional (default = `0.0`)
        GPUs that a cell takes; it sees no others.
    """

    def __init__(
        self,
        address: str = LOCAL,
        jobs: Optional[int] = None,
        threads: int = 1,
        gpus: float = 0.0,
    ) -> None:
        self._address = address
        self._jobs = jobs
        self._threads = threads
        self._gpus = gpus

    def run(self, cells: Sequence[Cell], started: Started, ended: Ended) -> None:
        if not cells:
            return
        ray = self._connected()
        # `max_calls`: a process is not used again, so that its peak memory is the cell's own.
        options = {"num_cpus": self._threads, "num_gpus": self._gpus}
        task = ray.remote(**options, max_calls=1, max_retries=0)(run_in_process_of_its_own)
        waiting, running = list(cells), {}  # type: ignore[var-annotated]
        try:
            while waiting or running:
                while waiting and len(running) < self._room(ray):
                    cell = waiting.pop(0)
                    started(cell)
                    running[task.remote(cell)] = cell
                self._await_one(ray, running, ended)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)
            ray.shutdown()

    def _connected(self) -> Any:
        """
        Ray, connected.

        # Raises

        `ConfigurationError` if Ray is not installed, or not to be reached.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise ConfigurationError(
                "--ray needs Ray, which is not installed: pip install 'spigot_allennlp[ray]', or "
                "pip install ray. Without --ray, --jobs runs cells in parallel on this machine."
            ) from error
        try:
            self._connect(ray)
        except Exception as error:  # of all kinds, and of none: a start that took too long
            raise ConfigurationError(f"--ray {self._address}: {error}") from error
        return ray

    def _connect(self, ray: Any) -> None:
        options: Dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address != LOCAL:
            ray.init(self._address, **options)
            return
        options["num_cpus"] = (self._jobs or os.cpu_count() or 1) * self._threads
        # An instance of its own has half a minute to start, which on a busy machine is not enough.
        for is_last in (False, False, True):
            try:
                ray.init(LOCAL, **options)
                return
            except Exception:
                ray.shutdown()
                if is_last:
                    raise

    def _room(self, ray: Any) -> int:
        """How many cells run at a time, now: a cluster may grow and shrink."""
        there = ray.cluster_resources()
        room = there.get("CPU", 0) // self._threads
        if self._gpus:
            room = min(room, there.get("GPU", 0) // self._gpus)
        # Where there is no room for one, Ray waits for a node, and says so.
        return max(1, int(room if self._jobs is None else min(room, self._jobs)))

    def _await_one(self, ray: Any, running: Dict[Any, Cell], ended: Ended) -> None:
        finished: List[Any] = ray.wait(list(running), num_returns=1)[0]
        for reference in finished:
            cell, problem = running.pop(reference), None
            try:
                ray.get(reference)
            except Exception as error:  # the process died, or its node did
                problem = f"{type(error).__name__}: {error}"
            ended(cell, problem)
