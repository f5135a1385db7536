import numpy
import pytest

from spigot_allennlp.nn.sampling import best_index, sample_index_by_score


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


def test_what_is_impossible_is_never_drawn():
    scores = numpy.array([-numpy.inf, 0.0, -numpy.inf, 0.0, -numpy.inf])
    assert [sample_index_by_score(scores, 5, uniform) for uniform in (0.0, 0.49, 0.51, 1.0)] == [
        1,
        1,
        3,
        3,
    ]
