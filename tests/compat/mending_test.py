"""What all mendings have in common."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from spigot_allennlp import compat
from spigot_allennlp.compat import MENDED, MENDINGS, installation, mending

EVERY = sorted({one.__name__: one for several in MENDINGS.values() for one in several}.items())


def test_every_mending_that_is_written_down_is_listed():
    files = Path(compat.__file__).parent.glob("*.py")
    written = sum(file.read_text().count("\n@mends(\n") for file in files)
    assert len(EVERY) == written > 0


@pytest.mark.parametrize("name, one", EVERY)
def test_a_mending_says_what_brought_the_fault_in_and_what_will_end_it(name, one):
    assert one.since and one.until


@pytest.mark.parametrize("module", sorted(MENDINGS))
def test_a_mending_names_a_module_of_allennlp_and_is_run_when_that_is_imported(module):
    assert module.startswith("allennlp.")
    importlib.import_module(module)
    assert module in MENDED


@pytest.fixture
def order(monkeypatch):
    """What runs when, in a module with one mending."""
    order = []

    def one(module):
        order.append("before")
        try:
            yield
            order.append("after")
        finally:
            order.append("finally")

    monkeypatch.setitem(MENDINGS, "some_module", [one])
    monkeypatch.setattr(mending, "MENDED", [])
    return order


def test_a_mending_runs_around_the_execution_of_its_module(order):
    mending.mend(ModuleType("some_module"), lambda module: order.append("module"))
    assert order == ["before", "module", "after", "finally"]
    assert mending.MENDED == ["some_module"]


def test_a_mending_of_a_module_that_fails_is_ended_and_the_error_goes_on(order):
    def fail(module):
        raise KeyError("of the module")

    with pytest.raises(KeyError, match="of the module"):
        mending.mend(ModuleType("some_module"), fail)
    assert order == ["before", "finally"] and mending.MENDED == []


def test_what_was_imported_before_is_mended_once(order, monkeypatch):
    monkeypatch.setattr(mending, "MENDINGS", {"some_module": MENDINGS["some_module"]})
    monkeypatch.setitem(sys.modules, "some_module", ModuleType("some_module"))
    mending.mend_what_is_imported()
    mending.mend_what_is_imported()
    assert order == ["before", "after", "finally"]


def test_another_version_of_allennlp_is_left_alone(monkeypatch):
    monkeypatch.setattr(mending, "MENDINGS", {})
    monkeypatch.setattr(installation, "found", lambda distribution: "2.9.0")
    mending.mends("some_module", since="x", until="y")(lambda module: iter([None]))
    assert mending.MENDINGS == {}
