"""Every notebook runs from its first cell to its last, begins with a question, and is stored with its pictures."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.in_process import run

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FIRST = FOLDER / "01_first_look.ipynb"
BY_NAME = {path.stem.partition("_")[0]: path for path in NOTEBOOKS}
SLOW = ("04", "05", "06", "09")
OPEN_RSE = FOLDER.parents[1] / "shared" / "data" / "rse.tsv.gz"
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.mark.notebook
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the kernel client's own
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=pytest.mark.slow) for path in NOTEBOOKS],
)
def test_notebook_runs_in_a_kernel(path, monkeypatch):
    monkeypatch.delenv("MBC_COHORT", raising=False)
    notebook = nbformat.read(path, as_version=4)
    done = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", ())]
    assert any("data" in output for output in outputs)
    if path == FIRST:
        assert "improved" in "".join(output.get("text", "") for output in outputs)
        assert any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs)


@pytest.mark.notebook
@pytest.mark.filterwarnings("default")  # a notebook shows warnings, and goes on
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=pytest.mark.slow if number in SLOW else ())
        for number in sorted(BY_NAME.keys() - {"01"})
    ],
)
def test_what_a_notebook_says_is_so(number):
    names, values = run(BY_NAME[number])
    assert values
    if number == "02":
        assert 0.85 < names["alpha"].value < 0.95
    elif number == "03":
        by_formula = names["by_formula"].fe_params.to_list()
        ours = [term.estimate for term in names["fit"].coefficients]
        assert by_formula == pytest.approx(ours, rel=1e-5)
    elif number == "05":
        forward, backward = names["effects"].forward, names["effects"].backward
        assert forward.lower > 0.2
        assert backward.lower < 0 < backward.upper
    elif number == "07":
        actor, partner = (
            next(each for each in names["apim"].effects if each.effect == effect)
            for effect in ("actor", "partner")
        )
        assert actor.lower < -0.5 < actor.upper
        assert partner.lower < -0.3 < partner.upper
    elif number == "08":
        recovery = names["report"]["recovery"]
        assert (names["recovered"], names["cases"]) == (recovery.numerator, recovery.denominator)
    elif number == "09":
        assert sum(each["recovery"].numerator for each in names["clinics"].clinics.values()) == (
            names["clinics"].together["recovery"].numerator
        )


@every_notebook
def test_a_notebook_asks_only_for_what_is_there(path):
    """Every import works, and every function that is called by its module has the arguments that are named."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    nodes = list(ast.walk(ast.parse("\n".join(cells))))
    names: dict[str, Any] = {}
    imports: list[ast.stmt] = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), path.name, "exec"), names)
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    found = 0
    for call in calls:
        module = call.func.value
        if isinstance(module, ast.Name) and isinstance(names.get(module.id), ModuleType):
            function = getattr(names[module.id], call.func.attr)
            found += 1
            if function.__module__.startswith("mbc"):
                given = {word.arg for word in call.keywords if word.arg}
                assert given <= set(inspect.signature(function).parameters)
    assert found


def test_the_second_notebook_is_stored_with_the_figures_of_open_answers():
    assert "46,546 complete of 47,974: mean 16.30, SD 6.98" in BY_NAME["02"].read_text(encoding="utf-8")


@pytest.mark.notebook
@pytest.mark.filterwarnings("default")
def test_the_second_notebook_reaches_the_figures_of_open_answers(monkeypatch):
    if not OPEN_RSE.exists():
        pytest.skip("rse.tsv.gz is not beside the project")
    monkeypatch.setenv("MBC_OPEN_RSE", str(OPEN_RSE))
    names, _ = run(BY_NAME["02"])
    assert len(names["total"]) == 46546
    assert names["total"].mean() + 10 == pytest.approx(26.298, abs=5e-4)  # published on 10 to 40
    assert names["open_alpha"].value == pytest.approx(0.9140, abs=5e-5)
    assert "form='b'" in str(names["doubts"][0].message)


@every_notebook
def test_a_notebook_begins_with_a_question_and_is_stored_with_pictures(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown"
    assert "?" in cells[0].source.splitlines()[0]
    kinds = [kind for cell in cells for output in cell.get("outputs", ()) for kind in output.get("data", {})]
    assert "image/svg+xml" in kinds, f"{path.name}: run python scripts/notebooks.py {path.stem}"
    assert path.stat().st_size < 600_000
