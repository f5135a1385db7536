"""A recurrence so simple that its gradients are worked out by hand."""

import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.modules.attentive_lstm_cell import AttentiveLstmCell
from spigot_allennlp.modules.memory_score import BilinearMemoryScore
from spigot_allennlp.nn.attentive import backward
from spigot_allennlp.nn.attentive.attentive import attentive_recurrence
from spigot_allennlp.nn.attentive.cell import AttentiveOptions, State
from spigot_allennlp.nn.attentive.memory import Memories, softmax_weights, threshold_weights

A = 0.5
INPUTS = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])


class Decay:
    """`h' = a h + x`; a memory is its own key, and scores itself, or the less, the larger it is."""

    def __init__(self, sign: int) -> None:
        self.sign = sign

    def parameters(self):
        return ()

    def project(self, inputs):
        return inputs

    def step(self, projected, state):
        return State(A * state.hidden + projected, state.cell_state)

    def key(self, value):
        return value * 1

    def score(self, hidden, keys):
        return self.sign * keys.squeeze(-1)

    def weigh(self, scores, present):
        return torch.ones_like(scores[:, :1])

    def as_bilinear(self):
        return None


def outputs(cell, inputs, truncation=2):
    """Returns the outputs of a run from zero, without initial memories; a step reads one memory."""
    options = AttentiveOptions(attend_every=2, top_k=1, truncation=truncation)
    zeros = torch.zeros(inputs.size(1), 1)
    initial = Memories(zeros.unsqueeze(1)[:, :0], zeros.unsqueeze(1)[:, :0])
    return attentive_recurrence(cell, options, inputs, None, State(zeros, zeros), initial).outputs


def jacobian(sign: int, truncation=2):
    """Returns the states, and their derivatives (a row for each) with respect to the inputs."""
    inputs = INPUTS.clone().requires_grad_()
    states = outputs(Decay(sign), inputs.view(-1, 1, 1), truncation)[:, 0, 0]
    rows = [torch.autograd.grad(state, inputs, retain_graph=True)[0] for state in states]
    return states.detach(), torch.stack(rows)


def test_gradients_go_along_the_window_and_into_the_largest_memories_and_on():
    # h0 = x0, h1 = a h0 + x1 = m0 | h2 = a h1 + x2 + m0, h3 = a h2 + x3 + m0 = m1
    # | h4 = a h3 + x4 + m1, m1 being larger than m0. Between windows (|) h has no gradient.
    states, actual = jacobian(sign=1)
    h1 = A * 1 + 2
    h2 = A * h1 + 4 + h1
    h3 = A * h2 + 8 + h1
    assert_close(states, torch.tensor([1, h1, h2, h3, A * h3 + 16 + h3]))
    of_h3 = [A * A + A, A + 1, A, 1, 0]  # twice through m0: at once, and by h2
    expected = [
        [1, 0, 0, 0, 0],
        [A, 1, 0, 0, 0],
        [A, 1, 1, 0, 0],
        of_h3,
        [*of_h3[:4], 1],  # through m1, and from there through m0
    ]
    assert_close(actual, torch.tensor(expected))


def test_a_memory_that_is_not_chosen_has_no_gradient():
    # As above, but h4 = a h3 + x4 + m0, the smallest.
    _, actual = jacobian(sign=-1)
    assert_close(actual[4], torch.tensor([A, 1, 0, 0, 1]))


def test_without_truncation_nothing_is_cut():
    _, actual = jacobian(sign=-1, truncation=None)
    assert_close(actual[2], torch.tensor([A * (A + 1), A + 1, 1, 0, 0]))


def test_only_windows_and_instances_that_a_gradient_reaches_are_computed_again(monkeypatch):
    computed = []
    recurrence_steps = backward.recurrence_steps

    def noted(cell, options, window, inputs, *others):
        computed.append((window.start, inputs.size(1)))
        return recurrence_steps(cell, options, window, inputs, *others)

    monkeypatch.setattr(backward, "recurrence_steps", noted)
    inputs = INPUTS.repeat(2).view(10, 1, 1).repeat(1, 3, 1).requires_grad_()
    outputs(Decay(-1), inputs)[9, 1].sum().backward()
    assert computed == [(8, 1), (0, 1)]  # the last window, and that of the smallest memory
    assert inputs.grad[:, [0, 2]].abs().max() == 0


def test_a_second_derivative_is_refused():
    inputs = INPUTS.view(5, 1, 1).clone().requires_grad_()
    total = outputs(Decay(1), inputs).sum()
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    with pytest.raises(RuntimeError):
        gradient.sum().backward()


@pytest.mark.parametrize("changed", ["inputs", "mask", "hidden", "cell_state", "weight"])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("rule", [threshold_weights, softmax_weights], ids=["kernels", "torch"])
def test_what_is_changed_before_the_backward_pass_does_not_change_the_gradient(
    changed, masked, rule
):
    torch.manual_seed(1)
    cell = AttentiveLstmCell(3, 4, BilinearMemoryScore(4), rule, 2, 0.1)
    tensors = {
        "inputs": torch.randn(5, 1, 3),  # a batch of one, whose transpose is contiguous, too
        "mask": torch.tensor([[True], [True], [True], [True], [False]]) if masked else None,
        "hidden": torch.randn(1, 4),
        "cell_state": torch.randn(1, 4),
        "weight": cell.weight_ih.detach(),
    }

    def gradients_after(change):
        state = State(tensors["hidden"], tensors["cell_state"])
        initial = Memories(cell.key(torch.zeros(1, 1, 4)), torch.zeros(1, 1, 4))
        options = AttentiveOptions(attend_every=2, top_k=2, truncation=2)
        inputs, mask = tensors["inputs"], tensors["mask"]
        result = attentive_recurrence(cell, options, inputs, mask, state, initial)
        change()
        return torch.autograd.grad(result.outputs.square().sum(), list(cell.parameters()))

    def change():
        if tensors[changed] is not None:
            tensors[changed].logical_not_() if changed == "mask" else tensors[changed].mul_(2)

    expected = gradients_after(lambda: None)
    try:
        actual = gradients_after(change)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        assert changed in ("inputs", "weight")
    else:
        assert_close(actual, expected)
