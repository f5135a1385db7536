"""Whether a variant is better than the baseline, or was lucky."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Comparison:
    """
    # Parameters

    difference : `float`
        Of the means over the seeds: variant minus baseline.
    low, high : `float`
        The 95 % confidence interval of the difference.
    p : `float`
    p_adjusted : `float`
    p_over_seeds : `float`, optional (default = `None`)
    seeds : `int`
        How many seeds both have.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    p_over_seeds: Optional[float]
    seeds: int
