import numpy
import pytest

from spigot_allennlp.nn.arborescence.sums import (
    count_stages,
    log_partition_and_marginals,
    marginals_jvp,
)


def run(weights, single_root, lengths=None):
    """Returns the totals and the marginals of arcs with these weights."""
    batch_size, size, _ = weights.shape
    lengths = numpy.full(batch_size, size - 1) if lengths is None else numpy.array(lengths)
    totals, marginals = numpy.zeros(batch_size), numpy.zeros(weights.shape)
    members = numpy.argsort(-lengths, kind="stable")
    with numpy.errstate(divide="ignore"):
        scores = numpy.log(weights)
    log_partition_and_marginals(
        members, lengths, scores, weights > 0, single_root, totals, marginals
    )
    return numpy.exp(totals), marginals


@pytest.fixture
def two_tokens():
    """Returns weights; of 1: the root 1/4, token 2 3/4; of 2: the root 2/7, token 1 5/7."""
    return numpy.array([[[0, 0, 0], [1 / 4, 0, 3 / 4], [2 / 7, 5 / 7, 0]]])


def test_two_tokens_worked_by_hand(two_tokens):
    totals, marginals = run(two_tokens, single_root=False)
    numpy.testing.assert_allclose(totals, 13 / 28)
    numpy.testing.assert_allclose(marginals[0, 1], [7 / 13, 0, 6 / 13])
    numpy.testing.assert_allclose(marginals[0, 2], [8 / 13, 5 / 13, 0])
    totals, marginals = run(two_tokens, single_root=True)
    numpy.testing.assert_allclose(totals, 11 / 28)
    numpy.testing.assert_allclose(marginals[0, 1], [5 / 11, 0, 6 / 11])
    assert not numpy.isnan(totals).any()


def test_padding_and_an_empty_sentence(two_tokens):
    weights = numpy.zeros((3, 5, 5))
    weights[1, :3, :3] = two_tokens
    weights[0, 1, 0] = 1
    totals, marginals = run(weights, single_root=True, lengths=[1, 2, 0])
    numpy.testing.assert_allclose(totals, [1, 11 / 28, 1])
    assert marginals[0].sum() == marginals[0, 1, 0] == 1 and not marginals[2].any()
    assert not numpy.isnan(totals).any()


@pytest.mark.parametrize("single_root", [False, True])
def test_a_total_near_the_least_of_all_numbers_is_nan(two_tokens, single_root):
    weights = two_tokens.repeat(3, axis=0)
    weights[1, 1:, 0] = 1e-200
    weights[2] = 0
    totals, _ = run(weights, single_root)
    assert numpy.isnan(totals).tolist() == [False, True, True]


@pytest.mark.parametrize("single_root", [False, True])
def test_the_jvp_agrees_with_differences(two_tokens, single_root):
    direction, step = numpy.arange(9.0).reshape(1, 3, 3) ** 2, 1e-6
    result, totals = numpy.zeros((1, 3, 3)), numpy.zeros(1)
    members, lengths, mask = numpy.arange(1), numpy.full(1, 2), two_tokens > 0
    with numpy.errstate(divide="ignore"):
        scores = numpy.log(two_tokens)
    marginals_jvp(members, lengths, scores, mask, direction, single_root, totals, result)
    ahead = run(two_tokens * numpy.exp(step * direction), single_root)[1]
    back = run(two_tokens * numpy.exp(-step * direction), single_root)[1]
    numpy.testing.assert_allclose(result, (ahead - back) / (2 * step), atol=1e-7)


def test_so_many_stages_leave_one_token():
    assert [count_stages(num_tokens) for num_tokens in (1, 2, 3, 4, 5, 8, 9)] == [
        1,
        2,
        3,
        3,
        4,
        4,
        5,
    ]
