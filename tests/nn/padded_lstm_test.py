"""An LSTM over padded sequences is the one over packed sequences."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from spigot_allennlp.nn.padded_lstm import is_worthwhile, run_padded_lstm

LENGTHS = [3, 7, 1, 7, 6]


def batch(lengths=LENGTHS):
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    torch.manual_seed(1)
    return torch.randn(*mask.shape, 5, requires_grad=True), mask


def run_packed(lstm, inputs, lengths=LENGTHS):
    packed = pack_padded_sequence(inputs, torch.tensor(lengths), True, enforce_sorted=False)
    return pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("num_layers", [1, 3])
def test_values_and_gradients_are_those_of_packed_sequences(num_layers, bidirectional, bias):
    inputs, mask = batch()
    options = {"bias": bias, "bidirectional": bidirectional, "batch_first": True}
    lstm = torch.nn.LSTM(5, 4, num_layers, **options)
    expected, states = run_packed(lstm, inputs), run_padded_lstm(lstm, inputs, mask)
    torch.testing.assert_close(states, expected)
    direction = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, [inputs, *lstm.parameters()], direction)
    gradients = torch.autograd.grad(states, [inputs, *lstm.parameters()], direction)
    for gradient, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(gradient, other)


def test_what_padding_holds_is_not_looked_at():
    inputs, mask = batch()
    lstm = torch.nn.LSTM(5, 4, 2, bidirectional=True, batch_first=True)
    other = inputs.masked_fill(~mask.unsqueeze(-1), 1e3)
    assert run_padded_lstm(lstm, inputs, mask).equal(run_padded_lstm(lstm, other, mask))
    assert not run_padded_lstm(lstm, inputs, mask)[~mask].any()


def test_a_sequence_of_no_tokens_has_no_states():
    inputs, mask = batch([2, 0])
    lstm = torch.nn.LSTM(5, 4, bidirectional=True, batch_first=True)
    assert not run_padded_lstm(lstm, inputs, mask)[1].any()


def test_dropout_between_layers_acts_in_training_alone():
    inputs, mask = batch()
    lstm = torch.nn.LSTM(5, 400, 2, dropout=0.999, batch_first=True)
    trained = run_padded_lstm(lstm, inputs, mask)
    lstm.eval()
    torch.testing.assert_close(run_padded_lstm(lstm, inputs, mask), run_packed(lstm, inputs))
    assert not torch.allclose(trained, run_padded_lstm(lstm, inputs, mask))


def test_little_padding_is_worthwhile_and_much_is_not():
    lstm = torch.nn.LSTM(5, 4, batch_first=True)
    assert is_worthwhile(lstm, *batch([7, 7, 2]))
    assert not is_worthwhile(lstm, *batch([7, 1, 1]))
    with torch.no_grad():
        assert is_worthwhile(lstm, *batch([7, 7, 6]))
        assert not is_worthwhile(lstm, *batch([7, 7, 2]))


def test_what_it_cannot_do_is_not_worthwhile():
    inputs, mask = batch([7, 7])
    lstm = torch.nn.LSTM(5, 4, batch_first=True)
    assert is_worthwhile(lstm, inputs, mask)
    assert not is_worthwhile(torch.nn.GRU(5, 4, batch_first=True), inputs, mask)
    assert not is_worthwhile(torch.nn.LSTM(5, 4, proj_size=2, batch_first=True), inputs, mask)
    assert not is_worthwhile(lstm.double(), inputs.double(), mask)
    lstm.float()
    left_padded = mask.clone()
    left_padded[0, 0] = False
    assert not is_worthwhile(lstm, inputs, left_padded)
    with torch.autocast("cpu"):
        assert not is_worthwhile(lstm, inputs, mask)
    lstm.register_forward_hook(lambda *call: None)
    assert not is_worthwhile(lstm, inputs, mask)
