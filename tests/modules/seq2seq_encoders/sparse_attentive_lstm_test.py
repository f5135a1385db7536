import pytest
import torch
from allennlp.common import Lazy
from torch.testing import assert_close

from spigot_allennlp.modules.memory_score.additive import AdditiveMemoryScore
from spigot_allennlp.modules.seq2seq_encoders.sparse_attentive_lstm import SparseAttentiveLstm
from tests.nn.attentive_paths import SlowCell, slow_outputs

SMOOTHING = 0.3
SETTINGS = [
    (1, 1, 1),
    (1, 2, 3),
    (2, 3, 5),
    (3, 2, 4),
    (2, 100, 3),
    (1, 2, None),
    (2, 2, 100),
    (4, None, 3),
    (2, None, None),
]


def encoder_like(slow: SlowCell, attend_every, top_k, truncation) -> SparseAttentiveLstm:
    encoder = SparseAttentiveLstm(
        slow.weight_ih.size(1),
        slow.weight_hh.size(1),
        attend_every,
        top_k,
        truncation,
        Lazy(AdditiveMemoryScore, constructor_extras={"size": len(slow.output)}),
        smoothing=SMOOTHING,
    ).double()
    for ours, theirs in matching(encoder, slow):
        ours.data.copy_(theirs.view_as(ours))
    return encoder


def matching(encoder, slow):
    """The parameters of the two, side by side."""
    cell, score = encoder._cell, encoder._cell._score
    yield cell.weight_ih, slow.weight_ih
    yield cell.weight_hh, slow.weight_hh
    yield cell.bias, slow.bias
    yield score._present.weight, slow.query
    yield score._present.bias, slow.offset
    yield score._stored.weight, slow.memory
    yield score._output.weight, slow.output


@pytest.mark.parametrize("attend_every, top_k, truncation", SETTINGS)
@pytest.mark.parametrize("lengths", [[11, 11], [11, 4, 7]])
def test_outputs_and_gradients_are_those_of_the_paths_written_out(
    attend_every, top_k, truncation, lengths
):
    torch.manual_seed(1)
    slow = SlowCell(input_size=3, hidden_size=4, size=5)
    encoder = encoder_like(slow, attend_every, top_k, truncation)
    inputs = torch.randn(len(lengths), 11, 3, dtype=torch.double, requires_grad=True)
    expected = torch.zeros(len(lengths), 11, 8, dtype=torch.double)
    for row, length in enumerate(lengths):
        expected[row, :length] = slow_outputs(
            slow, inputs[row, :length], attend_every, top_k, truncation, SMOOTHING
        )
    mask = torch.arange(11) < torch.tensor(lengths).unsqueeze(-1)
    found = encoder(inputs, mask)
    assert_close(found, expected)

    weights = torch.randn_like(expected)
    (of_inputs,) = torch.autograd.grad((expected * weights).sum(), inputs, retain_graph=True)
    (expected * weights).sum().backward(inputs=list(slow.parameters()))
    (found * weights).sum().backward()
    assert_close(inputs.grad, of_inputs)
    for ours, theirs in matching(encoder, slow):
        assert_close(ours.grad, theirs.grad.view_as(ours))
