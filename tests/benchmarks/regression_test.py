import subprocess

import pytest

from benchmarks import regression
from benchmarks.regression import (
    Measurement,
    Pair,
    as_lines,
    checkout,
    compare,
    interval_of_median,
    main,
)

# An `Ours` that takes known times, and a checkout of it.
CODE = {
    "benchmarks/__init__.py": "",
    "benchmarks/problem.py": """
from typing import NamedTuple

class Size(NamedTuple):
    batch: int
    length: int
""",
    "benchmarks/operation.py": """
class Operation:
    name = "adding"
    def problem(self, size, seed):
        return size

OPERATIONS = {"adding": Operation()}
""",
    "benchmarks/ours.py": """
class Call:
    def __init__(self, work):
        self.work = work
    def run(self):
        return sum(range(self.work))

class Ours:
    def offers(self, name):
        return True
    def prepare(self, name, size):
        return Call(WORK * size.batch * size.length)
""",
}


def write_checkout(folder, work):
    for name, text in CODE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("WORK", work))
    return folder


def pairs(base, new):
    """Pairs of processes with these seconds of a cell."""
    return [
        Pair(Measurement({"row 1x20": before}, {}), Measurement({"row 1x20": after}, {}))
        for before, after in zip(base, new, strict=True)
    ]


def verdict(base, new):
    (comparison,) = compare(pairs(base, new), tolerance=0.05)
    return comparison.verdict


def test_a_drift_of_the_machine_is_no_change():
    drift = [1.0, 1.2, 1.7, 2.5, 2.2, 1.5, 1.1]
    assert verdict(drift, drift) == "same"


def test_a_cell_that_is_slower_in_all_pairs_is_slower():
    drift = [1.0, 1.2, 1.7, 2.5, 2.2, 1.5, 1.1]
    assert verdict(drift, [1.1 * seconds for seconds in drift]) == "slower"
    assert verdict(drift, [1.04 * seconds for seconds in drift]) == "same"
    assert verdict(drift, [0.9 * seconds for seconds in drift]) == "faster"


def test_what_may_be_chance_is_said_to_be_doubtful():
    (comparison,) = compare(pairs([1.0] * 7, [1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 0.9]), 0.05)
    assert comparison.verdict == "slower?" and not comparison.is_worse


@pytest.mark.parametrize(
    "count, low, high", [(2, 1, 2), (5, 1, 5), (6, 1, 6), (8, 1, 8), (9, 2, 8), (20, 6, 15)]
)
def test_the_interval_is_that_of_the_tables_of_the_sign_test(count, low, high):
    interval = interval_of_median([float(value) for value in range(count, 0, -1)])
    assert (interval.low, interval.high) == (low, high)


def test_cells_of_one_side_alone_are_new_or_gone_and_those_that_fail_do_not_hide():
    base = Measurement({"gone 1x20": 1.0, "broken 1x20": 1.0}, {"mended 1x20": "ValueError: no"})
    new = Measurement({"new 1x20": 1.0, "mended 1x20": 1.0}, {"broken 1x20": "ValueError: oh"})
    comparisons = {
        comparison.cell: comparison for comparison in compare([Pair(base, new)] * 3, tolerance=0.05)
    }
    verdicts = {cell.split()[0]: comparison.verdict for cell, comparison in comparisons.items()}
    assert verdicts == {"gone": "gone", "broken": "fails", "mended": "new", "new": "new"}
    worse = {cell.split()[0] for cell, comparison in comparisons.items() if comparison.is_worse}
    assert worse == {"gone", "broken"}
    assert any("ValueError: oh" in line for line in as_lines(list(comparisons.values()), 0.05))


def test_a_change_that_slows_a_cell_fails_the_command(tmp_path, capsys, monkeypatch):
    base = write_checkout(tmp_path / "base", "100")
    monkeypatch.setattr(regression, "_ROOT", write_checkout(tmp_path / "new", "400"))
    options = ["--rows", "adding", "--sizes", "2x20", "8x20", "--pairs", "2", "--budget", "0.01"]
    with pytest.raises(SystemExit, match="1"):
        main([str(base), *options])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["adding", "2x20"], ["adding", "8x20"]]
    assert all("slower" in line for line in lines[1:3])
    assert lines[3].startswith("2 of 2 cells are slower")


def test_a_row_that_neither_has_is_refused(tmp_path, capsys, monkeypatch):
    base = write_checkout(tmp_path / "base", "1")
    monkeypatch.setattr(regression, "_ROOT", base)
    with pytest.raises(SystemExit, match="2"):
        main([str(base), "--rows", "subtracting", "--pairs", "1"])
    assert "subtracting" in capsys.readouterr().err


def test_a_commit_is_checked_out_for_the_time_and_no_longer(tmp_path, monkeypatch):
    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "file").write_text("before")
    git("add", "file")
    git("commit", "--quiet", "--message", "first")
    (tmp_path / "file").write_text("after")
    monkeypatch.setattr(regression, "_ROOT", tmp_path)
    with checkout("HEAD") as folder:
        assert (folder / "file").read_text() == "before"
    assert not folder.exists()
    listed = subprocess.run(
        ["git", "-C", str(tmp_path), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1


def test_a_commit_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["no-such-commit"])
    assert "no-such-commit" in capsys.readouterr().err
