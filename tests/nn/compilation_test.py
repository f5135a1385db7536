import ast
import logging
from pathlib import Path

import numba
import pytest
from numba.core.caching import CacheImpl

from spigot_allennlp.nn import compilation, kernel_cache, late_optimization
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


def test_what_a_kernel_calls_is_compiled_once_more_for_python(tmp_path):
    inner = compilation.kernel(function_in_file(tmp_path / "inner.py", "inner", "2 * number"))
    double = function_in_file(tmp_path / "outer.py", "outer", "inner(number) + 1")
    double.__globals__["inner"] = inner
    double.__module__ = "spigot_allennlp.nn.outer"
    assert compilation.kernel(double)(4) == 9
    (within,) = inner.overloads.values()
    with pytest.raises(TypeError, match="called_by_kernels_alone"):
        within.entry_point(4)
    assert inner(4) == 8 and inner(4.0) == 8.0
    assert compilation.kernel(double)(4.0) == 9.0


def test_a_numba_that_is_not_known_is_left_alone(monkeypatch):
    monkeypatch.setattr(numba, "__version__", "0.99.1rc1")
    monkeypatch.setattr(late_optimization, "_replace_within_kernels", None)
    late_optimization.install()


def test_functions_of_others_are_compiled_as_ever(tmp_path):
    inner = numba.njit(function_in_file(tmp_path / "inner.py", "inner", "2 * number"))
    double = function_in_file(tmp_path / "outer.py", "outer", "inner(number) + 1")
    double.__globals__["inner"] = inner
    double.__module__ = "elsewhere"
    assert numba.njit(double)(4) == 9
    assert inner(4) == 8


def test_no_kernel_calls_an_entry():
    """An entry that is compiled within another function could not be called from Python."""
    folder = Path(compilation.__file__).parent
    functions = [
        (node, {ast.unparse(decorator) for decorator in node.decorator_list})
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    entries = {node.name for node, decorators in functions if "entry" in decorators}
    assert len(entries) > 10
    called = {
        ast.unparse(call.func)
        for node, decorators in functions
        if decorators & {"entry", "kernel", "fused_kernel", "reordered_kernel"}
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    }
    assert not called & entries
