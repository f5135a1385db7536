"""The table of what came of the inputs, at the end of a long run."""

from typing import Any

from tests.fuzz.mutations import INPUTS
from tests.fuzz.outcomes import TABLE


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One row for each thing that was fuzzed."""
    if not INPUTS or not TABLE:
        return
    outcomes = sorted({outcome for counts in TABLE.values() for outcome in counts})
    row = "{:<30}" + "{:>12}" * (len(outcomes) + 1)
    terminalreporter.section("what came of the inputs")
    terminalreporter.write_line(row.format("", "inputs", *outcomes))
    for name, counts in sorted(TABLE.items()):
        numbers = [counts[outcome] for outcome in outcomes]
        terminalreporter.write_line(row.format(name, sum(numbers), *numbers))
    total = [sum(counts[outcome] for counts in TABLE.values()) for outcome in outcomes]
    terminalreporter.write_line(row.format("all", sum(total), *total))
