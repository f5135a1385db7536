"""Notebooks are committed without outputs, and run from their first cell to their last."""

import shutil
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install '.[docs]' was not done")
nbclient = pytest.importorskip("nbclient", reason="pip install '.[docs]' was not done")

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def run(file, folder, monkeypatch):
    """Returns a notebook with its outputs, run in a copy of docs/, on one thread, offline."""
    (folder / "notebooks").mkdir()
    shutil.copy(DOCS / "gradient_study.json", folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    notebook = nbformat.read(file, as_version=4)
    probe = nbformat.v4.new_code_cell("import sys; print(sys.executable)")
    notebook.cells.insert(0, probe)
    resources = {"metadata": {"path": str(folder / "notebooks")}}
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=resources
    )
    client.execute()
    assert printed(notebook.cells.pop(0)) == f"{sys.executable}\n"
    return notebook


def printed(cell):
    """Returns what a cell printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def test_there_are_notebooks():
    assert [file.stem for file in NOTEBOOKS] == ["ablation", "latent_choice", "parse"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_committed_without_outputs(file):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.outputs or cell.execution_count for cell in code(notebook))
    assert notebook.cells[0].source.startswith("# ")


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_an_ablation_is_read_with_care(tmp_path, monkeypatch):
    notebook = run(DOCS / "notebooks/ablation.ipynb", tmp_path, monkeypatch)
    text = "".join(printed(cell) for cell in code(notebook))
    # The text of the notebook names these figures.
    assert "\nspigot                      -17.9 [ -28.8,   -7.0]  -0.78" in text
    assert "\nspigot                     t-test 0.0103   adjusted 0.0722" in text
    assert "\nbelow 0.05 after:\n" in text


def test_a_latent_choice_is_learned_by_what_goes_through_marginals(tmp_path, monkeypatch):
    notebook = run(DOCS / "notebooks/latent_choice.ipynb", tmp_path, monkeypatch)
    text = "".join(printed(cell) for cell in code(notebook))
    accuracy = {row.split()[0]: float(row.split()[1]) for row in text.splitlines() if "±" in row}
    assert accuracy["perturb_and_map"] > 90 > 50 > accuracy["pipeline"]
    assert "perturb_and_map - spigot: +" in text


def test_a_parser_is_trained_and_its_parse_is_shown(tmp_path, monkeypatch):
    notebook = run(DOCS / "notebooks/parse.ipynb", tmp_path, monkeypatch)
    shown = [output.get("data", {}) for cell in code(notebook) for output in cell.outputs]
    assert any("<svg" in data.get("text/html", "") for data in shown)
    assert any("<svg" in data.get("image/svg+xml", "") for data in shown)
    text = "".join(printed(cell) for cell in code(notebook))
    assert "persuaded --ARG" in text and "#SDP 2015" in text
