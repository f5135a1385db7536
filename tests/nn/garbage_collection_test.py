import gc

import pytest

from spigot_allennlp.nn.garbage_collection import paused_garbage_collection


def test_the_collector_pauses_and_goes_on():
    assert gc.isenabled()
    with paused_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error():
    with pytest.raises(ValueError):
        with paused_garbage_collection():
            raise ValueError("on purpose")
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off():
    with paused_garbage_collection():
        with paused_garbage_collection():
            pass
        assert not gc.isenabled()
