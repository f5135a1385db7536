import threading

import pytest
import torch

from spigot_allennlp.nn.devices import (
    autocast_as_now,
    call_in_threads,
    parts_for_threads,
    without_autocast,
)


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("is_worth_it", [True, False])
def test_every_item_is_worked_on_once(threads, is_worth_it):
    done = []
    call_in_threads(done.append, list(range(20)), is_worth_it)
    assert sorted(done) == list(range(20))


def test_as_many_threads_work_as_torch_has(threads):
    # Each waits for the others, so that fewer would not come to an end.
    meeting = threading.Barrier(threads, timeout=10)
    names = set()

    def work(item):
        meeting.wait()
        names.add(threading.current_thread().name)

    call_in_threads(work, list(range(threads)), is_worth_it=True)
    assert len(names) == threads


def test_what_is_not_worth_it_stays_in_this_thread():
    seen = []
    call_in_threads(
        lambda item: seen.append(threading.current_thread()), [1, 2, 3], is_worth_it=False
    )
    assert seen == [threading.current_thread()] * 3


def test_an_error_is_raised_here(threads):
    def fail(item):
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        call_in_threads(fail, [1, 2, 3], is_worth_it=True)


def test_nothing_to_do():
    call_in_threads(lambda item: None, [], is_worth_it=True)


def test_a_batch_is_divided_among_threads_without_an_empty_part(threads):
    for count in range(2 * threads + 2):
        parts = parts_for_threads(count)
        assert [index for part in parts for index in part] == list(range(count))
        assert all(parts) and len(parts) == min(count, threads)


def test_a_computation_keeps_its_types_under_autocast_or_repeats_them_outside():
    matrix = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = autocast_as_now(matrix.device)
        with without_autocast(matrix.device):
            assert (matrix @ matrix).dtype == torch.float
    with again:
        assert (matrix @ matrix).dtype == torch.bfloat16


@pytest.mark.parametrize("context", [without_autocast, autocast_as_now])
def test_a_device_without_autocast_computes_all_the_same(context):
    matrix = torch.ones(2, 2, device="meta")
    assert not torch.amp.is_autocast_available("meta")
    with context(matrix.device):
        assert (matrix @ matrix).dtype == torch.float
