"""What of all is run, and how thoroughly."""

from dataclasses import dataclass
from typing import Sequence, Tuple

from benchmarks.problem import Size


@dataclass(frozen=True)
class Settings:
    """
    # Parameters

    rows : `Sequence[str]`
        Names of operations, and of the figures that are no operations (see `figures.py`).
    batch_sizes, lengths : `Tuple[int, ...]`
        Every batch size is run with every length.
    threads : `int`
        Those of torch and of our kernels. With one, times are those of the processor; with more,
        those of the clock on the wall, since the former add up over threads.
    budget : `float`
        Seconds for one library in one cell, all repetitions together.
    patience : `float`
        Seconds after which one single call is given up.
    seed : `int`
        Of the scores.
    """

    rows: Sequence[str]
    batch_sizes: Tuple[int, ...] = (1, 32, 128)
    lengths: Tuple[int, ...] = (10, 20, 40, 80)
    threads: int = 1
    budget: float = 0.3
    patience: float = 20.0
    seed: int = 1

    @property
    def sizes(self) -> Sequence[Size]:
        """From the small ones to the large ones, so that it shows early what will take too long."""
        sizes = [Size(batch, length) for batch in self.batch_sizes for length in self.lengths]
        return sorted(sizes, key=lambda size: size.batch * size.length**2)
