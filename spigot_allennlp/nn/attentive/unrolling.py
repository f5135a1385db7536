"""An attentive recurrence over a window of steps, as a graph."""

from typing import List, NamedTuple, Optional, Sequence

from torch import BoolTensor, Tensor

from spigot_allennlp.nn.attentive.cell import AttentiveCell, Layout, State
from spigot_allennlp.nn.attentive.reading import Reading, Written
from spigot_allennlp.nn.attentive.scan import hold


class Unrolled(NamedTuple):
    """The states and the summaries (`None`: nothing was read) of each step, and what is stored."""

    states: List[State]
    summaries: List[Optional[Tensor]]
    written: Written


def unroll(
    cell: AttentiveCell,
    layout: Layout,
    begin: int,
    inputs: Tensor,
    masks: Sequence[Optional[BoolTensor]],
    start: State,
    read: Reading,
) -> Unrolled:
    """
    # Parameters

    cell : `AttentiveCell`
    layout : `Layout`
    begin : `int`
        The first step of the window.
    inputs : `Tensor`
        Of its steps, `(steps, batch_size, input_size)`.
    masks : `Sequence[Optional[BoolTensor]]`
        Of its steps, `(batch_size,)` each, or `None` if nothing is masked.
    start : `State`
        Before the window.
    read : `Reading`
    """
    done = Unrolled([], [], Written([], [], []))
    state = start
    projected = cell.project(inputs).unbind(0)
    for step, (gates, mask) in enumerate(zip(projected, masks, strict=True)):
        moved = cell.step(gates, state)
        summary = read(cell, step, moved.hidden, done.written)
        hidden = moved.hidden if summary is None else moved.hidden + summary
        state = hold(State(hidden, moved.cell), state, mask)
        done.states.append(state)
        done.summaries.append(summary)
        if layout.writes(begin + step):
            value = moved.hidden if layout.stores_provisional else state.hidden
            done.written.keys.append(cell.key(value))
            done.written.values.append(value)
            done.written.present.append(mask)
    return done
