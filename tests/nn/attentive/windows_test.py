"""A recurrence so simple that its gradients are worked out by hand."""

import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn.attentive import way_back
from spigot_allennlp.nn.attentive.cell import Layout, State
from spigot_allennlp.nn.attentive.memory_store import Memories
from spigot_allennlp.nn.attentive.way_back import Given
from spigot_allennlp.nn.attentive.windows import run_in_windows

A = 0.5
INPUTS = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])


class Decay:
    """`h' = a h + x`; a memory is its own key, and scores itself, or the less, the larger it is."""

    def __init__(self, sign: int) -> None:
        self.sign = sign

    def project(self, inputs):
        return inputs

    def step(self, projected, state):
        return State(A * state.hidden + projected, state.cell)

    def key(self, value):
        return value * 1

    def score(self, hidden, keys):
        return self.sign * keys.squeeze(-1)

    def weigh(self, scores, present):
        return torch.ones_like(scores[:, :1])

    def as_bilinear(self):
        return None


def jacobian(sign: int, truncation=2):
    """Of the states (rows) with respect to the inputs, for windows of two and one memory a step."""
    inputs = INPUTS.clone().requires_grad_()
    given = Given(Decay(sign), Layout(attend_every=2, top_k=1, truncation=truncation), None, None)
    start = State(torch.zeros(1, 1), torch.zeros(1, 1))
    first = Memories(torch.zeros(1, 0, 1), torch.zeros(1, 0, 1))
    states = run_in_windows(given, (), inputs.view(-1, 1, 1), start, first).outputs[:, 0, 0]
    rows = [torch.autograd.grad(state, inputs, retain_graph=True)[0] for state in states]
    return states.detach(), torch.stack(rows)


def test_gradients_go_along_the_window_and_into_the_largest_memories_and_on():
    # h0 = x0, h1 = a h0 + x1 = m0 | h2 = a h1 + x2 + m0, h3 = a h2 + x3 + m0 = m1
    # | h4 = a h3 + x4 + m1, m1 being larger than m0. Between windows (|) h has no gradient.
    states, found = jacobian(sign=1)
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
    assert_close(found, torch.tensor(expected))


def test_a_memory_that_is_not_chosen_has_no_gradient():
    # As above, but h4 = a h3 + x4 + m0, the smallest.
    _, found = jacobian(sign=-1)
    assert_close(found[4], torch.tensor([A, 1, 0, 0, 1]))


def test_without_truncation_nothing_is_cut():
    _, found = jacobian(sign=-1, truncation=None)
    assert_close(found[2], torch.tensor([A * (A + 1), A + 1, 1, 0, 0]))


def test_only_windows_and_instances_that_a_gradient_reaches_are_computed_again(monkeypatch):
    computed = []
    unroll = way_back.unroll

    def noted(cell, layout, begin, inputs, *rest):
        computed.append((begin, inputs.size(1)))
        return unroll(cell, layout, begin, inputs, *rest)

    monkeypatch.setattr(way_back, "unroll", noted)
    inputs = INPUTS.repeat(2).view(10, 1, 1).repeat(1, 3, 1).requires_grad_()
    given = Given(Decay(-1), Layout(attend_every=2, top_k=1, truncation=2), None, None)
    start = State(torch.zeros(3, 1), torch.zeros(3, 1))
    first = Memories(torch.zeros(3, 0, 1), torch.zeros(3, 0, 1))
    outputs = run_in_windows(given, (), inputs, start, first).outputs
    outputs[9, 1].sum().backward()
    assert computed == [(8, 1), (0, 1)]  # the last window, and that of the smallest memory
    assert inputs.grad[:, [0, 2]].abs().max() == 0


def test_a_second_derivative_is_refused():
    inputs = INPUTS.view(5, 1, 1).clone().requires_grad_()
    given = Given(Decay(1), Layout(2, 1, 2), None, None)
    start = State(torch.zeros(1, 1), torch.zeros(1, 1))
    first = Memories(torch.zeros(1, 0, 1), torch.zeros(1, 0, 1))
    outputs = run_in_windows(given, (), inputs, start, first).outputs
    (gradient,) = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)
    with pytest.raises(RuntimeError):
        gradient.sum().backward()
