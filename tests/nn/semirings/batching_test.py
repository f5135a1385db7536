from pathlib import Path

import numpy
import pytest
import torch

from spigot_allennlp.nn.chain import cpu as chain_cpu
from spigot_allennlp.nn.chain import kernels as chain_kernels
from spigot_allennlp.nn.chain import sums as chain_sums
from spigot_allennlp.nn.eisner import cpu as eisner_cpu
from spigot_allennlp.nn.eisner import kernels as eisner_kernels
from spigot_allennlp.nn.eisner import sums as eisner_sums
from spigot_allennlp.nn.semirings.batching import call_in_groups, lengths_and_order
from tests.nn.random_batches import random_batch


@pytest.fixture
def calls():
    return []


def batch_of(lengths):
    mask = torch.arange(6) <= torch.tensor(lengths).unsqueeze(1)
    mask[:, 0] = False
    mask = mask.unsqueeze(2).expand(-1, -1, 3)
    return torch.zeros(mask.shape), mask


def note(calls):
    return lambda group, lengths, *arrays: calls.append((group.tolist(), lengths.tolist(), arrays))


def test_groups_go_from_the_longest_to_the_shortest(calls):
    call_in_groups(note(calls), 2, lambda length: 1, *batch_of([1, 5, 0, 3, 5]), 7)
    assert [group for group, _, _ in calls] == [[1, 4], [3, 0], [2]]
    assert all(lengths == [1, 5, 0, 3, 5] for _, lengths, _ in calls)


def test_tensors_become_arrays_and_numbers_stay(calls):
    scores, mask = batch_of([2])
    call_in_groups(note(calls), 8, lambda length: 1, scores, mask, 1, scores + 1)
    ((_, _, (scores_array, mask_array, number, shifted)),) = calls
    assert isinstance(scores_array, numpy.ndarray) and mask_array.flags.c_contiguous and number == 1
    assert shifted.sum() == scores.numel()


def test_only_the_members_asked_for_are_worked_on(calls):
    arguments = batch_of([1, 5, 0, 3, 5])
    call_in_groups(note(calls), 8, lambda length: 1, *arguments, members=torch.tensor([0, 3]))
    assert [group for group, _, _ in calls] == [[3, 0]]


def test_an_empty_batch_calls_nothing(calls):
    scores, mask = batch_of([1])
    call_in_groups(note(calls), 8, lambda length: 1, scores[:0], mask[:0])
    assert calls == []


def test_a_length_is_the_last_position_with_a_legal_part():
    mask = numpy.zeros((3, 4, 2), dtype=bool)
    mask[0, 2, 1] = mask[1, 0, 0] = True
    lengths, order = lengths_and_order(mask)
    assert lengths.tolist() == [2, 0, 0] and order.tolist() == [0, 1, 2]


def test_all_that_is_compiled_is_kept_on_disk():
    # scaled up, these scores need extended numbers
    scores, mask, _ = random_batch(0, 4, 5)
    for scale in (1, 1e4):
        trees = eisner_cpu.ProjectiveTreeInference(True)
        trees.log_partition_and_marginals(scale * scores, mask)
        trees.marginals_jvp(scale * scores, mask, scores)
    eisner_cpu.best_tree(scores, mask, True)
    eisner_cpu.sample_tree(scores, mask, True)
    scores, mask = (parts.unsqueeze(-1).expand(4, 5, 5, 5) for parts in (scores, mask))
    chain_cpu.ChainInference().log_partition_and_marginals(scores, mask)
    chain_cpu.ChainInference().marginals_jvp(scores, mask, scores)
    chain_cpu.best_sequence(scores, mask)
    chain_cpu.sample_sequence(scores, mask)
    for module in (eisner_kernels, eisner_sums, chain_kernels, chain_sums):
        for entry in vars(module).values():
            if getattr(entry, "__module__", "") == module.__name__ and hasattr(entry, "stats"):
                if entry.stats.cache_path is not None:
                    kept = Path(entry.stats.cache_path).glob(f"*.{entry.__name__}.*.nbc")
                    assert list(kept), entry.__name__
