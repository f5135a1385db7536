import importlib.util
import logging
import os

import numba
import pytest

from spigot_allennlp.nn import compilation

SOURCE = "def double(number):\n    return 2 * number\n"


@pytest.fixture
def double(tmp_path):
    """A function in a file of its own, so that what is compiled of it is kept beside that file."""
    path = tmp_path / "doubling.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("doubling", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.double


def kept(path):
    return list(path.glob("__pycache__/*.nbi"))


def test_an_entry_is_kept_on_disk_and_found_again(double, tmp_path):
    assert compilation.entry(double)(4) == 8
    assert len(kept(tmp_path)) == 1
    again = compilation.entry(double)
    assert again(4) == 8
    assert sum(again.stats.cache_hits.values()) == 1


def test_what_is_older_than_our_sources_is_forgotten(double, tmp_path):
    compilation.entry(double)(4)
    os.utime(kept(tmp_path)[0], (0, 0))
    again = compilation.entry(double)
    assert not kept(tmp_path)
    assert again(4) == 8 and not again.stats.cache_hits


def test_where_nothing_can_be_kept_an_entry_works_all_the_same(double, monkeypatch, caplog):
    def without_cache(*args, cache=False, **kwargs):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*args, **kwargs)

    njit = numba.njit
    monkeypatch.setattr(numba, "njit", lambda **options: lambda f: without_cache(f, **options))
    with caplog.at_level(logging.WARNING):
        assert compilation.entry(double)(4) == 8
    assert "double will be compiled in every process" in caplog.text


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
