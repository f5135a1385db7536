import numpy
import pytest
import torch

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.randomness import add_up, pick, seeds, uniform


@kernel
def fill(numbers, seed):
    for index in range(len(numbers)):
        numbers[index] = uniform(seed)


@kernel
def fill_with_picks(indices, weights, seed):
    for index in range(len(indices)):
        indices[index] = pick(weights, seed)


def a_seed(value):
    return numpy.array([value], dtype=numpy.uint64)


def test_bits_are_those_of_the_published_generator():
    # the first outputs of SplitMix64 for the seed 1234567, shortened to 52 bits
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    numbers = numpy.zeros(3)
    fill(numbers, a_seed(1234567))
    assert numbers.tolist() == [(number >> 12) * 2.0**-52 for number in published]


def test_numbers_are_uniform():
    numbers = numpy.zeros(100_000)
    fill(numbers, a_seed(1))
    assert numbers.min() >= 0 and numbers.max() < 1
    counts, _ = numpy.histogram(numbers, bins=20, range=(0, 1))
    assert numpy.abs(counts - 5000).max() < 5 * 5000**0.5


def test_indices_are_picked_in_proportion_to_their_weights():
    weights = numpy.array([0.0, 1.0, 0.0, 3.0, 4.0, 0.0])
    expected = weights / weights.sum()
    add_up(weights)
    indices = numpy.zeros(40_000, dtype=numpy.int64)
    fill_with_picks(indices, weights, a_seed(2))
    frequencies = numpy.bincount(indices, minlength=6) / len(indices)
    assert numpy.abs(frequencies - expected).max() < 0.0125
    assert (frequencies[expected == 0] == 0).all()


@pytest.mark.parametrize("total", [1.0, 1.9999999, 1e-300, 1e308])
def test_the_last_index_without_weight_is_never_picked(total):
    weights = numpy.array([total, total])
    indices = numpy.zeros(1000, dtype=numpy.int64)
    fill_with_picks(indices, weights, a_seed(3))
    assert not indices.any()


@pytest.mark.parametrize("weight", [0.0, numpy.nan])
def test_without_weights_nothing_is_picked(weight):
    assert pick(numpy.full(3, weight), a_seed(4)) == -1


def test_seeds_are_drawn_by_torch():
    torch.manual_seed(5)
    first = seeds(4)
    assert len(set(first.tolist())) == 4
    torch.manual_seed(5)
    assert torch.equal(seeds(4), first)
