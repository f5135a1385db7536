"""The goals, as data, and whether a value reaches them."""

from dataclasses import dataclass
from typing import List, Optional, Sequence

RATIO = "x"
MEGABYTES = "MB"
MILLISECONDS = "ms per sentence"
SECONDS = "s"
ERROR = "of error"
SHARE = "of the limit"


@dataclass(frozen=True)
class Goal:
    """
    What a row of the table shall reach.

    # Parameters

    row : `str`
        An operation, or the row of a metric.
    size : `str`
        As `"32x20"`; as `"scores x 1000"`, for an error at that scale; for a metric its label, or
        empty if all of the row shall reach the goal.
    unit : `str`
    bound : `float`
    at_least : `bool`, optional (default = `False`)
        Whether `bound` is to be reached from below or not to be exceeded.
    """

    row: str
    size: str
    unit: str
    bound: float
    at_least: bool = False

    @property
    def text(self) -> str:
        """The goal as the table shows it."""
        unit = self.unit if self.unit == RATIO else f" {self.unit}"
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{unit}"

    def verdict(self, value: Optional[float]) -> str:
        """Returns `"met"`, or by how much the goal is missed; `None` is no value."""
        if value is None:
            return "not measured"
        if self.is_met(value):
            return "met"
        return f"missed by {abs(value / self.bound - 1):.0%}"

    def is_met(self, value: float) -> bool:
        """Returns whether a value reaches the goal."""
        return value >= self.bound if self.at_least else value <= self.bound


def _faster(row: str, **bounds: float) -> List[Goal]:
    """Returns goals for ratios to the best peer, by sizes as in `at_32x20=40`."""
    return [
        Goal(row, size.removeprefix("at_"), RATIO, bound, at_least=True)
        for size, bound in bounds.items()
    ]


def _everywhere(
    row: str, unit: str, bound: float, lengths: Sequence[int], at_least: bool = False
) -> List[Goal]:
    """Returns the same goal for every batch size."""
    return [
        Goal(row, f"{batch}x{length}", unit, bound, at_least)
        for batch in (1, 32, 128)
        for length in lengths
    ]


GOALS: List[Goal] = [
    *_faster("projective_argmax", at_1x20=100, at_32x20=40, at_128x20=40, at_128x40=25),
    *_faster("non_projective_argmax", at_32x20=100, at_128x40=50),
    *_faster("projective_marginals", at_32x20=20, at_128x40=20),
    *_faster("projective_marginals_backward", at_32x20=20, at_128x40=20),
    Goal("projective_marginals", "128x80", MEGABYTES, 100),
    Goal("projective_marginals_backward", "128x80", MEGABYTES, 100),
    *_faster("non_projective_marginals", at_32x20=1, at_128x40=1),
    Goal("non_projective_marginals", "scores x 1000", ERROR, 1e-3),
    *_everywhere("simplex_projection", RATIO, 3, (10, 20, 40, 80), at_least=True),
    *_everywhere("projective_tree_projection", MILLISECONDS, 5, (20,)),
    *_everywhere("flat_projective_tree_projection", MILLISECONDS, 5, (20,)),
    *_everywhere("non_projective_tree_projection", MILLISECONDS, 5, (20,)),
    *_everywhere("flat_non_projective_tree_projection", MILLISECONDS, 5, (20,)),
    Goal("training_step", "", RATIO, 1.10),
    Goal("spiking_step", "", RATIO, 3, at_least=True),
    Goal("spiking_limit", "", SHARE, 0.5, at_least=True),
    Goal("attentive_step", "", RATIO, 1.5, at_least=True),
    Goal("first_call", "", SECONDS, 1),
    *(
        goal
        for kind in ("semantic", "syntactic")
        for goal in (
            Goal("training", f"{kind}, beside supar", RATIO, 1.5, at_least=True),
            Goal("training", f"{kind}, beside allennlp", RATIO, 1.5, at_least=True),
            Goal("training", f"{kind}, a step / the LSTM's own", RATIO, 1.4),
            Goal("parsing", f"{kind}, beside supar", RATIO, 3, at_least=True),
            # 1000 sentences a second where the LSTM alone does 2460.
            Goal("parsing", f"{kind}, of the LSTM's own", RATIO, 0.41, at_least=True),
            Goal("parsing_memory", f"{kind}, ours", MEGABYTES, 600),
        )
    ),
]


def goals_of(row: str, size: str) -> List[Goal]:
    """Returns the goals of a row at a size; see `Goal`."""
    return [goal for goal in GOALS if (goal.row, goal.size) == (row, size)]
