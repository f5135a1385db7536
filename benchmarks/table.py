"""A report as text: one table, and below it what a number cannot say."""

from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from benchmarks import judgement
from benchmarks.figures import Figure
from benchmarks.goals import GOALS, RATIO, Goal, goals_of
from benchmarks.report import Report, value_in
from benchmarks.results import Cell, Entry
from benchmarks.scales import Scaled

HEADER = ("operation", "size", "ours", "best peer", "", "ratio", "goal", "MB ours", "MB peer")
MISSING = "-"


def as_text(report: Report) -> str:
    rows = [HEADER, *map(cell_row, report.cells), *map(figure_row, report.figures)]
    sections = [
        "\n".join(aligned(rows)),
        _section("Goals", goal_lines(report)),
        _section("Failed, or wrong", complaint_lines(report)),
        _section("Right when scores are multiplied?", scaled_lines(report.scaled)),
        _section("Left out", [f"{row}: {why}" for row, why in report.missing.items()]),
        _section("How", how_lines(report)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def cell_row(cell: Cell) -> Sequence[str]:
    """Times are those of a batch, medians; memory is what the call adds."""
    name, peer = cell.best_peer or (MISSING, Entry())
    goals = [
        _with_verdict(goal, value_in(cell, goal))
        for goal in goals_of(cell.operation, str(cell.size))
    ]
    return (
        cell.operation,
        str(cell.size),
        _milliseconds(cell.ours),
        _milliseconds(peer),
        name,
        MISSING if cell.ratio is None else f"{cell.ratio:.1f}x",
        "; ".join(goals),
        _megabytes(cell.ours),
        _megabytes(peer),
    )


def figure_row(figure: Figure) -> Sequence[str]:
    goals = [_with_verdict(goal, figure.value) for goal in goals_of(figure.row, "")]
    is_ratio = figure.unit == RATIO
    value = f"{figure.value:.2f}x" if is_ratio else f"{figure.value:.3g} {figure.unit}"
    ours, ratio = ("", value) if is_ratio else (value, "")
    return f"{figure.row}, {figure.label}", "", ours, "", "", ratio, "; ".join(goals), "", ""


def goal_lines(report: Report) -> List[str]:
    """How many are met, and those that are not."""
    found = [(goal, goal.verdict(value)) for goal in GOALS for value in report.values(goal)]
    others = [(goal, verdict) for goal, verdict in found if verdict != "met"]
    lines = [f"{len(found) - len(others)} of {len(found)} met"] if found else []
    return lines + [
        " ".join(filter(None, [goal.row, goal.size, goal.text])) + f": {verdict}"
        for goal, verdict in others
    ]


def complaint_lines(report: Report) -> List[str]:
    """Libraries that are not there; and who failed where, each library's like cases together."""
    lines = [f"{name}: {failure}" for name, failure in report.failures.items()]
    cases: Dict[Tuple[str, str, str], List[str]] = {}
    for cell in report.cells:
        for name, complaint in cell.complaints():
            cases.setdefault((name, cell.operation, complaint), []).append(str(cell.size))
    return lines + [
        f"{name}, {operation} at {', '.join(sizes)}: {complaint}"
        for (name, operation, complaint), sizes in cases.items()
    ]


def scaled_lines(scaled: Sequence[Scaled]) -> List[str]:
    """A line for each operation and scale: the verdict on each library."""
    rows = [
        (
            each.cell.operation,
            each.label,
            "against the truth" if each.exact else "against the others",
            *(f"{name}: {_rightness(each.cell, at)}" for name, at in each.cell.entries.items()),
        )
        for each in scaled
    ]
    return aligned(rows)


def how_lines(report: Report) -> Iterator[str]:
    settings = report.settings
    clock = "the processor's time" if settings.threads == 1 else "wall-clock time"
    yield (
        f"ours, best peer: milliseconds a batch, median of {clock}, {settings.threads} thread(s), "
        f"up to {settings.budget:g} s each; MB: by how much the first call raises the peak"
    )
    for figure in report.figures:
        yield f"{figure.row}, {figure.label}: {figure.detail}"
    yield ", ".join(f"{name} {version}" for name, version in report.versions.items())
    yield ", ".join(f"{name} {value}" for name, value in report.machine.items())


def aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    """Columns as wide as their widest cell; rows may differ in length."""
    columns = max((len(row) for row in rows), default=0)
    filled = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in filled
    ]


def _with_verdict(goal: Goal, value: Optional[float]) -> str:
    return f"{goal.text}: {goal.verdict(value)}"


def _rightness(cell: Cell, entry: Entry) -> str:
    if entry.failure is not None:
        return entry.failure
    if entry.error is None:
        return "not judged"
    return "right" if cell.is_right(entry) else judgement.describe(entry.error)


def _milliseconds(entry: Entry) -> str:
    return MISSING if entry.timing is None else f"{1000 * entry.timing.seconds:.3g}"


def _megabytes(entry: Entry) -> str:
    return MISSING if entry.megabytes is None else f"{entry.megabytes:.1f}"


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> str:
    lines = list(lines)
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""
