import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.arborescence import cpu, sums
from spigot_allennlp.nn.arborescence.cpu import ArborescenceInference
from spigot_allennlp.nn.arborescence.torch_fallback import LogarithmicInference
from tests.nn.random_batches import random_batch, whole_sentences


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


@pytest.fixture
def handed_over(monkeypatch):
    """Returns a list of the numbers of sentences that were left to logarithms."""
    numbers = []
    original = LogarithmicInference.log_partition_and_marginals

    def counted(self, scores, mask):
        numbers.append(len(scores))
        return original(self, scores, mask)

    monkeypatch.setattr(LogarithmicInference, "log_partition_and_marginals", counted)
    return numbers


@pytest.fixture
def extended(monkeypatch):
    """Returns a list of the numbers of sentences that were summed with extended numbers."""
    numbers = []
    original = sums.extended_log_partition_and_marginals

    def counted(members, *arguments):
        numbers.append(len(members))
        return original(members, *arguments)

    monkeypatch.setattr(sums, "extended_log_partition_and_marginals", counted)
    return numbers


def check_agreement(scores, mask, direction, single_root):
    ours, theirs = (
        (
            *inference.log_partition_and_marginals(scores, mask),
            inference.marginals_jvp(scores, mask, direction),
        )
        for inference in (
            ArborescenceInference(single_root),
            LogarithmicInference(single_root),
        )
    )
    for actual, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
    alone = cpu.log_partition(scores, mask, single_root)
    torch.testing.assert_close(alone, theirs[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch_size", [1, 7, 8, 9, 17])
def test_kernels_and_torch_agree_whatever_the_number_of_lanes_in_use(batch_size, single_root):
    check_agreement(*random_batch(batch_size, batch_size, 12), single_root)


@pytest.mark.parametrize("scale", [0.1, 10.0, 30.0, 1e3, 1e4])
def test_kernels_and_torch_agree_at_every_scale(scale, single_root):
    check_agreement(*random_batch(1, 10, 14, scale), single_root)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 5),
    length=st.integers(1, 8),
    scale=st.sampled_from([0.0, 1.0, 1e3]),
    kept=st.sampled_from([1.0, 0.7, 0.3, 0.0]),
    single_root=st.booleans(),
)
def test_kernels_and_torch_agree_on_odd_batches(seed, batch_size, length, scale, kept, single_root):
    check_agreement(*random_batch(seed, batch_size, length, scale, kept), single_root)


@pytest.mark.parametrize("length", [33, 48, 60])
def test_long_sentences_agree(length, single_root):
    check_agreement(*random_batch(length, 2, length), single_root)


@pytest.mark.parametrize("scale", [1.0, 1e3])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lower_precision_gives_the_same_rounded(dtype, scale, single_root):
    scores, mask, direction = random_batch(3, 4, 9, scale)
    scores, direction = scores.to(dtype), direction.to(dtype)
    inference = ArborescenceInference(single_root)
    total, marginals = inference.log_partition_and_marginals(scores, mask)
    exact_total, exact = inference.log_partition_and_marginals(scores.double(), mask)
    torch.testing.assert_close(total, exact_total, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(marginals, exact.to(dtype))
    result = inference.marginals_jvp(scores, mask, direction)
    exact_result = inference.marginals_jvp(scores.double(), mask, direction.double())
    torch.testing.assert_close(result, exact_result.to(dtype))


def test_what_is_too_small_for_linear_space_is_left_to_extended_numbers(extended, handed_over):
    scores, mask = torch.randn(6, 30, 30).double(), whole_sentences(6, 29)
    ArborescenceInference(True).log_partition_and_marginals(scores, mask)
    assert extended == handed_over == []
    scores[2] *= 1000
    ArborescenceInference(True).log_partition_and_marginals(scores, mask)
    assert extended == [1] and handed_over == []


def test_a_pivot_of_zero_is_left_to_logarithms(extended, handed_over):
    scores, mask = torch.zeros(3, 4, 4).double(), whole_sentences(3, 3)
    # the only head of the last token is the root, so that this is the head of no other
    scores[1, 3, 1:] = -torch.inf
    totals, marginals = ArborescenceInference(True).log_partition_and_marginals(scores, mask)
    assert extended == handed_over == [1]
    # above the other two stand the last token and one another: three trees
    torch.testing.assert_close(totals[1].exp(), torch.tensor(3.0).double())
    torch.testing.assert_close(marginals[1, 1], torch.tensor([0, 0, 1, 2]).double() / 3)


def test_a_confident_parser_needs_plain_numbers_alone(extended, handed_over, single_root):
    # each token prefers one head, and the first the root, by 20 nats
    scores = torch.randn(4, 30, 30).double()
    scores[:, torch.arange(1, 30), torch.arange(29)] += 20
    ArborescenceInference(single_root).log_partition_and_marginals(scores, whole_sentences(4, 29))
    assert extended == handed_over == []


def test_an_arc_from_beyond_the_last_token_counts_for_nothing(single_root):
    scores, mask = torch.randn(1, 5, 5).double(), whole_sentences(1, 4)
    mask[:, 3:] = False
    shorter = mask.clone()
    shorter[:, :, 3:] = False
    for inference in (
        ArborescenceInference(single_root),
        LogarithmicInference(single_root),
    ):
        for actual, expected in zip(
            inference.log_partition_and_marginals(scores, mask),
            inference.log_partition_and_marginals(scores, shorter),
            strict=True,
        ):
            torch.testing.assert_close(actual, expected)


def test_what_a_direction_holds_for_illegal_arcs_does_not_matter(single_root):
    scores, mask, direction = random_batch(8, 3, 9)
    dirty = direction.masked_fill(~mask, torch.nan)
    for inference in (
        ArborescenceInference(single_root),
        LogarithmicInference(single_root),
    ):
        expected = inference.marginals_jvp(scores, mask, direction)
        assert torch.equal(inference.marginals_jvp(scores, mask, dirty), expected)


def test_threads_do_not_change_the_result():
    scores, mask, direction = random_batch(5, 64, 40)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            torch.manual_seed(0)
            inference = ArborescenceInference(True)
            results.append(
                [
                    cpu.best_tree(scores, mask, True),
                    cpu.sample_tree(scores, mask, False),
                    *inference.log_partition_and_marginals(scores, mask),
                    inference.marginals_jvp(scores, mask, direction),
                ]
            )
    finally:
        torch.set_num_threads(before)
    for serial, parallel in zip(*results, strict=True):
        torch.testing.assert_close(serial, parallel, rtol=1e-12, atol=1e-12)


def test_scores_that_are_not_numbers_give_no_tree_rather_than_a_crash(single_root):
    scores, mask, direction = random_batch(6, 9, 8)
    scores[3:6], mask[3:6] = torch.nan, whole_sentences(3, 7)
    assert not cpu.best_tree(scores, mask, single_root)[3:6].any()
    assert not cpu.sample_tree(scores, mask, single_root)[3:6].any()
    total, _ = ArborescenceInference(single_root).log_partition_and_marginals(scores, mask)
    assert total[:3].isfinite().all() and total[6:].isfinite().all()
    derivative = ArborescenceInference(single_root).marginals_jvp(scores, mask, direction)
    assert derivative[:3].isfinite().all() and derivative[6:].isfinite().all()


def test_infinite_scores_leave_the_other_sentences_alone(single_root):
    scores, mask, direction = random_batch(7, 9, 8)
    scores[3:6], mask[3:6] = torch.inf, whole_sentences(3, 7)
    inference = ArborescenceInference(single_root)
    for result in (
        cpu.best_tree(scores, mask, single_root),
        cpu.sample_tree(scores, mask, single_root),
        *inference.log_partition_and_marginals(scores, mask),
        inference.marginals_jvp(scores, mask, direction),
    ):
        assert result[:3].isfinite().all() and result[6:].isfinite().all()
