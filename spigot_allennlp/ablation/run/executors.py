"""
Executes runs in this process, in local processes, or on a Ray cluster.

`Executor.execute` is the loop that all of them share. A subclass defines how to launch a run, how
to wait until one has ended, and how to end those that are still running. Local processes and Ray
execute a run with the same function, `execute_in_worker`.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import wait
from typing import Any, Callable, Dict, Hashable, List, NamedTuple, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.ablation.run.single_run import LOG_FILE, Run, train_and_test
from spigot_allennlp.compat.folder_lock import locked

OnStart = Callable[[Run], None]
# Takes a run and the cause of its crash (see `EndedRun`).
OnEnd = Callable[[Run, Optional[str]], None]

LOCAL_RAY = "local"


class EndedRun(NamedTuple):
    """
    The handle of a run whose process has ended, and the cause, if it crashed before it could record
    the end of the run.
    """

    handle: Any
    cause_of_death: Optional[str]


class Executor:
    """Executes runs, several at a time."""

    def execute(self, runs: Sequence[Run], on_start: OnStart, on_end: OnEnd) -> None:
        """
        Executes all runs, and returns when they have ended. An exception, such as Ctrl-C, ends the
        running ones; they can be resumed.

        # Parameters

        runs : `Sequence[Run]`
            The runs, in the order in which to start them.
        on_start : `OnStart`
            Called with each run just before it is launched.
        on_end : `OnEnd`
            Called with each run when it has ended, and with the cause, if its process crashed.
        """
        if not runs:
            return
        self._open()
        waiting = list(runs)
        running: Dict[Hashable, Run] = {}  # by the handle
        try:
            while waiting or running:
                while waiting and len(running) < self._capacity():
                    run = waiting.pop(0)
                    on_start(run)
                    running[self._launch(run)] = run
                for handle, cause_of_death in self._await_any(list(running)):
                    on_end(running.pop(handle), cause_of_death)
        finally:
            self._close(list(running))

    def _open(self) -> None:
        """Connects to the system that executes the runs."""

    def _capacity(self) -> int:
        """Returns how many runs may currently run at a time."""
        raise NotImplementedError

    def _launch(self, run: Run) -> Hashable:
        """Starts a run, and returns a handle for it."""
        raise NotImplementedError

    def _await_any(self, handles: List[Any]) -> List[EndedRun]:
        """Waits until at least one run has ended, and returns all that have."""
        raise NotImplementedError

    def _close(self, handles: List[Any]) -> None:
        """Ends the running runs, and disconnects."""


class InProcess(Executor):
    """Executes one run after another in this process, for tests and debuggers."""

    def _capacity(self) -> int:
        return 1

    def _launch(self, run: Run) -> Hashable:
        train_and_test(run)
        return run.folder

    def _await_any(self, handles: List[Any]) -> List[EndedRun]:
        return [EndedRun(handle, None) for handle in handles]


class LocalProcesses(Executor):
    """
    Executes each run in a new process. It is forked from this one, which has already imported
    everything (this takes AllenNLP some seconds), or spawned where there is no fork. So wall time
    and peak memory belong to the run alone, and runs cannot affect each other. The processes end
    with this one, however it ends.

    # Parameters

    jobs : `int`
        How many runs to execute at a time.
    start_method : `str`, optional (default = `None`)
        "fork" or "spawn". The default is "fork" where available, unless this process already uses a
        GPU: forked processes could not use it.
    """

    def __init__(self, jobs: int, start_method: Optional[str] = None) -> None:
        self._jobs = jobs
        available = multiprocessing.get_all_start_methods()
        can_fork = "fork" in available and not torch.cuda.is_initialized()
        method = start_method or ("fork" if can_fork else "spawn")
        self._context: Any = multiprocessing.get_context(method)
        self._must_import = method != "fork"

    def _capacity(self) -> int:
        return self._jobs

    def _launch(self, run: Run) -> Hashable:
        arguments = (run, os.getpid(), self._must_import)
        process = self._context.Process(target=execute_in_child, args=arguments)
        process.start()
        return process

    def _await_any(self, handles: List[Any]) -> List[EndedRun]:
        sentinels = wait([process.sentinel for process in handles])
        ended = [process for process in handles if process.sentinel in sentinels]
        for process in ended:
            process.join()
        return [EndedRun(process, _describe_exit(process.exitcode)) for process in ended]

    def _close(self, handles: List[Any]) -> None:
        for process in handles:
            process.kill()
            process.join()


class RayCluster(Executor):
    """
    Executes each run as a task of [Ray](https://docs.ray.io), in its own process. All nodes must
    see the folder of the ablation (and the data) under the same path, and have this package
    installed: the results of a run are returned in its record in the folder, not through Ray. Ray
    does the scheduling. Interrupted runs are resumed on any node.

    # Parameters

    address : `str`, optional (default = `"local"`)
        The address that `ray.init` connects to: "auto", "host:6379", "ray://host:10001"; or
        "local", for an instance on this machine that ends with the ablation.
    jobs : `int`, optional (default = as many as the cluster has resources for)
        How many runs to execute at a time.
    threads : `int`, optional (default = `1`)
        The number of CPUs per run.
    gpus : `float`, optional (default = `0.0`)
        The number of GPUs per run. A run sees no others.
    """

    def __init__(
        self,
        address: str = LOCAL_RAY,
        jobs: Optional[int] = None,
        threads: int = 1,
        gpus: float = 0.0,
    ) -> None:
        self._address = address
        self._jobs = jobs
        self._threads = threads
        self._gpus = gpus
        self._ray: Any = None
        self._task: Any = None

    def _open(self) -> None:
        """
        Connects to Ray.

        # Raises

        `ConfigurationError` if Ray is not installed, or cannot be reached.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise ConfigurationError(
                "--ray needs Ray, which is not installed: pip install 'spigot_allennlp[ray]', or "
                "pip install ray. Without --ray, --jobs executes runs in parallel on this machine."
            ) from error
        self._ray = ray
        try:
            self._connect()
        except Exception as error:  # Ray raises a bare `Exception` if the start takes too long
            raise ConfigurationError(f"--ray {self._address}: {error}") from error
        # `max_calls`: processes are not reused, so that the peak memory belongs to the run alone.
        options = {"num_cpus": self._threads, "num_gpus": self._gpus}
        self._task = ray.remote(**options, max_calls=1, max_retries=0)(execute_in_worker)

    def _connect(self) -> None:
        options: Dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address != LOCAL_RAY:
            self._ray.init(self._address, **options)
            return
        options["num_cpus"] = (self._jobs or os.cpu_count() or 1) * self._threads
        # A new instance has half a minute to start, which is not enough on a busy machine.
        for is_last in (False, False, True):
            try:
                self._ray.init(LOCAL_RAY, **options)
                return
            except Exception:
                self._ray.shutdown()
                if is_last:
                    raise

    def _capacity(self) -> int:
        resources = self._ray.cluster_resources()  # each time: clusters grow and shrink
        runs_that_fit = resources.get("CPU", 0) // self._threads
        if self._gpus:
            runs_that_fit = min(runs_that_fit, resources.get("GPU", 0) // self._gpus)
        if self._jobs is not None:
            runs_that_fit = min(runs_that_fit, self._jobs)
        # If the resources are not enough for a single run, Ray waits for a node, and logs this.
        return max(1, int(runs_that_fit))

    def _launch(self, run: Run) -> Hashable:
        return self._task.remote(run)

    def _await_any(self, handles: List[Any]) -> List[EndedRun]:
        ended: List[Any] = self._ray.wait(handles, num_returns=1)[0]
        return [EndedRun(reference, self._describe_failure(reference)) for reference in ended]

    def _describe_failure(self, reference: Any) -> Optional[str]:
        """Says how a Ray task failed; `None` if it finished."""
        try:
            self._ray.get(reference)
        except Exception as error:  # the process or its node crashed
            return f"{type(error).__name__}: {error}"
        return None

    def _close(self, handles: List[Any]) -> None:
        for reference in handles:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()


def execute_in_worker(run: Run, must_import: bool = True) -> None:
    """
    Trains and tests a run in a process that was started for it. All output goes into the log of the
    run.

    # Parameters

    run : `Run`
    must_import : `bool`, optional (default = `True`)
        Whether the process must still import plugins and `run.packages`. A forked one already has
        them.

    # Raises

    `ConfigurationError` if another process is working on the run, perhaps on another node, after
    its ablation was just killed.
    """
    from allennlp.common.plugins import import_plugins
    from allennlp.common.util import import_module_and_submodules

    run.folder.mkdir(parents=True, exist_ok=True)
    log = os.open(run.folder / LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(run.threads)
    if must_import:
        import_plugins()
        for package in run.packages:
            import_module_and_submodules(package)
    with locked(run.folder, patience=20.0):
        train_and_test(run)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def execute_in_child(run: Run, parent: int, must_import: bool) -> None:
    """
    Executes a run in a child of the process with the ID `parent`, and ends when the parent ends.
    Ctrl-C reaches all processes of a terminal, but only the parent handles it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    execute_in_worker(run, must_import)


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended, so that it does not disturb a resumed run."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _describe_exit(exitcode: Optional[int]) -> Optional[str]:
    """Says how a process ended, from its exit code; `None` if it finished."""
    if not exitcode:
        return None
    if exitcode > 0:
        return f"The process ended with status {exitcode}."
    name = signal.Signals(-exitcode).name
    hint = " The kernel does that when memory runs out." if name == "SIGKILL" else ""
    return f"The process was ended by {name}.{hint}"
