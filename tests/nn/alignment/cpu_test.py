import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn import recurrence
from spigot_allennlp.nn.alignment import cpu
from spigot_allennlp.nn.alignment.cpu import AlignmentInference
from spigot_allennlp.nn.alignment.torch_fallback import alignment_recurrence
from tests.nn.kernel_agreement import check_agreement


def random_batch(seed, batch_size, num_rows, num_columns, scale=1.0, kept=1.0):
    """
    Scores, mask and a direction; tables of random sizes, some of them empty, some cells pruned, and
    some scores minus infinity.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, num_rows, num_columns)
    rows, columns = (
        torch.arange(size) < torch.randint(0, size + 1, (batch_size, 1), generator=generator)
        for size in shape[1:]
    )
    mask = (
        rows.unsqueeze(2) & columns.unsqueeze(1) & (torch.rand(shape, generator=generator) < kept)
    )
    scores, direction = torch.randn(2, *shape, generator=generator, dtype=torch.double)
    lost = torch.rand(shape, generator=generator) < 0.1 * (kept < 1)
    return (scale * scores).masked_fill(lost, -torch.inf), mask, direction


def check(scores, mask, direction):
    over = alignment_recurrence(mask)
    assert torch.equal(cpu.best_alignment(scores, mask), recurrence.best(scores, mask, over))
    check_agreement(AlignmentInference(), over, scores, mask, direction)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 9),
    num_rows=st.integers(1, 6),
    num_columns=st.integers(1, 6),
    scale=st.sampled_from([1.0, 1e2, 1e4]),
    kept=st.sampled_from([1.0, 0.9, 0.6, 0.0]),
)
def test_kernels_and_torch_agree_on_odd_batches(
    seed, batch_size, num_rows, num_columns, scale, kept
):
    check(*random_batch(seed, batch_size, num_rows, num_columns, scale, kept))


def test_long_sequences_agree():
    check(*random_batch(1, 3, 40, 55))


def test_scores_that_are_not_numbers_spoil_no_other_instance():
    scores, mask, _ = random_batch(6, 9, 8, 5)
    mask[:] = True
    scores[3:6] = torch.nan
    assert not cpu.best_alignment(scores, mask)[3:6].any()
    cpu.sample_alignment(scores, mask)
    total, _ = AlignmentInference().log_partition_and_marginals(scores, mask)
    assert total[:3].isfinite().all() and total[6:].isfinite().all()
