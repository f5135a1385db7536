import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn import recurrence
from spigot_allennlp.nn.chain import cpu
from spigot_allennlp.nn.chain.cpu import ChainInference
from spigot_allennlp.nn.chain.torch_fallback import chain_recurrence
from spigot_allennlp.structures.chain import Chain
from tests.nn.kernel_agreement import check_agreement


def random_batch(seed, batch_size, length, num_tags, scale=1.0, kept=1.0):
    """
    Scores, mask and a direction; sentences of random lengths, some of them empty, some parts
    pruned, and some scores minus infinity.
    """
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, length, (batch_size, 1), generator=generator)
    shape = torch.Size([batch_size, length, num_tags, num_tags])
    mask = Chain().part_mask(torch.arange(length) <= lengths, shape)
    mask = mask & (torch.rand(shape, generator=generator) < kept)
    scores, direction = torch.randn(2, *shape, generator=generator, dtype=torch.double)
    lost = torch.rand(shape, generator=generator) < 0.1 * (kept < 1)
    return (scale * scores).masked_fill(lost, -torch.inf), mask, direction


def check(scores, mask, direction):
    sequences = chain_recurrence(mask)
    best = cpu.best_sequence(scores, mask)
    assert torch.equal(best, recurrence.best(scores, mask, sequences))
    check_agreement(ChainInference(), sequences, scores, mask, direction)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    batch_size=st.integers(0, 9),
    length=st.integers(1, 7),
    num_tags=st.integers(1, 4),
    scale=st.sampled_from([0.0, 1.0, 1e2, 1e4]),
    kept=st.sampled_from([1.0, 0.9, 0.6, 0.0]),
)
def test_kernels_and_torch_agree_on_odd_batches(seed, batch_size, length, num_tags, scale, kept):
    scores, mask, direction = random_batch(seed, batch_size, length, num_tags, scale, kept)
    if scale == 0:
        scores = scores + 1e-3 * direction  # the best of several best ones is anybody's choice
    check(scores, mask, direction)


def test_long_sentences_and_many_tags_agree():
    check(*random_batch(1, 3, 150, 3))
    check(*random_batch(2, 10, 12, 20, scale=30.0))


def test_what_is_far_less_probable_here_may_be_all_that_is_possible_there():
    # tag 1 is by e^2000 less probable than tag 0 at every token, but must come last
    scores = torch.zeros(1, 6, 2, 2, dtype=torch.double)
    scores[:, :, 1] = -2000
    for impossible in (scores[:, 2:, 0, 1], scores[:, 2:, 1, 0], scores[:, 5, 0]):
        impossible.fill_(-torch.inf)
    mask = Chain().part_mask(torch.ones(1, 6, dtype=torch.bool), scores.shape)
    total, marginals = ChainInference().log_partition_and_marginals(scores, mask)
    torch.testing.assert_close(total.item(), -10000.0)
    torch.testing.assert_close(marginals[0].sum(dim=-1)[1:, 1], torch.ones(5, dtype=torch.double))
    assert cpu.sample_sequence(scores, mask).sum(dim=-1)[0, 1:].tolist() == [[0, 1]] * 5


def test_samples_repeat_with_the_generator_of_torch():
    scores, mask, _ = random_batch(2, 20, 9, 3)
    torch.manual_seed(1)
    first = cpu.sample_sequence(scores, mask)
    second = cpu.sample_sequence(scores, mask)
    torch.manual_seed(1)
    assert torch.equal(cpu.sample_sequence(scores, mask), first)
    assert not torch.equal(second, first)


def test_scores_that_are_not_numbers_spoil_no_other_sentence():
    scores, mask, _ = random_batch(6, 9, 8, 3)
    scores[3:6] = torch.nan
    assert not cpu.best_sequence(scores, mask)[3:6].any()
    cpu.sample_sequence(scores, mask)
    total, _ = ChainInference().log_partition_and_marginals(scores, mask)
    assert total[:3].isfinite().all() and total[6:].isfinite().all()
