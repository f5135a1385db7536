"""
What one step of an attentive recurrence is made of.

A step first makes a provisional state of the previous one, as an LSTM does; it then scores the
memories, and adds their weighted sum to the provisional state. A *memory* is a state that was
stored (its *value*), with what stands for it in scores (its *key*). Autograd differentiates all of
this; it must give the same again when it is computed again (so no dropout in here).
"""

from typing import List, NamedTuple, Optional, Protocol, Tuple

from torch import BoolTensor, Tensor


class BilinearWeights(NamedTuple):
    """
    All that there is to an LSTM whose score is a product of query and key, the query being a linear
    function of the provisional state, and whose weights go by the threshold.

    # Parameters

    weight_ih : `Tensor`
        `(4 * hidden_size, input_size)`, as that of `torch.nn.LSTM`.
    weight_hh : `Tensor`
        `(4 * hidden_size, hidden_size)`.
    bias : `Tensor`
        `(4 * hidden_size,)`.
    query_weight : `Tensor`
        `(key_size, hidden_size)`.
    query_bias : `Tensor`
        `(key_size,)`.
    key_weight : `Tensor`
        `(key_size, hidden_size)`.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    query_weight: Tensor
    query_bias: Tensor
    key_weight: Tensor


class State(NamedTuple):
    """`hidden` and `cell`, each of shape `(batch_size, hidden_size)`."""

    hidden: Tensor
    cell: Tensor


class AttentiveCell(Protocol):
    """Rows are instances; `key_size` is up to the cell."""

    def project(self, inputs: Tensor) -> Tensor:
        """From `(..., input_size)` to what a step wants of its input, `(..., 4 * hidden_size)`."""

    def step(self, projected: Tensor, state: State) -> State:
        """The provisional state."""

    def key(self, value: Tensor) -> Tensor:
        """From `(..., hidden_size)` to `(..., key_size)`."""

    def score(self, hidden: Tensor, keys: Tensor) -> Tensor:
        """
        Of provisional states `(batch_size, hidden_size)` and memories
        `(batch_size, memories, key_size)`; shape `(batch_size, memories)`.
        """

    def weigh(self, scores: Tensor, present: Optional[BoolTensor]) -> Tensor:
        """
        The weights of those that are kept, `(batch_size, kept)`, given the scores of those that
        were selected, `(batch_size, selected)`; see `memory_weights.py`.
        """

    def as_bilinear(self) -> Optional[Tuple[BilinearWeights, float]]:
        """All that there is to the cell, with its smoothing, if it is of that kind."""


class Layout(NamedTuple):
    """
    When what happens.

    # Parameters

    attend_every : `int`
        A state is stored after every so many steps.
    top_k : `Optional[int]`
        How many memories a step reads: none for 0, all for `None`.
    truncation : `Optional[int]`
        The length of the windows, at the ends of which the recurrence hands on no gradient; `None`
        for none.
    stores_provisional : `bool`
        Whether memories are provisional states, and not what they are with what was read.
    """

    attend_every: int
    top_k: Optional[int]
    truncation: Optional[int]
    stores_provisional: bool = False

    def writes(self, step: int) -> bool:
        """Whether the state after `step` (from 0) is stored."""
        return self.top_k != 0 and (step + 1) % self.attend_every == 0

    def stored(self, steps: int) -> int:
        """How many states the first so many steps store."""
        return steps // self.attend_every if self.top_k != 0 else 0

    def windows(self, steps: int) -> List[Tuple[int, int]]:
        """Where windows begin and end, in their order."""
        length = self.truncation or max(steps, 1)
        return [(start, min(start + length, steps)) for start in range(0, steps, length)]
