"""The kernels against the same computation by torch."""

import pytest
import torch
from allennlp.common import Lazy
from torch.testing import assert_close

from spigot_allennlp.modules.memory_score import BilinearMemoryScore
from spigot_allennlp.modules.sparse_attentive_lstm import SparseAttentiveLstm
from spigot_allennlp.nn.attentive import attentive

SETTINGS = [(1, 1, 1), (1, 2, 3), (2, 3, 5), (3, 2, 4), (2, 100, 3), (1, 2, None), (2, 2, 100)]
SETTINGS += [(1, 0, 3), (1, 0, 20)]
LENGTHS = [17, 4, 0, 9]


def outputs_and_gradients(encoder, inputs, mask, weights):
    """Returns those of two calls, the second of which continues where the first ended."""
    encoder.reset_states()
    leaf = inputs.clone().requires_grad_()
    outputs = torch.cat([encoder(leaf, mask), encoder(leaf.flip(1), mask)])
    leaves = [leaf, *encoder.parameters()]
    return outputs, *torch.autograd.grad((outputs * weights).sum(), leaves)


@pytest.mark.parametrize("attend_every, top_k, truncation", SETTINGS)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("stored", ["state", "provisional"])
def test_kernels_agree_with_torch(attend_every, top_k, truncation, padded, stored, monkeypatch):
    layout = attend_every, top_k, truncation
    check(layout, stored, padded, torch.double, 1e-9, monkeypatch)


def test_they_do_so_in_single_precision(monkeypatch):
    check((2, 3, 5), "state", True, torch.float, 1e-3, monkeypatch)


def check(layout, stored, padded, dtype, tolerance, monkeypatch):
    torch.manual_seed(1)
    encoder = SparseAttentiveLstm(
        3,
        6,
        *layout,
        Lazy(BilinearMemoryScore, constructor_extras={"size": 5}),
        stored=stored,
        stateful=True,
        max_carried=4,
    ).to(dtype)
    for parameter in encoder.parameters():
        parameter.data *= 2
    inputs = torch.randn(len(LENGTHS), 17, 3, dtype=dtype)
    mask = torch.ones(len(LENGTHS), 17, dtype=torch.bool)
    if padded:
        mask = torch.arange(17) < torch.tensor(LENGTHS).unsqueeze(-1)
    weights = torch.randn(2 * len(LENGTHS), 17, encoder.get_output_dim(), dtype=dtype)
    weights[:, 5:8] = 0
    actual = outputs_and_gradients(encoder, inputs, mask, weights)
    monkeypatch.setattr(attentive, "has_kernels", lambda device: False)
    expected = outputs_and_gradients(encoder, inputs, mask, weights)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def test_the_gradient_is_the_same_in_whichever_order_threads_end(monkeypatch):
    torch.manual_seed(1)
    encoder = SparseAttentiveLstm(3, 6, top_k=2, truncation=3)
    inputs = torch.randn(6, 17, 3)
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    found = []
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4], [2, 5, 4, 3, 1, 0]):
        monkeypatch.setattr(
            "spigot_allennlp.nn.attentive.cpu.call_in_threads",
            lambda function, parts, _, order=order: [function(parts[place]) for place in order],
        )
        total = encoder(inputs).square().sum()
        found.append(torch.autograd.grad(total, list(encoder.parameters())))
    for other in found[1:]:
        assert all(torch.equal(*pair) for pair in zip(found[0], other, strict=True))
