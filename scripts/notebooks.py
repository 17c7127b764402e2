"""Run the notebooks and store their pictures and tables in them: python scripts/notebooks.py [NAME ...].

The second notebook stores what it computes from open answers: run it with MBC_OPEN_RSE set.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
SVG = re.compile(r"<svg.*</svg>", flags=re.DOTALL)
PLOTLY = "application/vnd.plotly.v1+json"


def stored(data: dict[str, object]) -> dict[str, object]:
    """Keep what a code host can show: words, tables, and pictures as SVG; no interactive figure."""
    html = str(data.get("text/html", ""))
    picture = SVG.search(html)
    if picture:
        return {"image/svg+xml": picture[0], "text/plain": data.get("text/plain", "")}
    if PLOTLY in data:
        return {"text/plain": "(an interactive figure: run the notebook to see it)"}
    return {kind: value for kind, value in data.items() if kind in {"text/html", "text/plain"}}


def run(path: Path) -> None:
    """Run one notebook and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    done = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in done.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.get("metadata", {}).clear()
            if "data" in output:
                output["data"] = stored(output["data"])
        if "outputs" in cell:  # what libraries say on the side differs from machine to machine
            cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
    done.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    nbformat.write(done, path)


def main() -> None:
    """Run all notebooks, or those that are named."""
    os.environ.pop("MBC_COHORT", None)
    for path in sorted(FOLDER.glob("*.ipynb")):
        if len(sys.argv) < 2 or path.stem in sys.argv[1:]:
            run(path)
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
