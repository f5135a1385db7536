from benchmarks.goals import GOALS, MEGABYTES, RATIO, Goal
from benchmarks.results import Metric, Results, Settings
from benchmarks.run import ROWS


def test_a_ratio_is_to_be_reached():
    goal = Goal("row", "32x20", RATIO, 40, at_least=True)
    assert goal.text == ">= 40x"
    assert goal.verdict(40.0) == "met"
    assert goal.verdict(30.0) == "missed by 25%"


def test_a_quantity_is_not_to_be_exceeded():
    goal = Goal("row", "128x80", MEGABYTES, 100)
    assert goal.text == "<= 100 MB"
    assert goal.verdict(80.0) == "met"
    assert goal.verdict(110.0) == "missed by 10%"


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert Goal("row", "", RATIO, 1.1).verdict(None) == "not measured"


def test_a_goal_of_a_metric_may_be_that_of_a_label_alone():
    metrics = [Metric("training", label, 2.0, RATIO, "") for label in ("here", "there")]
    results = Results(Settings(()), {}, {}, {}, metrics=metrics)
    assert results.values(Goal("training", "here", RATIO, 1.5, at_least=True)) == [2.0]
    assert results.values(Goal("training", "", RATIO, 1.5, at_least=True)) == [2.0, 2.0]
    assert results.values(Goal("parsing", "here", RATIO, 1.5, at_least=True)) == []


def test_every_goal_is_that_of_a_row():
    assert {goal.row for goal in GOALS} <= set(ROWS)
