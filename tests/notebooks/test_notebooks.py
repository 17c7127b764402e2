"""Every notebook runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the kernel client's own
def test_notebook_runs(path, monkeypatch):
    monkeypatch.delenv("MBC_COHORT", raising=False)
    notebook = nbformat.read(path, as_version=4)
    done = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", ())]
    assert "improved" in "".join(output.get("text", "") for output in outputs)
    assert any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs)


def test_there_are_notebooks_and_they_hold_no_output():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert all(not cell.get("outputs") for cell in cells), f"{path.name} was saved with its output"
