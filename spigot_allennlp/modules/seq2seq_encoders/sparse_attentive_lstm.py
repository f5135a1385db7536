"""An LSTM that attends to few of its own past states, and learns through those alone."""

from typing import Optional

from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder
from torch import BoolTensor, Tensor

from spigot_allennlp.config_checks import check_choice, check_least
from spigot_allennlp.modules.attentive_lstm_cell import AttentiveLstmCell
from spigot_allennlp.modules.memory_score.bilinear import BilinearMemoryScore
from spigot_allennlp.modules.memory_score.memory_score import MemoryScore
from spigot_allennlp.modules.seq2seq_encoders.carried_states import after, for_batch
from spigot_allennlp.nn.attentive.cell import Layout
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.memory_weights import WEIGHTS, softmax_weights
from spigot_allennlp.nn.attentive.way_back import Given
from spigot_allennlp.nn.attentive.windows import Run, run_as_graph, run_in_windows


@Seq2SeqEncoder.register("sparse_attentive_lstm")
class SparseAttentiveLstm(Seq2SeqEncoder):
    """
    Sparse attentive backtracking ([Ke et al., 2018](https://arxiv.org/abs/1809.03702)): an LSTM
    that stores its state every `attend_every` steps, and the zero with which it begins. Each step
    scores all that is stored, and adds the weighted sum of the `top_k` best to its own state. The
    gradient runs back `truncation` steps at most, to the start of the window; through what a step
    has read it jumps to where that was stored, and runs back in that window, and so on. So it costs
    little, in time and in memory, however long the sequence; see `nn/attentive/windows.py`.

    Windows begin at multiples of `truncation`. What two steps have to do with each other is learnt
    along the recurrence only where one window holds them both.

    The same encoder is also what it is compared with:

    - `"top_k": 0`: truncated backpropagation of an LSTM without memory,
    - `"top_k": 0, "truncation": null`: full backpropagation through time,
    - `"top_k": null, "truncation": null`: an LSTM with full attention to its past, by softmax.

    Its output is, for each step, the state and the summary of what was read side by side, of size
    `2 * hidden_size`; with `"top_k": 0` the state alone. It is zero where `mask` is false; there,
    the state stays as it was, and nothing is stored.

    Registered as a `Seq2SeqEncoder` with name "sparse_attentive_lstm".

    # Parameters

    input_size : `int`
    hidden_size : `int`
    attend_every : `int`, optional (default = `2`)
    top_k : `int`, optional (default = `10`)
        `None`: all.
    truncation : `int`, optional (default = `10`)
        In steps; `None`: never.
    score : `Lazy[MemoryScore]`, optional (default = `bilinear`)
    weights : `str`, optional (default = `"threshold"`)
        How the selected memories share the attention, `"threshold"` or `"softmax"`; see
        `nn/attentive/memory_weights.py`. Where all are read it is always by softmax.
    stored : `str`, optional (default = `"state"`)
        What a memory is: the state with what it has read, as published, or, `"provisional"`, before
        that. Where steps read memories that hold the sum of earlier ones, states can grow with the
        length of the sequence; provisional ones cannot.
    smoothing : `float`, optional (default = `0.1`)
        See `threshold_weights`.
    longest_memory : `int`, optional (default = `None`)
        If given, at least 3: the biases of the gates are drawn so that units forget within times
        from one step to that many
        ([Tallec & Ollivier, 2018](https://arxiv.org/abs/1804.11188)), which tells times apart; if
        not, that of the forget gate starts at one.
    stateful : `bool`, optional (default = `False`)
        Whether a batch goes on where the last one ended, with its states and its memories; no
        gradient crosses from the one to the other.
    max_carried : `int`, optional (default = `100`)
        Of how many memories, the latest, at most, in stateful use; the zero is not counted.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        attend_every: int = 2,
        top_k: Optional[int] = 10,
        truncation: Optional[int] = 10,
        score: Lazy[MemoryScore] = Lazy(BilinearMemoryScore),  # noqa: B008 (AllenNLP's idiom)
        weights: str = "threshold",
        stored: str = "state",
        smoothing: float = 0.1,
        longest_memory: Optional[int] = None,
        stateful: bool = False,
        max_carried: int = 100,
    ) -> None:
        super().__init__(stateful)
        check_least(1, attend_every=attend_every, truncation=truncation)
        check_least(0, top_k=top_k, max_carried=max_carried)
        check_least(3, longest_memory=longest_memory)
        check_choice("weights", weights, WEIGHTS)
        check_choice("stored", stored, ["state", "provisional"])
        if not smoothing > 0:
            raise ConfigurationError(
                f"smoothing is {smoothing}, but must be positive: without it, memories with equal "
                "scores have no weights."
            )
        self._input_size = input_size
        self._layout = Layout(attend_every, top_k, truncation, stored == "provisional")
        self._max_carried = max_carried
        self._cell = AttentiveLstmCell(
            input_size,
            hidden_size,
            None if top_k == 0 else score.construct(hidden_size=hidden_size),
            softmax_weights if top_k is None else WEIGHTS[weights],
            top_k,
            smoothing,
            longest_memory,
        )

    def get_input_dim(self) -> int:
        return self._input_size

    def get_output_dim(self) -> int:
        return self._cell.hidden_size * (1 if self._layout.top_k == 0 else 2)

    def is_bidirectional(self) -> bool:
        return False

    def forward(self, inputs: Tensor, mask: Optional[BoolTensor] = None) -> Tensor:
        """
        # Parameters

        inputs : `Tensor`
            Shape `(batch_size, length, input_size)`.
        mask : `BoolTensor`, optional
            Shape `(batch_size, length)`.

        # Returns

        `Tensor`
            Shape `(batch_size, length, output_dim)`.
        """
        batch_size, length, _ = inputs.shape
        if mask is not None and bool(mask.all()):
            mask = None
        if not batch_size or not length:
            return inputs.new_zeros(batch_size, length, self.get_output_dim())
        run = self._run(inputs.transpose(0, 1), None if mask is None else mask.t())
        if self.stateful:
            self._states = after(run, self._states, self._max_carried)
        outputs = run.outputs.transpose(0, 1)
        return outputs if mask is None else outputs * mask.unsqueeze(-1)

    def _run(self, inputs: Tensor, mask: Optional[BoolTensor]) -> Run:
        cell, layout = self._cell, self._layout
        state, values, present = for_batch(self._states, inputs, cell.hidden_size)
        keys = cell.key(values) if layout.top_k != 0 else values.new_zeros(*values.shape[:2], 0)
        given, first = Given(cell, layout, mask, present), Memories(keys, values, present)
        if layout.truncation is None and not layout.top_k:
            return run_as_graph(given, inputs, state, first)
        return run_in_windows(given, tuple(cell.parameters()), inputs, state, first)
