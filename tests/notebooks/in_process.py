"""Run the cells of a notebook in this process: what Jupyter would do, without starting a kernel."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat


def run(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Run every code cell; give the names it leaves, and the value of each cell that ends in an expression."""
    names: dict[str, Any] = {"__name__": "__main__"}
    values: list[Any] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, path.name, "exec"), names)
        if last is not None:
            values.append(eval(compile(ast.Expression(last.value), path.name, "eval"), names))  # type: ignore[attr-defined]
    return names, values
