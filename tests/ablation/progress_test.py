from pathlib import Path

import pytest

from spigot_allennlp.ablation.cell import Cell
from spigot_allennlp.ablation.progress import Progress, duration, first_line
from spigot_allennlp.ablation.record import Record

CELL = Cell(Path("out/spigot/seed-1"), "spigot", 1, {})
ATTEMPT = {"seconds": 61.0}


@pytest.mark.parametrize(
    "seconds, text",
    [(None, ""), (3.14, "3.1 s"), (59.9, "59.9 s"), (61, "1 min 01 s"), (3660, "1 h 01 min")],
)
def test_a_time_is_told_in_two_units_at_most(seconds, text):
    assert duration(seconds) == text


def test_a_run_has_a_line_when_it_starts_and_one_when_it_ends(capsys):
    progress = Progress(total=12, over=3, metric="f1")
    progress.started(CELL, goes_on=False)
    done = Record("spigot", 1, "", "done", [ATTEMPT], test={"figures": {"f1": 0.51239}})
    progress.ended(CELL, done)
    progress.started(CELL, goes_on=True)
    progress.ended(CELL, Record("spigot", 1, "", "failed", [ATTEMPT], message="E: no\nmore"))
    assert capsys.readouterr().out.splitlines() == [
        "[ 3/12] spigot seed 1  started",
        "[ 4/12] spigot seed 1  done: f1 0.5124 in 1 min 01 s",
        "[ 4/12] spigot seed 1  goes on",
        "[ 5/12] spigot seed 1  failed: E: no Log: out/spigot/seed-1/log.txt",
    ]


def test_it_begins_with_what_is_there(capsys):
    states = ["done", "done", "running", "trained", "planned"]
    known = [Record("a", seed, "", state) for seed, state in enumerate(states)]
    known += [Record("b", seed, "", "refused", message="model: no") for seed in (1, 2)]
    Progress(7, 4, "f1").opening(Path("out"), known)
    assert capsys.readouterr().out == (
        "7 cells in out: 2 done, 2 unfinished, 1 planned, 2 refused\nrefused: b: model: no\n"
    )


def test_a_long_message_is_cut():
    assert first_line("x" * 300, longest=10) == "x" * 9 + "…"
