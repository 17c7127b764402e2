"""The modules of the two packages, each parsed once for all tests that read the code."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    file.relative_to(ROOT)
    for package in ("mbc", "dashboards")
    for file in (ROOT / package).rglob("*.py")
    if "versions" not in file.parts  # a released revision is never edited
)


@functools.cache
def nodes_of(module: Path) -> tuple[ast.AST, ...]:
    """Every node of a module's syntax tree."""
    return tuple(ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))))
