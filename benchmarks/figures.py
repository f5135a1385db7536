"""What is measured beside the cells: single numbers, each with what it means."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """
    # Parameters

    row : `str`
        Under this name it may have a goal.
    label : `str`
        Which of several of that row.
    value : `float`
    unit : `str`
    detail : `str`
        How it came about.
    """

    row: str
    label: str
    value: float
    unit: str
    detail: str
