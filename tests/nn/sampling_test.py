import numpy
import pytest

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.sampling import (
    best_index,
    cumsum,
    sample_index,
    sample_index_by_score,
    uniform,
)
from tests.nn.randomness_test import PUBLISHED


def test_the_first_of_the_best_is_chosen_among_those_that_count():
    assert best_index(numpy.array([1.0, 3.0, 3.0, 9.0]), 3) == 1


@pytest.mark.parametrize("scores", [[], [-numpy.inf], [-numpy.inf, numpy.nan]])
def test_where_nothing_is_possible_nothing_is_chosen(scores):
    scores = numpy.array(scores)
    assert best_index(scores, len(scores)) == -1
    assert sample_index_by_score(scores, len(scores), 0.5) == -1


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_options_share_the_way_from_zero_to_one(shift):
    scores = numpy.log([0.1, 0.6, 0.3]) + shift
    chosen = [
        sample_index_by_score(scores, 3, uniform)
        for uniform in (0.0, 0.09, 0.11, 0.69, 0.71, 1 - 1e-16)
    ]
    assert chosen == [0, 0, 1, 1, 2, 2]


def test_what_is_impossible_is_never_sampled():
    scores = numpy.array([-numpy.inf, 0.0, -numpy.inf, 0.0, -numpy.inf])
    assert [sample_index_by_score(scores, 5, uniform) for uniform in (0.0, 0.49, 0.51, 1.0)] == [
        1,
        1,
        3,
        3,
    ]


@kernel
def fill(numbers, seed):
    for index in range(len(numbers)):
        numbers[index] = uniform(seed)


@kernel
def fill_with_indices(indices, weights, seed):
    for index in range(len(indices)):
        indices[index] = sample_index(weights, seed)


def a_seed(value):
    return numpy.array([value], dtype=numpy.uint64)


def test_uniforms_are_those_of_the_published_generator():
    numbers = numpy.zeros(3)
    fill(numbers, a_seed(1234567))
    assert numbers.tolist() == [(number >> 12) * 2.0**-52 for number in PUBLISHED]


def test_numbers_are_uniform():
    numbers = numpy.zeros(100_000)
    fill(numbers, a_seed(1))
    assert numbers.min() >= 0 and numbers.max() < 1
    counts, _ = numpy.histogram(numbers, bins=20, range=(0, 1))
    assert numpy.abs(counts - 5000).max() < 5 * 5000**0.5


def test_indices_are_sampled_in_proportion_to_their_weights():
    weights = numpy.array([0.0, 1.0, 0.0, 3.0, 4.0, 0.0])
    expected = weights / weights.sum()
    cumsum(weights)
    indices = numpy.zeros(40_000, dtype=numpy.int64)
    fill_with_indices(indices, weights, a_seed(2))
    frequencies = numpy.bincount(indices, minlength=6) / len(indices)
    assert numpy.abs(frequencies - expected).max() < 0.0125
    assert (frequencies[expected == 0] == 0).all()


@pytest.mark.parametrize("total", [1.0, 1.9999999, 1e-300, 1e308])
def test_the_last_index_without_weight_is_never_sampled(total):
    weights = numpy.array([total, total])
    indices = numpy.zeros(1000, dtype=numpy.int64)
    fill_with_indices(indices, weights, a_seed(3))
    assert not indices.any()


@pytest.mark.parametrize("weight", [0.0, numpy.nan])
def test_without_weights_nothing_is_sampled(weight):
    assert sample_index(numpy.full(3, weight), a_seed(4)) == -1
