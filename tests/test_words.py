"""Words of the field: no name, help text, message or page has a word of the left column in CONTRIBUTING.md."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.app import PAGES
from dashboards.pages.client.layout import safety_panel
from dashboards.pages.dispatch import page_for
from dashboards.pages.to_review.layout import toggle_list
from dashboards.routes import PageRequest
from mbc.care import CohortModels
from mbc.cli.program import program
from mbc.store import Store
from tests.dashboards.record import make_record
from tests.source_code import MODULES, ROOT, read

pytestmark = pytest.mark.long

PACKAGES = sorted({"/".join(module.parts[:2]) for module in MODULES})  # and the modules beside them
EXCEPTIONS = {
    # the file is kept byte for byte as the seed gives it
    (Path("mbc/simulate/tables/write_files.py"), "nothing here"),
}
TEMPLATES = sorted(file.relative_to(ROOT) for file in (ROOT / "dashboards").rglob("*.html"))


def modules_of(package: str) -> list[Path]:
    """The modules of one package of mbc or dashboards; or the one module of that name."""
    return [module for module in MODULES if "/".join(module.parts[:2]) == package]


@dataclass(frozen=True)
class Glossary:
    """What is not written, as the table in CONTRIBUTING.md has it."""

    names: frozenset[str]
    functions: frozenset[str]  # names that only a function must not have
    texts: tuple[str, ...]
    rows: int


@functools.cache
def glossary() -> Glossary:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("\n## Words\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    names: set[str] = set()
    functions: set[str] = set()
    texts: list[str] = []
    rows = re.findall(r"^\| (name|text) \| (.+?) \| (.+?) \|$", table, flags=re.MULTILINE)
    for where, left, _ in rows:
        terms = re.findall(r"`([^`]+)`", left)
        if where == "text":
            texts += terms
        else:
            (functions if left.endswith("(functions)") else names).update(terms)
    return Glossary(frozenset(names), frozenset(functions), tuple(texts), len(rows))


@functools.cache
def pattern() -> re.Pattern[str]:
    terms = sorted(glossary().texts, key=len, reverse=True)
    # "there is no file" is how one says it
    return re.compile(rf"(?<!\w)(?<!there )(?:{'|'.join(map(re.escape, terms))})(?!\w)", re.IGNORECASE)


def unwanted(text: str) -> list[str]:
    """Name the texts of the left column that a text contains."""
    return pattern().findall(" ".join(text.split()))


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")


COMMANDS = dict(commands(program, "mbc"))


def test_the_table_has_its_rows_and_every_term_is_read():
    words = glossary()
    assert words.rows >= 40
    assert "one" in words.names
    assert "shown" in words.functions
    assert unwanted("Nothing Here, and no change beyond\n noise") == ["Nothing Here", "beyond noise"]
    assert unwanted("nothing heretofore") == []


@pytest.mark.parametrize("package", PACKAGES)
def test_names_say_what_they_hold(package: str):
    words = glossary()
    wrong = [
        f"{module}:{line}: {name}"
        for module in modules_of(package)
        for name, line, is_function in read(module).names
        if name.lstrip("_") in words.names or (is_function and name.lstrip("_") in words.functions)
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_messages_are_in_words_of_the_field(package: str):
    assert not [
        f"{module}:{line}: {word}"
        for module in modules_of(package)
        for text, line in read(module).messages
        for word in unwanted(text)
        if (module, word.lower()) not in EXCEPTIONS
    ]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_is_in_words_of_the_field(path: str):
    command = COMMANDS[path]
    context = click.Context(command, info_name=path.rpartition(" ")[2])
    assert not unwanted(command.get_help(context))


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_templates_are_in_words_of_the_field(template: Path):
    assert not unwanted(re.sub(r"<[^>]*>|{[^}]*}", " ", (ROOT / template).read_text(encoding="utf-8")))


_NOT_READ = {
    "className",
    "id",
    "href",
    "namespace",
    "type",
    "style",
    "action",
    "method",
    "htmlFor",
    "field",
    "anchor",
}


def words_of(node: object) -> Iterator[str]:
    """Every text of a layout as a browser gets it: labels, captions, headings, names and hovers of charts."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key not in _NOT_READ:
                yield from words_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from words_of(value)


def rendered(layout: object) -> str:
    return " | ".join(words_of(json.loads(json.dumps(layout, cls=PlotlyJSONEncoder))))


@pytest.fixture(scope="module")
def record_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('words') / 'clinic.db'}"
    make_record(url)
    return url


@pytest.mark.parametrize("username", ["ash", "birch", "oak", "ana"])
def test_pages_are_in_words_of_the_field(record_url: str, username: str):
    with Store.open(record_url) as record:
        store = record.as_user(username)
        assert store.user is not None
        pages = {page.path or "/client/C001" for page in PAGES.of(store.user)} | {"/nowhere"}
        models = CohortModels(record)
        for path in sorted(pages):
            request = PageRequest(store, store.user, theme="light", models=models, token="t", note="A note.")
            text = rendered(page_for(PAGES, path, request))
            assert len(text) > 40
            assert not unwanted(text), path
        labels = [page.label for page in PAGES.of(store.user)]
        assert not unwanted(" | ".join(labels))


def test_what_opens_by_a_button_is_in_words_of_the_field(record_url: str):
    with Store.open(record_url) as record:
        store = record.as_user("ash")
        for layout in (toggle_list(store, 1, "t"), safety_panel(store, "C001", 1)):
            assert "thoughts of death" in rendered(list(layout))
            assert not unwanted(rendered(list(layout)))
