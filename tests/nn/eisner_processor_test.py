import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn import eisner_processor, eisner_sweep
from spigot_allennlp.nn.eisner_processor import SumOverTrees
from spigot_allennlp.nn.masking import arc_mask


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def random_batch(seed, batch_size, length, scale=1.0, kept=1.0):
    """
    Scores, arc mask and a direction; sentences of random lengths, some of them empty, some arcs
    pruned.
    """
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, length, (batch_size, 1), generator=generator)
    mask = arc_mask(torch.arange(length) <= lengths)
    mask &= torch.rand(mask.shape, generator=generator) < kept
    scores, direction = torch.randn(2, *mask.shape, generator=generator, dtype=torch.double)
    return scale * scores, mask, direction


def check_agreement(scores, mask, direction, single_root):
    best = eisner_processor.best_tree(scores, mask, single_root)
    assert torch.equal(best, eisner_sweep.best_tree(scores, mask, single_root))
    inference = SumOverTrees(single_root)
    ours = *inference.expectations(scores, mask), inference.derivative(scores, mask, direction)
    theirs = (
        *eisner_sweep.expectations(scores, mask, single_root),
        eisner_sweep.derivative(scores, mask, direction, single_root),
    )
    for found, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch_size", [1, 7, 8, 9, 17])
def test_kernels_and_sweep_agree_whatever_the_number_of_lanes_in_use(batch_size, single_root):
    check_agreement(*random_batch(batch_size, batch_size, 12), single_root)


@pytest.mark.parametrize("scale", [0.1, 10.0, 30.0, 1e3, 1e4])
def test_kernels_and_sweep_agree_at_every_scale(scale, single_root):
    check_agreement(*random_batch(1, 10, 14, scale), single_root)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 5),
    length=st.integers(1, 7),
    scale=st.sampled_from([0.0, 1.0, 1e3]),
    kept=st.sampled_from([1.0, 0.7, 0.3, 0.0]),
    single_root=st.booleans(),
)
def test_kernels_and_sweep_agree_on_odd_batches(seed, batch_size, length, scale, kept, single_root):
    scores, mask, direction = random_batch(seed, batch_size, length, scale, kept)
    if scale == 0:
        scores = scores + 1e-3 * direction  # the best of several best trees is anybody's choice
    check_agreement(scores, mask, direction, single_root)


def test_long_sentences_agree(single_root):
    check_agreement(*random_batch(3, 3, 60), single_root)


def test_what_is_too_small_for_linear_space_is_left_to_the_sweep(monkeypatch):
    swept = []
    original = eisner_sweep.expectations

    def counted(scores, mask, single_root):
        swept.append(len(scores))
        return original(scores, mask, single_root)

    monkeypatch.setattr(eisner_sweep, "expectations", counted)
    scores, mask = torch.randn(6, 30, 30).double(), arc_mask(torch.ones(6, 30, dtype=torch.bool))
    SumOverTrees(True).expectations(scores, mask)
    assert swept == []
    scores[2] *= 1000
    SumOverTrees(True).expectations(scores, mask)
    assert swept == [1]


def test_threads_do_not_change_the_result():
    scores, mask, direction = random_batch(5, 64, 40)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            inference = SumOverTrees(True)
            results.append(
                [
                    eisner_processor.best_tree(scores, mask, True),
                    *inference.expectations(scores, mask),
                    inference.derivative(scores, mask, direction),
                ]
            )
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_scores_that_are_not_numbers_give_no_tree_rather_than_a_crash(single_root):
    scores, mask, _ = random_batch(6, 9, 8)
    scores[3:6] = torch.nan
    best = eisner_processor.best_tree(scores, mask, single_root)
    assert not best[3:6].any()
    total, _ = SumOverTrees(single_root).expectations(scores, mask)
    assert total[:3].isfinite().all() and total[6:].isfinite().all()


def test_no_graph_is_kept_over_the_charts():
    scores, mask, _ = random_batch(7, 4, 10)
    total = eisner_processor.log_partition(scores.requires_grad_(), mask, True)
    parents = [parent for parent, _ in total.grad_fn.next_functions if parent is not None]
    assert [type(parent).__name__ for parent in parents] == ["AccumulateGrad"]
