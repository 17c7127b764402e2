"""Public names that are imported on first use."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mbc.lazy import public_names

PACKAGES = ("mbc", "mbc.models", "mbc.care", "mbc.figures")


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_can_be_had_and_is_listed(name):
    package = importlib.import_module(name)
    assert [public for public in package.__all__ if not hasattr(package, public)] == []
    assert set(dir(package)) <= {*package.__all__, "__version__"}


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_are_shown_the_same_names_from_the_same_modules(name):
    package = importlib.import_module(name)
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        seen |= {alias.name: importlib.import_module(str(node.module)) for alias in node.names}
    assert set(seen) == set(package.__all__) - {"__version__"}
    if name == "mbc":
        del seen["instruments"]  # at run time the package itself, which can be called
    different = [
        public for public, module in seen.items() if getattr(package, public) is not getattr(module, public)
    ]
    assert different == []


@pytest.mark.parametrize("name", PACKAGES)
def test_an_unknown_name_is_an_attribute_error_of_the_package(name):
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'no_such_name'"):
        importlib.import_module(name).no_such_name  # noqa: B018


def test_a_name_of_two_modules_is_refused():
    with pytest.raises(ValueError, match=r"mbc\.models\.alpha is listed twice"):
        public_names("mbc.models", {"a": ("alpha",), "b": ("alpha",)})


def test_importing_the_package_imports_neither_tables_nor_statistics():
    code = "import sys, mbc; assert not {'numpy', 'polars', 'scipy', 'pandas'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
