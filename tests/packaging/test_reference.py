"""The Python reference of the documentation names everything public, and describes it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import mbc

pytestmark = pytest.mark.long

NO_PAGE = {"mbc.cli"}  # commands are described by their own --help
PACKAGES = sorted(
    f"mbc.{init.parent.name}"
    for init in Path(mbc.__file__).parent.glob("*/__init__.py")
    if "__all__" in init.read_text("utf-8") and f"mbc.{init.parent.name}" not in NO_PAGE
)
FROM_THE_CODE = {"commands", "environment", "data-dictionary"}
PAGES = ["mbc", "mbc.errors", *PACKAGES]


def script(repository: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, repository / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def hook(repository: Path) -> ModuleType:
    return script(repository, "api_pages")


def test_commands_variables_tables_and_questionnaires_are_described_from_the_code(repository: Path):
    pages = script(repository, "reference_pages")
    places = {repository / "docs" / "questionnaires.md", *(repository / "docs" / "reference").glob("*.md")}
    asked = {name for page in places for name in pages.PLACE.findall(page.read_text("utf-8"))}
    assert asked == pages.WRITERS.keys()
    commands, variables = pages.commands(), pages.environment()
    assert "## mbc start\n" in commands
    assert "`--template KEY`" in commands
    assert all(f"`{name}`" in variables for name in pages.variables())
    dictionary = pages.dictionary()  # a table or column without a description is an error
    assert "| `rating` | number | clarity about the decision, 0 to 10 |" in dictionary
    assert dictionary.count("\n## ") == len(pages.metadata.tables)
    table = pages.questionnaires()
    known = importlib.import_module("mbc.instruments").keys()
    assert [key for key in known if f"instruments/{key}.md" not in table] == []


def filled(hook: ModuleType, repository: Path, package: str) -> str:
    page = repository / "docs" / "reference" / f"{package.removeprefix('mbc.')}.md"
    return hook.on_page_markdown(page.read_text("utf-8"))


@pytest.mark.parametrize("package", PAGES)
def test_every_public_name_stands_on_the_page_of_its_package(hook, repository: Path, package: str):
    text = filled(hook, repository, package)
    module = importlib.import_module(package)
    expected = [
        name
        for name in hook.public_names(module)
        if not inspect.ismodule(value := getattr(module, name)) or callable(value)
    ]
    assert len(expected) > 2
    assert [name for name in expected if f"| [`{name}`][" not in text] == []
    if package != "mbc":  # its names have their entries on the pages of the packages they come from
        assert [name for name in expected if f'heading: "{name}"' not in text] == []
    assert "<!--" not in text


@pytest.mark.parametrize("package", PAGES)
def test_every_public_class_and_function_has_a_first_sentence(hook, package: str):
    found = {name: hook.summary(hook.offered(package, name)) for name in hook.homes(package)}
    assert [name for name, sentence in found.items() if not sentence.rstrip().endswith((".", "?", ")"))] == []


def test_the_table_of_packages_names_every_page(repository: Path):
    index = (repository / "docs" / "reference" / "index.md").read_text("utf-8")
    assert [name for name in PAGES if f"| [`{name}`]({name.removeprefix('mbc.')}.md) |" not in index] == []
    pages = {page.stem for page in (repository / "docs" / "reference").glob("*.md")} - {"index"} - FROM_THE_CODE
    assert pages == {name.removeprefix("mbc.") for name in PAGES}
