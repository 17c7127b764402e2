"""The rooms of the source tree: the parts of the rule in CONTRIBUTING.md that a program can check."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.source_code import MODULES, ROOT, read

pytestmark = pytest.mark.long

FOLDERS = sorted({folder for module in MODULES for folder in module.parents if folder.parts})
NOUNS = {"emerging", "reading", "scoring", "staging", "wording", "writing"}  # words of the field that end in -ing


def dotted(path: Path) -> str:
    """Name the module or package of a path."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str, package: str) -> str | None:
    """Name the folder of a package that a module is in; None where it is elsewhere or at the package's top."""
    if not module.startswith(f"{package}."):
        return None
    first = module[len(package) + 1 :].split(".", maxsplit=1)[0]
    return first if (ROOT / package.replace(".", "/") / first).is_dir() else None


def edges(package: Path) -> dict[str, set[str]]:
    """Give which folders of a package import which others."""
    name, found = dotted(package / "__init__"), {}
    for module in (module for module in MODULES if package in module.parents):
        here = room(dotted(module), name)
        if here is not None:
            there = {room(imported, name) for imported in read(module).imports} - {None, here}
            found.setdefault(here, set()).update(there)
    return found


@pytest.mark.parametrize("package", FOLDERS, ids=str)
def test_folders_of_a_package_import_in_one_direction(package):
    if package in (Path("mbc"), Path("dashboards")):
        pytest.skip("held by the import contracts of make check, with their named exceptions")
    left = edges(package)
    while free := [folder for folder, needs in left.items() if not needs & left.keys()]:
        for folder in free:
            del left[folder]
    assert not left, f"a circle of folders in {package}: {left}"


@pytest.mark.parametrize("package", FOLDERS, ids=str)
def test_no_module_or_folder_hides_a_public_function_of_its_package(package):
    exports = set(getattr(importlib.import_module(dotted(package / "__init__")), "__all__", ()))
    children = {path.stem for path in (ROOT / package).iterdir() if path.suffix == ".py" or path.is_dir()}
    if package == Path(
        "mbc"
    ):  # `mbc.models` and the like are exported as packages; `mbc.instruments` can be called
        exports -= {child for child in children if (ROOT / package / child).is_dir()}
    assert not exports & children


def test_no_module_is_called_by_a_bare_gerund():
    assert MODULES
    assert [
        module for module in MODULES if module.stem not in NOUNS and re.fullmatch(r"[a-z]+ing", module.stem)
    ] == []


def test_no_method_is_a_stub_for_a_subclass_to_fill():
    stub = re.compile(r"^ *raise NotImplementedError\b", re.MULTILINE)
    assert stub.search("    raise NotImplementedError\n")
    assert [module for module in MODULES if stub.search((ROOT / module).read_text("utf-8"))] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_folder_says_which_question_it_answers(folder):
    first = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
    assert first, f"{folder}/__init__.py has no first line"
