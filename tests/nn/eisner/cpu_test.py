import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn import recurrence
from spigot_allennlp.nn.closed_form_autograd import log_partition_and_marginals
from spigot_allennlp.nn.eisner import cpu, sums
from spigot_allennlp.nn.eisner.cpu import ProjectiveTreeInference
from spigot_allennlp.nn.eisner.torch_fallback import span_recurrence
from tests.nn.kernel_agreement import check_agreement
from tests.nn.random_batches import random_batch, whole_sentences


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def check(scores, mask, direction, single_root):
    best = cpu.best_tree(scores, mask, single_root)
    trees = span_recurrence(mask, single_root)
    assert torch.equal(best, recurrence.best(scores, mask, trees))
    check_agreement(ProjectiveTreeInference(single_root), trees, scores, mask, direction)


@pytest.mark.parametrize("batch_size", [1, 7, 8, 9, 17])
def test_kernels_and_torch_agree_whatever_the_number_of_lanes_in_use(batch_size, single_root):
    check(*random_batch(batch_size, batch_size, 12), single_root)


@pytest.mark.parametrize("scale", [0.1, 10.0, 30.0, 1e3, 1e4])
def test_kernels_and_torch_agree_at_every_scale(scale, single_root):
    check(*random_batch(1, 10, 14, scale), single_root)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 5),
    length=st.integers(1, 7),
    scale=st.sampled_from([0.0, 1.0, 1e3]),
    kept=st.sampled_from([1.0, 0.7, 0.3, 0.0]),
    single_root=st.booleans(),
)
def test_kernels_and_torch_agree_on_odd_batches(seed, batch_size, length, scale, kept, single_root):
    scores, mask, direction = random_batch(seed, batch_size, length, scale, kept)
    if scale == 0:
        scores = scores + 1e-3 * direction  # the best of several best trees is anybody's choice
    check(scores, mask, direction, single_root)


def test_long_sentences_agree(single_root):
    check(*random_batch(3, 3, 60), single_root)


def test_extended_numbers_are_left_to_the_sentences_that_need_them(monkeypatch):
    extended = []
    original = sums.extended_log_partition_and_marginals

    def noted(members, *arguments):
        extended.extend(members.tolist())
        original(members, *arguments)

    monkeypatch.setattr(sums, "extended_log_partition_and_marginals", noted)
    scores, mask = torch.randn(6, 30, 30).double(), whole_sentences(6, 29)
    ProjectiveTreeInference(True).log_partition_and_marginals(scores, mask)
    assert extended == []
    scores[2] *= 1000
    ProjectiveTreeInference(True).log_partition_and_marginals(scores, mask)
    assert extended == [2]


def test_where_plain_numbers_fail_extended_ones_agree_with_torch(single_root):
    # Ten pairs of tokens, each of which would head the other: every tree gives up ten best heads.
    torch.manual_seed(8)
    mask = whole_sentences(4, 20)
    scores, direction = 3 * torch.randn(4, 21, 21, dtype=torch.double), torch.randn(4, 21, 21)
    odd, even = torch.arange(1, 21, 2), torch.arange(2, 21, 2)
    preference = torch.tensor([1.0, 60.0, 1e3, 1e4]).reshape(4, 1)
    scores[:, odd, even] += preference
    scores[:, even, odd] += preference
    plain = torch.empty(4, dtype=torch.double)
    arrays = [tensor.numpy() for tensor in (scores, mask)]
    lengths = torch.full((4,), 20).numpy()
    result = torch.empty_like(scores).numpy()
    sums.log_partition_and_marginals(
        torch.arange(4).numpy(), lengths, *arrays, int(single_root), plain.numpy(), result
    )
    assert plain.isnan().tolist() == [False, True, True, True]
    check(scores, mask, direction.double(), single_root)


def test_many_words_without_preference_are_more_trees_than_a_double_counts():
    scores = torch.zeros(1, 251, 251, dtype=torch.double)
    total, marginals = ProjectiveTreeInference(False).log_partition_and_marginals(
        scores, whole_sentences(1, 250)
    )
    # the number of projective trees over n words is C(3n, n) / (2n + 1)
    logs = [torch.tensor(n + 1.0, dtype=torch.double).lgamma() for n in (750, 250, 500)]
    expected = logs[0] - logs[1] - logs[2] - torch.tensor(501.0, dtype=torch.double).log()
    torch.testing.assert_close(total[0], expected)
    torch.testing.assert_close(marginals[0, 1:].sum(-1), torch.ones(250, dtype=torch.double))


def test_samples_where_plain_numbers_fail(single_root):
    # two trees are equally good, and all others by far worse
    scores = torch.full((400, 5, 5), -5e3, dtype=torch.double)
    for dependent, head in ((1, 2), (2, 0), (3, 2), (4, 3), (4, 2)):
        scores[:, dependent, head] = 0 if dependent < 4 else 1e4
    torch.manual_seed(9)
    trees = cpu.sample_tree(scores, whole_sentences(400, 4), single_root)
    assert trees[:, [1, 2, 3], [2, 0, 2]].all()
    assert 160 < trees[:, 4, 3].sum() < 240 and (trees[:, 4, 3] + trees[:, 4, 2] == 1).all()


def test_samples_repeat_with_the_generator_of_torch():
    scores, mask, _ = random_batch(2, 20, 9)
    torch.manual_seed(1)
    first = cpu.sample_tree(scores, mask, True)
    second = cpu.sample_tree(scores, mask, True)
    torch.manual_seed(1)
    assert torch.equal(cpu.sample_tree(scores, mask, True), first)
    assert not torch.equal(second, first)


def test_threads_do_not_change_the_result():
    scores, mask, direction = random_batch(5, 64, 40)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            inference = ProjectiveTreeInference(True)
            results.append(
                [
                    cpu.best_tree(scores, mask, True),
                    *inference.log_partition_and_marginals(scores, mask),
                    inference.marginals_jvp(scores, mask, direction),
                ]
            )
    finally:
        torch.set_num_threads(before)
    for serial, parallel in zip(*results, strict=True):
        torch.testing.assert_close(serial, parallel, rtol=1e-12, atol=1e-12)


def test_scores_that_are_not_numbers_give_no_tree_rather_than_a_crash(single_root):
    scores, mask, _ = random_batch(6, 9, 8)
    scores[3:6] = torch.nan
    assert not cpu.best_tree(scores, mask, single_root)[3:6].any()
    assert not cpu.sample_tree(scores, mask, single_root)[3:6].any()
    total, _ = ProjectiveTreeInference(single_root).log_partition_and_marginals(scores, mask)
    assert total[:3].isfinite().all() and total[6:].isfinite().all()


def test_no_graph_is_kept_over_the_charts():
    scores, mask, _ = random_batch(7, 4, 10)
    scores.requires_grad_()
    total, _ = log_partition_and_marginals(scores, mask, ProjectiveTreeInference(True))
    parents = [parent for parent, _ in total.grad_fn.next_functions if parent is not None]
    assert [type(parent).__name__ for parent in parents] == ["AccumulateGrad"]
