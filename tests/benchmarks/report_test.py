import json
import math

import pytest

from benchmarks.goals import RATIO
from benchmarks.report import as_text, save
from benchmarks.results import Entry, Metric, Results, ScaledCell, Settings
from tests.benchmarks.stand_ins import cell, entry


@pytest.fixture
def results():
    slow = cell(
        entry(2.0),
        supar=entry(50.0),
        broken=Entry(failure="ValueError: no"),
        wrong=entry(1.0, error=0.5),
    )
    large = cell(Entry(error=0.0), supar=Entry(error=math.nan))
    return Results(
        settings=Settings(("projective_argmax", "training_step")),
        machine={"cores": 2},
        versions={"ours": "0.1.0", "supar": "1.1.4"},
        failures={"entmax": "cannot be imported: ModuleNotFoundError: No module named 'entmax'"},
        missing={"chain_argmax": "no Structure is registered with name 'chain'"},
        cells=[slow],
        scaled=[ScaledCell(1000.0, large, exact=True)],
        metrics=[Metric("training_step", "spigot / pipeline", 1.05, RATIO, "21 ms and 20 ms")],
    )


def test_the_table_has_the_ratio_beside_the_goal(results):
    lines = as_text(results).splitlines()
    row = next(line for line in lines if line.startswith("projective_argmax"))
    assert "25.0x" in row and "supar" in row
    assert ">= 40x: missed by 38%" in row
    row = next(line for line in lines if line.startswith("training_step"))
    assert "1.05x" in row and "<= 1.1x: met" in row


def test_the_goals_that_are_missed_are_listed(results):
    text = as_text(results)
    assert "1 of 2 met\n  projective_argmax 32x20 >= 40x: missed by 38%" in text


def test_it_says_who_failed_and_how(results):
    text = as_text(results)
    assert "entmax: cannot be imported: ModuleNotFoundError: No module named 'entmax'" in text
    assert "broken, projective_argmax at 32x20: ValueError: no" in text
    assert "wrong, projective_argmax at 32x20: wrong by 0.5" in text
    assert "chain_argmax: no Structure is registered with name 'chain'" in text


def test_it_says_who_is_right_at_large_scores(results):
    line = next(line for line in as_text(results).splitlines() if "scores x 1000" in line)
    assert "ours: right" in line and "supar: not a number" in line


def test_results_are_saved_as_table_numbers_and_plot(results, tmp_path):
    save(results, tmp_path / "bench")
    saved = tmp_path / "bench"
    assert (saved / "table.txt").read_text() == as_text(results)
    assert (saved / "ratios.png").stat().st_size > 0 and (saved / "ratios.svg").stat().st_size > 0
    numbers = json.loads((saved / "results.json").read_text(), parse_constant=pytest.fail)
    assert numbers["cells"][0]["ratio"] == pytest.approx(25.0)
    assert numbers["scaled"][0]["entries"]["supar"]["error"] == "nan"
    assert [goal["verdict"] for goal in numbers["goals"]] == ["missed by 38%", "met"]


def test_results_without_ratios_have_no_plot(results, tmp_path):
    results.cells = []
    save(results, tmp_path)
    assert not (tmp_path / "ratios.png").exists()
