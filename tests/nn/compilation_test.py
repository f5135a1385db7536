import logging

import numba
import pytest
from numba.core.caching import CacheImpl

from spigot_allennlp.nn import compilation, kernel_cache
from tests.nn.functions_in_files import function_in_file


@pytest.fixture
def double(tmp_path):
    return function_in_file(tmp_path / "doubling.py", "double", "2 * number")


def test_where_nothing_can_be_kept_an_entry_works_all_the_same(double, monkeypatch, caplog):
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    monkeypatch.setattr(kernel_cache.WARNING, "was_logged", False)
    with caplog.at_level(logging.WARNING):
        assert compilation.entry(double)(4) == 8
        assert compilation.entry(double)(5) == 10
    assert caplog.text.count("double will be compiled in every process") == 1


def test_compilation_is_announced_once(double, monkeypatch, caplog):
    monkeypatch.setattr(compilation.ANNOUNCEMENT, "announced", False)
    double.__module__ = "spigot_allennlp.nn.doubling"
    compiled = compilation.kernel(double)
    with caplog.at_level(logging.WARNING):
        assert compiled(4) == 8 and compiled(4.0) == 8.0
    assert caplog.text.count("Compiling") == 1


def test_the_compilation_of_other_peoples_functions_is_not_announced(double, monkeypatch, caplog):
    monkeypatch.setattr(compilation.ANNOUNCEMENT, "announced", False)
    with caplog.at_level(logging.WARNING):
        numba.njit(double)(4)
    assert "Compiling" not in caplog.text
