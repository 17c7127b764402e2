"""What the modules of the two packages import, name and say: each is parsed once for all tests that ask."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    file.relative_to(ROOT)
    for package in ("mbc", "dashboards")
    for file in (ROOT / package).rglob("*.py")
    if "versions" not in file.parts  # a released revision is never edited
)


@dataclass(frozen=True)
class Code:
    """One module. The syntax tree is not kept: millions of nodes would slow each garbage collection down."""

    imports: frozenset[str]
    names: tuple[tuple[str, int, bool], ...]
    messages: tuple[tuple[str, int], ...]


@functools.cache
def read(module: Path) -> Code:
    nodes = tuple(ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))))
    return Code(frozenset(_imports(nodes)), tuple(_bound_names(nodes)), tuple(_messages(nodes)))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Name every module that a module imports, at its top or later."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _bound_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int, bool]]:
    """Every name that a module binds, its line, and whether it is a function's."""
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno, False
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno, False
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno, False
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node.lineno, False
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, 0, False
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno, True


def _messages(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Every text of a module that a person may read: strings with a space that are no docstring."""
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # of attributes, too
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and " " in node.value
            and id(node) not in docstrings
        ):
            yield node.value, node.lineno
