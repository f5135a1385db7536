"""Defines which input of a spiking layer reaches which neuron with which weight."""

from typing import Dict, NamedTuple

import numpy
import torch
from torch import Tensor

from spigot_allennlp.nn.tensor_checks import FLOATS, Argument, Signature

_WEIGHT = Signature(Argument("weight", FLOATS, ("num_rows", "width")))


class ImageShape(NamedTuple):
    """The size of an image. Inputs are ordered by row, column and channel."""

    height: int
    width: int
    channels: int


class Connection(NamedTuple):
    """
    The neurons of a layer are arranged in places with `width` neurons each; a neuron has the index
    `place * width + channel`. An input that reaches a place reaches all its neurons, with one row
    of the weights, which have shape `(num_rows, width)`. Rows may be shared.

    # Parameters

    offsets : `numpy.ndarray`
        Shape `(num_inputs + 1,)`: the pairs of input j are those from `offsets[j]` to
        `offsets[j + 1]`.
    rows, places : `numpy.ndarray`
        Shape `(num_pairs,)`: for each pair, the row of the weights, and the place that is reached.
        No input reaches a place twice.
    num_rows, num_places, width : `int`
    """

    offsets: numpy.ndarray
    rows: numpy.ndarray
    places: numpy.ndarray
    num_rows: int
    num_places: int
    width: int

    @property
    def num_inputs(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_neurons(self) -> int:
        return self.num_places * self.width

    @property
    def sizes(self) -> Dict[str, int]:
        """The sizes, by the names of dimensions in the tensor checks."""
        return {"num_inputs": self.num_inputs, "num_rows": self.num_rows, "width": self.width}


def all_to_all(num_inputs: int, num_neurons: int) -> Connection:
    """Connects every input to every neuron: a single place, and a row of weights for each input."""
    rows = numpy.arange(num_inputs)
    return _connection(rows, rows, numpy.zeros_like(rows), num_inputs, num_inputs, 1, num_neurons)


def convolution(shape: ImageShape, num_channels: int, size: int) -> Connection:
    """
    Connects each place to a window of `size` times `size` inputs. There is a place for every window
    that fits. Inputs are in the order of `shape`. The weights have a row for each input of a
    window, in the same order.
    """
    height, width, channels = shape
    high, wide = height - size + 1, width - size + 1
    # the upper left corner of the window, then the offset within the window
    grid = numpy.meshgrid(*map(numpy.arange, (high, wide, size, size, channels)), indexing="ij")
    y, x, down, right, channel = (axis.reshape(-1) for axis in grid)
    inputs = ((y + down) * width + x + right) * channels + channel
    rows = (down * size + right) * channels + channel
    return _connection(
        inputs,
        rows,
        places=y * wide + x,
        num_inputs=height * width * channels,
        num_rows=size * size * channels,
        num_places=high * wide,
        width=num_channels,
    )


def pooling(shape: ImageShape, size: int) -> Connection:
    """
    Connects each neuron to a tile of `size` times `size` inputs of its channel, all with the same
    weight. Tiles may be cut off at the lower and right borders.
    """
    height, width, channels = shape
    wide, high = -(-width // size), -(-height // size)
    grid = numpy.meshgrid(*map(numpy.arange, shape), indexing="ij")
    y, x, channel = (axis.reshape(-1) for axis in grid)
    places = ((y // size) * wide + x // size) * channels + channel
    inputs = numpy.arange(height * width * channels)
    rows, num_places = numpy.zeros_like(inputs), high * wide * channels
    return _connection(inputs, rows, places, len(inputs), 1, num_places, width=1)


def _connection(
    inputs: numpy.ndarray,
    rows: numpy.ndarray,
    places: numpy.ndarray,
    num_inputs: int,
    num_rows: int,
    num_places: int,
    width: int,
) -> Connection:
    """Sorts the pairs of an input and a place, with their rows, by input."""
    order = numpy.argsort(inputs, kind="stable")
    offsets = numpy.concatenate([[0], numpy.bincount(inputs, minlength=num_inputs).cumsum()])
    return Connection(offsets, rows[order], places[order], num_rows, num_places, width)


def as_matrix(connection: Connection, weight: Tensor) -> Tensor:
    """
    Returns all weights with the zeros between them, shape `(num_inputs, num_neurons)`;
    differentiable in `weight`.
    """
    _WEIGHT.check(weight, num_rows=connection.num_rows, width=connection.width)
    inputs = numpy.repeat(numpy.arange(connection.num_inputs), numpy.diff(connection.offsets))
    inputs, places, rows = (
        torch.from_numpy(index).to(weight.device)
        for index in (inputs, connection.places, connection.rows)
    )
    matrix = weight.new_zeros(connection.num_inputs, connection.num_places, connection.width)
    return matrix.index_put((inputs, places), weight[rows]).flatten(1)
