import torch
from torch.nn import functional
from torch.testing import assert_close

from spigot_allennlp.nn.spiking.connection import (
    ImageShape,
    all_to_all,
    as_matrix,
    convolution,
    pooling,
)


def test_all_to_all_is_a_matrix():
    weight = torch.rand(4, 3)
    connection = all_to_all(4, 3)
    assert torch.equal(as_matrix(connection, weight), weight)
    assert (connection.num_inputs, connection.num_neurons) == (4, 3)
    assert as_matrix(connection, torch.ones(4, 3)).sum(0).tolist() == [4, 4, 4]


def test_a_convolution_is_that_of_torch():
    image, weight = torch.rand(2, 5, 6, 3), torch.rand(3 * 3 * 3, 4)
    connection = convolution(ImageShape(5, 6, 3), 4, 3)
    convolved = image.flatten(1) @ as_matrix(connection, weight)
    # torch has channels in front: (out, in, height, width)
    theirs = weight.reshape(3, 3, 3, 4).permute(3, 2, 0, 1)
    expected = functional.conv2d(image.permute(0, 3, 1, 2), theirs).permute(0, 2, 3, 1)
    assert_close(convolved, expected.flatten(1))
    assert (as_matrix(connection, torch.ones(27, 4)).sum(0) == 27).all()


def test_pooling_adds_up_tiles_of_which_those_at_the_border_may_be_cut_off():
    image = torch.rand(2, 5, 4, 3)
    connection = pooling(ImageShape(5, 4, 3), 2)
    pooled = image.flatten(1) @ as_matrix(connection, torch.ones(1, 1))
    padded = functional.pad(image.permute(0, 3, 1, 2), (0, 0, 0, 1))
    expected = 4 * functional.avg_pool2d(padded, 2).permute(0, 2, 3, 1)
    assert_close(pooled, expected.flatten(1))


def test_the_gradient_of_a_shared_weight_is_that_of_all_its_uses():
    connection = convolution(ImageShape(3, 3, 1), 1, 2)
    weight = torch.ones(4, 1, requires_grad=True)
    as_matrix(connection, weight).sum().backward()
    assert weight.grad.flatten().tolist() == [4, 4, 4, 4]
