import numpy
import pytest

from spigot_allennlp.nn.arborescence.kernels import derivatives, expectations, number_of_stages


def run(weights, first, lengths=None):
    batch_size, size, _ = weights.shape
    lengths = numpy.full(batch_size, size - 1) if lengths is None else numpy.array(lengths)
    totals, lost = numpy.zeros(batch_size), numpy.zeros(batch_size, dtype=bool)
    means = numpy.zeros(weights.shape)
    members = numpy.argsort(-lengths, kind="stable")
    expectations(members, lengths, weights, first, totals, lost, means)
    return totals, lost, means


@pytest.fixture
def two_tokens():
    """1: the root 1/4, token 2 3/4; 2: the root 2/7, token 1 5/7."""
    return numpy.array([[[0, 0, 0], [1 / 4, 0, 3 / 4], [2 / 7, 5 / 7, 0]]])


def test_two_tokens_worked_by_hand(two_tokens):
    totals, lost, means = run(two_tokens, first=0)
    numpy.testing.assert_allclose(totals, 13 / 28)
    numpy.testing.assert_allclose(means[0, 1], [7 / 13, 0, 6 / 13])
    numpy.testing.assert_allclose(means[0, 2], [8 / 13, 5 / 13, 0])
    totals, lost, means = run(two_tokens, first=1)
    numpy.testing.assert_allclose(totals, 11 / 28)
    numpy.testing.assert_allclose(means[0, 1], [5 / 11, 0, 6 / 11])
    assert not lost.any()


def test_padding_and_an_empty_sentence(two_tokens):
    weights = numpy.zeros((3, 5, 5))
    weights[1, :3, :3] = two_tokens
    weights[0, 1, 0] = 1
    totals, lost, means = run(weights, first=1, lengths=[1, 2, 0])
    numpy.testing.assert_allclose(totals, [1, 11 / 28, 1])
    assert means[0].sum() == means[0, 1, 0] == 1 and not means[2].any() and not lost.any()


@pytest.mark.parametrize("first", [0, 1])
def test_a_total_near_the_least_of_all_numbers_is_lost(two_tokens, first):
    weights = two_tokens.repeat(3, axis=0)
    weights[1, 1:, 0] = 1e-200
    weights[2] = 0
    _, lost, _ = run(weights, first)
    assert lost.tolist() == [False, True, True]


@pytest.mark.parametrize("first", [0, 1])
def test_derivatives_agree_with_differences(two_tokens, first):
    direction, step = numpy.arange(9.0).reshape(1, 3, 3) ** 2, 1e-6
    result, totals = numpy.zeros((1, 3, 3)), numpy.zeros(1)
    members, lengths, lost = numpy.arange(1), numpy.full(1, 2), numpy.zeros(1, dtype=bool)
    derivatives(members, lengths, two_tokens, direction, first, totals, lost, result)
    ahead = run(two_tokens * numpy.exp(step * direction), first)[2]
    back = run(two_tokens * numpy.exp(-step * direction), first)[2]
    numpy.testing.assert_allclose(result, (ahead - back) / (2 * step), atol=1e-7)


def test_so_many_stages_leave_one_token():
    assert [number_of_stages(size) for size in (2, 3, 4, 5, 6, 9, 10)] == [1, 2, 3, 3, 4, 4, 5]
