"""Which input of a spiking layer reaches which neuron by which weight."""

from typing import Dict, NamedTuple, Sequence, Tuple

import numpy
import torch
from torch import Tensor

from spigot_allennlp.nn.tensor_checks import FLOATS, Argument, Signature

_WEIGHT = Signature(Argument("weight", FLOATS, ("num_rows", "width")))


class Connection(NamedTuple):
    """
    The neurons of a layer are arranged in places, each with `width` neurons side by side; neuron
    `place * width + channel`. An input that reaches a place reaches all its neurons, by one row of
    the weights, which have shape `(num_rows, width)`. Rows may be shared.

    # Parameters

    offsets : `numpy.ndarray`
        Shape `(num_inputs + 1,)`: the pairs of input j are those from `offsets[j]` to
        `offsets[j + 1]`.
    rows, places : `numpy.ndarray`
        Of each pair the row of the weights, and the place that is reached. No input reaches a place
        twice.
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
        """By the names that they have where tensors are checked."""
        return {"num_inputs": self.num_inputs, "num_rows": self.num_rows, "width": self.width}

    @property
    def fan_in(self) -> int:
        """The most inputs that a neuron has."""
        return int(numpy.bincount(self.places).max())


def all_to_all(num_inputs: int, num_neurons: int) -> Connection:
    """Every input reaches every neuron, by a weight of its own: one place, a row for each input."""
    rows = numpy.arange(num_inputs)
    return _connection(rows, rows, numpy.zeros_like(rows), (num_inputs, num_inputs, 1, num_neurons))


def convolution(shape: Tuple[int, int, int], num_channels: int, size: int) -> Connection:
    """
    Windows of `size` times `size` inputs, at every place where they fit. The inputs have `shape`
    (height, width, channels), in this order; a row of the weights for each input of a window,
    ordered likewise.
    """
    height, width, channels = shape
    high, wide = height - size + 1, width - size + 1
    # the upper left corner of the window, then the place within the window
    grid = numpy.meshgrid(*map(numpy.arange, (high, wide, size, size, channels)), indexing="ij")
    y, x, down, right, channel = (axis.reshape(-1) for axis in grid)
    inputs = ((y + down) * width + x + right) * channels + channel
    rows = (down * size + right) * channels + channel
    sizes = height * width * channels, size * size * channels, high * wide, num_channels
    return _connection(inputs, rows, y * wide + x, sizes)


def pooling(shape: Tuple[int, int, int], size: int) -> Connection:
    """
    Tiles of `size` times `size` inputs, those of each channel by themselves, with one weight for
    all. At the lower and right border tiles may be cut off.
    """
    height, width, channels = shape
    wide, high = -(-width // size), -(-height // size)
    grid = numpy.meshgrid(*map(numpy.arange, shape), indexing="ij")
    y, x, channel = (axis.reshape(-1) for axis in grid)
    places = ((y // size) * wide + x // size) * channels + channel
    inputs = numpy.arange(height * width * channels)
    sizes = len(inputs), 1, high * wide * channels, 1
    return _connection(inputs, numpy.zeros_like(inputs), places, sizes)


def _connection(
    inputs: numpy.ndarray, rows: numpy.ndarray, places: numpy.ndarray, sizes: Sequence[int]
) -> Connection:
    num_inputs, num_rows, num_places, width = sizes
    order = numpy.argsort(inputs, kind="stable")
    offsets = numpy.concatenate([[0], numpy.bincount(inputs, minlength=num_inputs).cumsum()])
    return Connection(offsets, rows[order], places[order], num_rows, num_places, width)


def as_matrix(connection: Connection, weight: Tensor) -> Tensor:
    """
    All weights with the zeros between them, shape `(num_inputs, num_neurons)`; differentiable in
    `weight`.
    """
    _WEIGHT.check(weight, num_rows=connection.num_rows, width=connection.width)
    inputs = numpy.repeat(numpy.arange(connection.num_inputs), numpy.diff(connection.offsets))
    inputs, places, rows = (
        torch.from_numpy(index).to(weight.device)
        for index in (inputs, connection.places, connection.rows)
    )
    matrix = weight.new_zeros(connection.num_inputs, connection.num_places, connection.width)
    return matrix.index_put((inputs, places), weight[rows]).flatten(1)
