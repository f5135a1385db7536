"""
Recurrent networks that read a few of their past states, and pass gradients back through these:
sparse attentive backtracking ([Ke et al., 2018](https://arxiv.org/abs/1809.03702)).

**Forward.** Every `attend_every` steps the hidden state is stored: a *memory*. Each step makes a
*provisional* state of the previous one, as an LSTM does, and scores all memories for it. The
`top_k` with the highest scores get weights, by how much they exceed the next highest; the sum of
these memories by their weights, the *summary*, is added to the provisional state, which makes the
hidden state. The output of a step is its hidden state and its summary.

**Backward.** Steps are divided into *windows* of `truncation` steps. Within a window gradients take
the ordinary way, from step to step, and end at its start: the state before it gets none from it.
But where a step has read a memory, gradients also jump to the step that stored it, however far
back; from there they pass through *that* step's window, and jump again from what was read there. So
what happened long ago can be learnt, while time and memory grow with the length of the sequence as
in truncated backpropagation.

The files, in the order to read them:

1. `cell.py`: the options, the state, and the functions a cell consists of.
2. `attentive.py`: the public function, `attentive_recurrence`, and the choice between the next
   three.
3. The compiled path, for an LSTM with a bilinear score on a CPU: `cpu.py` takes tensors to and from
   `kernels.py`, which runs forward, and `backward_kernels.py`, which runs back.
4. The path by torch, for any cell on any device: `forward.py` runs forward without a graph,
   `backward.py` recomputes window after window in a graph, for its gradients. Both read by the
   rules of `memory.py`.
5. Where nothing cuts the gradient, `attentive.py` itself runs the steps of `forward.py` in a single
   graph, and leaves the rest to autograd.

The compiled path, from `attentive_recurrence` to the arithmetic, takes three files. That by torch
takes four, and the arithmetic of the LSTM is in `modules/attentive_lstm_cell.py`, for a model hands
in the cell.
"""
