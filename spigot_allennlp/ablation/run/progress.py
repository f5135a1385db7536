"""Prints, while an ablation trains, a line when a run starts, and a line when it ends."""

from collections import Counter
from pathlib import Path
from typing import Optional, Sequence

from spigot_allennlp.ablation.run.run_record import DONE, REFUSED, RunRecord
from spigot_allennlp.ablation.run.single_run import LOG, Run


class Progress:
    """
    Counts the runs that are over, and prints how it goes.

    # Parameters

    total : `int`
        The number of all runs.
    over : `int`
        The number of those that need no more work.
    metric : `str`
        The metric whose value is shown.
    """

    def __init__(self, total: int, over: int, metric: str) -> None:
        self._total = total
        self._over = over
        self._metric = metric

    def opening(self, folder: Path, records: Sequence[RunRecord]) -> None:
        """Prints how many runs there are, in which states, and why some are refused."""
        counts = Counter(record.shown_state for record in records)
        states = ", ".join(f"{number} {state}" for state, number in counts.items())
        print(f"{len(records)} runs in {folder}: {states}", flush=True)
        refused = {record.variant: record.message for record in records if record.state == REFUSED}
        for variant, message in refused.items():
            print(f"refused: {variant}: {first_line(message)}", flush=True)

    def started(self, run: Run, is_resumed: bool) -> None:
        """Prints that a run has started."""
        self._print(run, "resumed" if is_resumed else "started")

    def ended(self, run: Run, record: RunRecord) -> None:
        """Prints how a run has ended."""
        self._over += 1
        if record.state == DONE:
            value = record.test_metrics.get(self._metric)
            score = "" if value is None else f"{self._metric} {value:.4f} "
            self._print(run, f"done: {score}in {duration(record.seconds)}")
        else:
            log = f" Log: {run.folder / LOG}" if record.attempts else ""
            self._print(run, f"{record.state}: {first_line(record.message)}{log}")

    def _print(self, run: Run, event: str) -> None:
        width = len(str(self._total))
        count = f"[{self._over:{width}d}/{self._total}]"
        print(f"{count} {run.variant} seed {run.seed}  {event}", flush=True)


def duration(seconds: Optional[float]) -> str:
    """Writes a time in two units at most: "48.2 s", "12 min 30 s", "3 h 05 min"."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, rest_of_hour = divmod(minutes, 60)
    return f"{hours} h {rest_of_hour:02d} min" if hours else f"{minutes} min {rest:02d} s"


def first_line(text: str, longest: int = 200) -> str:
    """Returns the first line of a message, cut if it is longer than `longest`."""
    line = text.strip().split("\n")[0]
    return line if len(line) <= longest else line[: longest - 1] + "…"
