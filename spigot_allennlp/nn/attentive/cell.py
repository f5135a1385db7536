"""The terms of an attentive recurrence: its options, states, cell, and result."""

from typing import Iterable, List, NamedTuple, Optional, Protocol

from torch import BoolTensor, LongTensor, Tensor


class AttentiveOptions(NamedTuple):
    """
    Determines when the recurrence stores memories, how many it reads, and where it cuts gradients.

    # Parameters

    attend_every : `int`
        The number of steps from one stored state to the next (the paper's k_att).
    top_k : `int`, optional
        The number of memories that a step reads (the paper's k_top); `None` for all.
    truncation : `int`, optional
        The number of steps in a window. The recurrence passes no gradient across its end (the
        paper's k_trunc). `None` for full backpropagation.
    stores_provisional : `bool`, optional (default = `False`)
        Whether a memory is the provisional state, rather than the hidden state, which includes the
        summary.
    """

    attend_every: int
    top_k: Optional[int]
    truncation: Optional[int]
    stores_provisional: bool = False

    def stores_after(self, step: int) -> bool:
        """Returns whether the state after `step`, counted from 0, becomes a memory."""
        return self.top_k != 0 and (step + 1) % self.attend_every == 0

    def num_stored(self, steps: int) -> int:
        """Returns the number of memories that the first `steps` steps store."""
        return steps // self.attend_every if self.top_k != 0 else 0

    def windows(self, steps: int) -> List[range]:
        """Returns the steps of each window, from the first window to the last."""
        length = self.truncation or max(steps, 1)
        return [range(begin, min(begin + length, steps)) for begin in range(0, steps, length)]

    def output_size(self, hidden_size: int) -> int:
        """Returns the size of an output: hidden state and, if memories are read, summary."""
        return hidden_size * (1 if self.top_k == 0 else 2)


class State(NamedTuple):
    """
    The state of a recurrence between two steps.

    # Parameters

    hidden : `Tensor`
        Shape `(batch_size, hidden_size)`.
    cell_state : `Tensor`
        Shape `(batch_size, hidden_size)`.
    """

    hidden: Tensor
    cell_state: Tensor


class BilinearWeights(NamedTuple):
    """
    All parameters of an LSTM that scores memories by the product of a key and a query, both linear
    in a state.

    # Parameters

    weight_ih : `Tensor`
        Shape `(4 * hidden_size, input_size)`, as in `torch.nn.LSTM`.
    weight_hh : `Tensor`
        Shape `(4 * hidden_size, hidden_size)`.
    bias : `Tensor`
        Shape `(4 * hidden_size,)`.
    query_weight : `Tensor`
        Shape `(key_size, hidden_size)`.
    query_bias : `Tensor`
        Shape `(key_size,)`.
    key_weight : `Tensor`
        Shape `(key_size, hidden_size)`.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    query_weight: Tensor
    query_bias: Tensor
    key_weight: Tensor


class BilinearCell(NamedTuple):
    """
    A cell in the form for the kernels: its parameters, and the smoothing of its weights.

    # Parameters

    weights : `BilinearWeights`
    smoothing : `float`
        See `threshold_weights`; in units of the score.
    """

    weights: BilinearWeights
    smoothing: float


class RecurrenceTensors(NamedTuple):
    """
    All differentiable tensors of a recurrence, except the parameters of its cell, in the order in
    which autograd receives them; or their gradients, in the order in which they are returned.

    # Parameters

    inputs : `Tensor`
        Shape `(steps, batch_size, input_size)`.
    start_hidden, start_cell_state : `Tensor`
        Shape `(batch_size, hidden_size)`: the `State` before the first step.
    initial_keys : `Tensor`
        Shape `(batch_size, memories, key_size)`.
    initial_values : `Tensor`
        Shape `(batch_size, memories, hidden_size)`.
    """

    inputs: Tensor
    start_hidden: Tensor
    start_cell_state: Tensor
    initial_keys: Tensor
    initial_values: Tensor

    @property
    def start(self) -> State:
        """Returns the state before the first step."""
        return State(self.start_hidden, self.start_cell_state)


class AttentiveCell(Protocol):
    """
    The functions that make up a step, for instances in rows. A step

    1. moves from the previous state to a provisional one, as an LSTM does (`project`, `step`),
    2. scores the memories (`score`) and turns the highest scores into weights (`weigh`),
    3. adds the sum of the memories by these weights, the summary, to the provisional state.

    A memory is a stored state, its value, with a key that represents it in scores (`key`).

    Autograd differentiates these functions, and windows are recomputed in the backward pass, so
    they must not be random (no dropout).
    """

    def parameters(self) -> Iterable[Tensor]:
        """Returns all trainable tensors that the functions below use."""

    def project(self, inputs: Tensor) -> Tensor:
        """
        Returns the contribution of the inputs, `(..., input_size)`, to the gates,
        `(..., num_gates)`. It is computed for all steps of a window at once.
        """

    def step(self, projected: Tensor, state: State) -> State:
        """Returns the provisional state, given projected inputs `(batch_size, num_gates)`."""

    def key(self, value: Tensor) -> Tensor:
        """Returns the keys, `(..., key_size)`, of memories `(..., hidden_size)`."""

    def score(self, hidden: Tensor, keys: Tensor) -> Tensor:
        """
        Returns the scores, `(batch_size, memories)`, of provisional states
        `(batch_size, hidden_size)` and keys `(batch_size, memories, key_size)`.
        """

    def weigh(self, scores: Tensor, present: Optional[BoolTensor]) -> Tensor:
        """
        Returns the weights, `(batch_size, kept)`, of the memories to keep, given the scores of the
        selected ones, `(batch_size, selected)`; see `threshold_weights`.
        """

    def as_bilinear(self) -> Optional[BilinearCell]:
        """Returns the whole cell if it is an LSTM that the kernels support, otherwise `None`."""


class AttentiveResult(NamedTuple):
    """
    The outputs of a recurrence, and the state for another one to continue from.

    # Parameters

    outputs : `Tensor`
        Shape `(steps, batch_size, output_size)`: the hidden state of each step and, if memories are
        read, the summary that it includes. The only differentiable field.
    last_cell_state : `Tensor`
        Shape `(batch_size, hidden_size)`: the cell state after the last step.
    values : `Tensor`
        Shape `(batch_size, memories, hidden_size)`: all memories, the initial ones first.
    present : `BoolTensor`, optional
        Shape `(batch_size, memories)`: which of them exist; `None` if all do.
    """

    outputs: Tensor
    last_cell_state: Tensor
    values: Tensor
    present: Optional[BoolTensor]

    @property
    def last_state(self) -> State:
        """Returns the state after the last step, without a gradient."""
        hidden_size = self.last_cell_state.size(-1)
        return State(self.outputs[-1, :, :hidden_size].detach(), self.last_cell_state)


class AttentiveReads(NamedTuple):
    """
    Which memories a recurrence has read, and with which weights.

    The last dimension holds the memories that a step has read, in descending order of their scores.
    It is as long as the largest number read by any step of the batch. If a step has read fewer, or
    none because it is masked, both fields end in zeros.

    # Parameters

    stored_after : `LongTensor`
        Shape `(steps, batch_size, kept)`: the number of steps after which each memory was stored; 0
        for those from before the first step.
    weights : `Tensor`
        Shape `(steps, batch_size, kept)`: the weights of the memories in the sum. Those of a step
        sum to one, unless it has read nothing.
    """

    stored_after: LongTensor
    weights: Tensor
