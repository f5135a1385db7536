import torch
from torch.testing import assert_close

from spigot_allennlp.modules.arc_encoder import ArcEncoder

TOKENS = torch.arange(6.0).reshape(1, 3, 2)  # (0, 1), (2, 3), (4, 5)


def test_a_hard_arc_appends_the_vector_of_the_head():
    arcs = torch.tensor([[[0.0, 0, 0], [0, 0, 1], [1, 0, 0]]])
    encoded = ArcEncoder(input_dim=2)(TOKENS, arcs)
    assert encoded.tolist() == [[[0, 1, 0, 0], [2, 3, 4, 5], [4, 5, 0, 1]]]


def test_soft_arcs_append_the_weighted_mean():
    arcs = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0.5], [0, 0, 0]]])
    encoded = ArcEncoder(input_dim=2)(TOKENS, arcs)
    assert encoded[0, 1].tolist() == [2, 3, 2, 3]


def test_arcs_that_were_not_chosen_have_a_gradient_too():
    torch.manual_seed(0)
    arcs = torch.zeros(1, 3, 3, requires_grad=True)
    encoder = ArcEncoder(input_dim=2, head_dim=4)
    assert encoder.output_dim == 6
    encoder(TOKENS, arcs)[0, 1].sum().backward()
    # row 1, every head: the sum of the projected vector of that head
    assert_close(arcs.grad[0, 1], encoder._project(TOKENS[0]).sum(dim=-1))
    assert arcs.grad[0, [0, 2]].abs().sum() == 0
