import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.modules.graph_encoder import ArcEncoder, GraphEncoder

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


@pytest.fixture
def encoder():
    torch.manual_seed(1)
    return GraphEncoder(input_dim=3, num_labels=4, output_dim=5, label_dim=2)


def parts_of(encoder):
    own, head = encoder._own, encoder._head.weight
    embeddings, roles = (layer.weight for layer in encoder._labels)
    return own, head, embeddings, roles


def test_a_token_gets_the_average_of_its_heads_and_labels(encoder):
    tokens = torch.randn(1, 3, 3)
    arcs = torch.zeros(1, 3, 3, 4)
    arcs[0, 2, 0, 1] = 1  # token 2 has two heads, 0 by label 1 and 1 by label 3
    arcs[0, 2, 1, 3] = 1
    own, head, embeddings, roles = parts_of(encoder)
    from_heads = head @ tokens[0, 0] + head @ tokens[0, 1]
    from_labels = roles @ embeddings[:, 1] + roles @ embeddings[:, 3]
    encoded = encoder(tokens, arcs)
    assert_close(encoded[0, 2], torch.relu(own(tokens[0, 2]) + (from_heads + from_labels) / 2))
    assert_close(encoded[0, :2], torch.relu(own(tokens[0, :2])))


def test_no_graph_and_an_empty_one_are_the_same(encoder):
    tokens = torch.randn(2, 3, 3)
    assert_close(encoder(tokens), encoder(tokens, torch.zeros(2, 3, 3, 4)))


def test_one_head_is_not_divided_nor_is_half_a_head(encoder):
    tokens = torch.randn(1, 2, 3)
    arcs = torch.zeros(1, 2, 2, 4)
    arcs[0, 1, 0, 2] = 0.5
    own, head, embeddings, roles = parts_of(encoder)
    added = 0.5 * (head @ tokens[0, 0] + roles @ embeddings[:, 2])
    assert_close(encoder(tokens, arcs)[0, 1], torch.relu(own(tokens[0, 1]) + added))


def test_the_gradient_of_an_arc_that_was_not_chosen_is_what_it_would_add(encoder):
    tokens = torch.randn(1, 2, 3)
    arcs = torch.zeros(1, 2, 2, 4, requires_grad=True)
    own, head, embeddings, roles = parts_of(encoder)
    encoder(tokens, arcs)[0, 1].sum().backward()
    active = (own(tokens[0, 1]) > 0).float()
    expected = active @ (head @ tokens[0, 0] + roles @ embeddings[:, 3])
    assert_close(arcs.grad[0, 1, 0, 3], expected)


def test_an_unlabelled_arc_brings_its_head_and_no_label():
    encoder = GraphEncoder(input_dim=3, num_labels=1, output_dim=5)
    tokens = torch.randn(1, 2, 3)
    tree = torch.zeros(1, 2, 2, 1)
    tree[0, 1, 0] = 1
    expected = torch.relu(encoder._own(tokens[0, 1]) + encoder._head(tokens[0, 0]))
    assert_close(encoder(tokens, tree)[0, 1], expected)
