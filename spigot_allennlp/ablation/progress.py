"""What is printed while cells are being trained: one line when one starts, one when it ends."""

from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from spigot_allennlp.ablation import record
from spigot_allennlp.ablation.cell import LOG, Cell
from spigot_allennlp.ablation.record import Record


class Progress:
    """
    # Parameters

    total : `int`
        The number of all cells.
    over : `int`
        The number of those that need no more work.
    metric : `str`
        Whose value is shown.
    """

    def __init__(self, total: int, over: int, metric: str) -> None:
        self._total = total
        self._over = over
        self._metric = metric

    def opening(self, folder: Path, known: Sequence[Record]) -> None:
        """How many cells there are, in which states, and why some are refused."""
        counts = Counter(state_in_words(one) for one in known)
        told = ", ".join(f"{number} {state}" for state, number in counts.items())
        print(f"{len(known)} cells in {folder}: {told}", flush=True)
        refused = {one.variant: one.message for one in known if one.state == record.REFUSED}
        for variant, message in refused.items():
            print(f"refused: {variant}: {first_line(message)}", flush=True)

    def started(self, cell: Cell, goes_on: bool) -> None:
        self._say(cell, "goes on" if goes_on else "started")

    def ended(self, cell: Cell, known: Record) -> None:
        self._over += 1
        if known.state == record.DONE:
            value = known.test["figures"].get(self._metric)
            figure = "" if value is None else f"{self._metric} {value:.4f} "
            self._say(cell, f"done: {figure}in {duration(known.seconds)}")
        else:
            log = f" Log: {cell.folder / LOG}" if known.attempts else ""
            self._say(cell, f"{known.state}: {first_line(known.message)}{log}")

    def _say(self, cell: Cell, what: str) -> None:
        width = len(str(self._total))
        count = f"[{self._over:{width}d}/{self._total}]"
        print(f"{count} {cell.variant} seed {cell.seed}  {what}", flush=True)


def state_in_words(known: Record) -> str:
    """Of a cell that nothing works at, now."""
    return "unfinished" if known.state in (record.RUNNING, record.TRAINED) else known.state


def duration(seconds: Optional[float]) -> str:
    """ "48.2 s", "12 min 30 s", "3 h 05 min" """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, rest_of_hour = divmod(minutes, 60)
    return f"{hours} h {rest_of_hour:02d} min" if hours else f"{minutes} min {rest:02d} s"


def first_line(text: str, longest: int = 200) -> str:
    line = text.strip().split("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"
