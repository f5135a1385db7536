"""What all patches have in common."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from spigot_allennlp import compat
from spigot_allennlp.compat import PATCHED, PATCHES, installation, patching

EVERY = sorted({patch.__name__: patch for several in PATCHES.values() for patch in several}.items())


def test_every_patch_that_is_written_down_is_listed():
    files = Path(compat.__file__).parent.glob("*.py")
    written = sum(file.read_text().count("\n@patch(\n") for file in files)
    assert len(EVERY) == written > 0


@pytest.mark.parametrize("name, patch", EVERY)
def test_a_patch_says_what_brought_the_fault_in_and_what_will_end_it(name, patch):
    assert patch.since and patch.until


@pytest.mark.parametrize("module", sorted(PATCHES))
def test_a_patch_names_a_module_of_allennlp_and_is_run_when_that_is_imported(module):
    assert module.split(".")[0] == "allennlp"
    importlib.import_module(module)
    assert module in PATCHED


@pytest.fixture
def order(monkeypatch):
    """What runs when, in a module with one patch."""
    order = []

    def patch(module):
        order.append("before")
        try:
            yield
            order.append("after")
        finally:
            order.append("finally")

    monkeypatch.setitem(PATCHES, "some_module", [patch])
    monkeypatch.setattr(patching, "PATCHED", [])
    return order


def test_a_patch_runs_around_the_execution_of_its_module(order):
    patching.execute_patched(ModuleType("some_module"), lambda module: order.append("module"))
    assert order == ["before", "module", "after", "finally"]
    assert patching.PATCHED == ["some_module"]


def test_a_patch_of_a_module_that_fails_is_ended_and_the_error_goes_on(order):
    def fail(module):
        raise KeyError("of the module")

    with pytest.raises(KeyError, match="of the module"):
        patching.execute_patched(ModuleType("some_module"), fail)
    assert order == ["before", "finally"] and patching.PATCHED == []


def test_what_was_imported_before_is_patched_once(order, monkeypatch):
    monkeypatch.setattr(patching, "PATCHES", {"some_module": PATCHES["some_module"]})
    monkeypatch.setitem(sys.modules, "some_module", ModuleType("some_module"))
    patching.patch_imported_modules()
    patching.patch_imported_modules()
    assert order == ["before", "after", "finally"]


def test_another_version_of_allennlp_is_left_alone(monkeypatch):
    monkeypatch.setattr(patching, "PATCHES", {})
    monkeypatch.setattr(installation, "installed_version", lambda distribution: "2.9.0")
    patching.patch("some_module", since="x", until="y")(lambda module: iter([None]))
    assert patching.PATCHES == {}
