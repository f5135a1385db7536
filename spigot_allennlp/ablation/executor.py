"""Where cells are run: the one thing that differs between this machine and a cluster."""

from typing import Callable, Optional, Sequence

from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.cell_run import run

Started = Callable[[Cell], None]
# With what went wrong if the process of the cell died, and could not say so itself.
Ended = Callable[[Cell, Optional[str]], None]


class Executor:
    """Runs cells, some at a time, and says of each when it has started and ended."""

    def run(self, cells: Sequence[Cell], started: Started, ended: Ended) -> None:
        """
        Comes back when all have ended. Whatever is raised in between (Ctrl-C) ends those that are
        running; they can be resumed.
        """
        raise NotImplementedError


class InProcess(Executor):
    """One after another, here. For tests, and for a debugger."""

    def run(self, cells: Sequence[Cell], started: Started, ended: Ended) -> None:
        for cell in cells:
            started(cell)
            run(cell)
            ended(cell, None)
