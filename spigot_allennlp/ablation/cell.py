"""One variant with one seed, and where it lives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

from spigot_allennlp.ablation.plan import digest
from spigot_allennlp.ablation.record import Record

LOG, RUN, INSTANCES = "log.txt", "run", "test_instances.npz"


@dataclass(frozen=True)
class Cell:
    """
    All that a process needs in order to train it, on this machine or on another.

    # Parameters

    folder : `Path`
        Its own. Within it: `cell.json` (see `Record`), `log.txt`, `test_instances.npz`, and `run`,
        AllenNLP's serialization directory.
    variant : `str`
    seed : `int`
    config : `Dict[str, Any]`
        With the seeds.
    test_data : `Any`, optional (default = `None`)
        See `Plan`.
    threads : `int`, optional (default = `1`)
        Of PyTorch, and of the kernels.
    packages : `Tuple[str, ...]`, optional (default = `()`)
        What `--include-package` names, for a process that has not imported it.
    """

    folder: Path
    variant: str
    seed: int
    config: Dict[str, Any]
    test_data: Any = None
    threads: int = 1
    packages: Tuple[str, ...] = ()

    @property
    def data(self) -> Tuple[Any, str]:
        """What it is tested on, and the name of the option or of the key that says so."""
        given = {"--test-data": self.test_data}
        keys = ("test_data_path", "validation_data_path")
        for name, data in {**given, **{key: self.config.get(key) for key in keys}}.items():
            if data:
                return data, name
        return None, ""

    def record(self) -> Record:
        """What is known of it; a new one if it was never begun."""
        found = Record.load(self.folder)
        return found or Record(self.variant, self.seed, digest(self.config))
