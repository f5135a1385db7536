import random

import numpy
import pytest
import torch

from spigot_allennlp.callbacks.seeded_data_loader import SeededDataLoader


class ShufflingLoader:
    """Six batches in random order; the last attribute is for the loader to have one."""

    batch_size = 7

    def __len__(self):
        return 6

    def __iter__(self):
        batches = list(range(6))
        random.shuffle(batches)
        yield from batches


def draws():
    return random.random(), numpy.random.rand(), torch.rand(1).item()


def epoch_of(number=0, seed=1, stage="train", computes=True):
    """The batches of an epoch, each with what a model draws that computes it."""
    loader = SeededDataLoader(ShufflingLoader(), seed, stage, lambda: number)
    return [(batch, draws() if computes else None) for batch in loader]


def test_an_epoch_is_repeated_whatever_was_drawn_before():
    first = epoch_of()
    draws()
    assert epoch_of() == first


@pytest.mark.parametrize("other", [{"number": 1}, {"seed": 2}, {"stage": "validation"}])
def test_another_epoch_seed_or_stage_has_another_order_and_other_draws(other):
    order, drawn = zip(*epoch_of(), strict=True)
    other_order, other_drawn = zip(*epoch_of(**other), strict=True)
    assert order != other_order and sorted(order) == sorted(other_order)
    assert not {draw for draws in drawn for draw in draws} & {d for ds in other_drawn for d in ds}


def test_each_batch_draws_other_numbers():
    drawn = [draw for _, draws in epoch_of() for draw in draws]
    assert len(set(drawn)) == len(drawn)


def test_a_batch_draws_the_same_if_those_before_it_were_only_fetched():
    loader = SeededDataLoader(ShufflingLoader(), 1, "train", lambda: 0)
    rest = [(batch, draws()) for position, batch in enumerate(loader) if position >= 4]
    assert rest == epoch_of()[4:]


def test_everything_else_is_that_of_the_loader():
    loader = SeededDataLoader(ShufflingLoader(), 1, "train", lambda: 0)
    assert len(loader) == 6 and loader.batch_size == 7
    with pytest.raises(AttributeError, match="no_such"):
        loader.no_such  # noqa: B018
