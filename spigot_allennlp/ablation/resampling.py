"""The same random draws for every variant that is compared."""

from dataclasses import dataclass
from typing import Iterator

import numpy

CHUNK = 256  # draws at a time, for the sake of memory


@dataclass(frozen=True)
class Resampling:
    """
    # Parameters

    instances : `int`
        Of the test data.
    draws : `int`
        How often.
    """

    instances: int
    draws: int

    def selections(self) -> Iterator[numpy.ndarray]:
        """
        How often each instance is in a sample of as many, drawn with replacement: whole numbers,
        shape `(draws of the chunk, instances)`.
        """
        random = numpy.random.default_rng(0)
        even = numpy.full(self.instances, 1 / self.instances)
        for size in self._chunks():
            yield random.multinomial(self.instances, even, size).astype(float)

    def swaps(self) -> Iterator[numpy.ndarray]:
        """Zeros and ones, with equal chances: shape `(draws of the chunk, instances)`."""
        random = numpy.random.default_rng(1)
        for size in self._chunks():
            yield random.integers(0, 2, (size, self.instances)).astype(float)

    def seeds(self, number: int) -> numpy.ndarray:
        """As many of `number` seeds as there are, with replacement: shape `(draws, number)`."""
        return numpy.random.default_rng(2).integers(0, number, (self.draws, number))

    def _chunks(self) -> Iterator[int]:
        for start in range(0, self.draws, CHUNK):
            yield min(CHUNK, self.draws - start)
