"""
Recurrent networks that read a few of their past states, and pass gradients back through them:
sparse attentive backtracking ([Ke et al., 2018](https://arxiv.org/abs/1809.03702)).

**Forward.** Every `attend_every` steps, the hidden state is stored as a *memory*. Each step
computes a *provisional* state from the previous one, as in an LSTM, and scores all memories for it.
The `top_k` memories with the highest scores get weights according to how much they exceed the next
highest. Their weighted sum, the *summary*, is added to the provisional state to give the hidden
state. The output of a step is its hidden state and its summary.

**Backward.** Steps are divided into *windows* of `truncation` steps. Within a window, gradients
flow from step to step as usual, and stop at its start: the state before it gets none. But if a step
has read a memory, gradients also jump to the step that stored it, however far back. From there they
pass through *that* step's window, and jump again from the memories read there. So the network can
learn from events long ago, while time and memory grow with the sequence length as in truncated
backpropagation.

The files, in the order to read them:

1. `cell.py`: the options, the state, and the functions that make up a cell.
2. `attentive.py`: the public function, `attentive_recurrence`, and the choice between the next
   three.
3. The compiled path, for an LSTM with a bilinear score on a CPU: `cpu.py` takes tensors to and from
   `kernels.py`, the forward pass, and `backward_kernels.py`, the backward pass.
4. The torch path, for any cell on any device: `forward.py` runs forward without a graph;
   `backward.py` recomputes the windows one by one in a graph, for their gradients. Both read
   memories by the rules in `memory.py`.
5. If nothing cuts the gradient, `attentive.py` itself runs the steps of `forward.py` in a single
   graph, and leaves the rest to autograd.

The compiled path, from `attentive_recurrence` to the arithmetic, takes three files. The torch path
takes four, and the arithmetic of the LSTM is in `modules/attentive_lstm_cell.py`, since the model
supplies the cell.
"""
