"""Every hint that importing prints works when it is followed: the options and commands that messages name are run.

A hint is found in the source, as a text that names an option or a command; each is in a case below, or in
``NO_COMMAND`` with the reason why there is nothing to run.
"""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli import import_
from mbc.cli.program import program
from mbc.store import Administration, Client, Clinician, Relationship, Store
from tests.exchange.hint_cases import HINTS, ROOT

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("readers_in_process")]

READ = [*sorted((ROOT / "mbc" / "exchange").rglob("*.py")), ROOT / "mbc" / "cli" / "import_.py",
        ROOT / "mbc" / "cli" / "ask_columns.py"]  # fmt: skip
OPTION = re.compile(r"--[a-z][a-z-]+|mbc (?:client \w+|score|rescore)")

NO_COMMAND = {
    "exchange/export/write.py --include-safety": "of an export; in tests/cli/test_export.py",
    "exchange/export/write.py --include-demographics": "of an export; in tests/cli/test_export.py",
    "cli/import_.py --template": "writes an empty table; in tests/exchange/export/test_template.py",
    "cli/import_.py --dry-run": "the same",
    "exchange/score_table.py --time": "of mbc validate; in tests/cli/test_validate.py",
    "exchange/score_table.py --score": "of mbc validate; in tests/cli/test_validate.py",
    "exchange/plan/withdrawals.py mbc client withdraw": "in tests/exchange/plan/test_withdrawals.py",
    "exchange/fhir/resource_files.py mbc client history": "CLIENT is to be filled in; the command is in tests/cli",
    "exchange/fhir/resource_files.py mbc client withdraw": "the same",
    "exchange/plan/withdrawals.py --reason": "the same",
    "cli/import_.py --apply": "when scores could not be kept; in tests/cli/test_rescore.py",
    "cli/import_.py mbc rescore": "when scores could not be kept; in tests/cli/test_rescore.py",
    "cli/ask_columns.py --map-interactively": "needs a terminal",
    "cli/ask_columns.py --mapping": "is given a file of the user's own; in tests/exchange/header",
}

ALIKE = frozenset({
    "month or day", "two columns could be an item", "two columns could be a day of its own",
    "--start-date of another format", "--dictionary of another format", "--encoding of another format",
    "--sheet of another format", "no date", "month first", "more refused rows than are shown",
    "a coding that is not settled", "a clinician who is not on record", "answers of another order",
    "a coding with a metric of its own", "several sheets", "choices of no coding",
    "items of a pattern without a questionnaire", "more columns than items",
})  # fmt: skip
"""Hints of a message that another case follows or another test reads, too: in make test-all only."""


def sites() -> set[str]:
    """Files of the program and the options and commands that their texts name."""
    named: set[str] = set()
    for path in READ:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for text in _texts(tree):
            where = path.relative_to(ROOT / "mbc").as_posix()
            named |= {f"{where} {option}" for option in OPTION.findall(text)}
    return named


def _texts(tree: ast.Module) -> Iterator[str]:
    """Texts of a module but for docstrings and the declarations of its own options."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            passed.add(id(node.body[0].value))  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(node, ast.FunctionDef):
            passed |= {id(inner) for each in node.decorator_list for inner in ast.walk(each)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.value


@pytest.fixture(scope="module")
def record(tmp_path_factory) -> Path:
    """Two clinicians, so that a new client needs one named; C1 in R1, with one questionnaire."""
    folder = tmp_path_factory.mktemp("record")
    with Store.create(f"sqlite:///{folder}/clinic.db") as store, store.writing() as writing:
        writing.add_all([Clinician("K1", "Dr. One"), Clinician("K2", "Dr. Two"), Client("C1", clinician_id="K1")])
        writing.add(Relationship("C1-R1", "C1", "R1"))
        old = Administration("C1", "gad7", date(2025, 1, 5), (1,) * 7, form="standard", coding="0-3")
        writing.add(old)
    return folder / "clinic.db"


def run(words: list[str]) -> tuple[int, str]:
    done = CliRunner().invoke(program, words)
    lines = [done.output, str(done.exception or ""), *getattr(done.exception, "rows", ())]
    return done.exit_code, " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in HINTS]
)
def test_a_hint_works_when_it_is_followed(name, record, tmp_path, monkeypatch):
    hint = HINTS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MBC_STORE", "sqlite:///clinic.db")
    monkeypatch.setattr(import_, "_MOST_SHOWN", 50)  # rows of a table that takes long to print
    if callable(hint.files):
        hint.files(tmp_path)
    else:
        for file, text in hint.files.items():
            Path(file).write_text(text, encoding="utf-8")
    (path,) = [each.name for each in tmp_path.iterdir() if each.name.split(".")[0] == "a"]
    shutil.copy(record, "clinic.db")
    given = shlex.split(hint.args)
    begin = ["score", path, given.pop()] if given[:1] == ["score"] else ["import", path]
    given = [] if begin[0] == "score" else given
    _, text = run([*begin, *given])
    seen = re.search(hint.says, text)
    assert seen, f"it says: {text}"
    one_hint = hint.together or hint.instead is not None
    for followed in [" ".join(seen.groups())] if one_hint else seen.groups():
        words = str(followed)
        for placeholder, value in hint.fill.items():
            words = words.replace(placeholder, value)
        if not words.startswith("mbc "):
            shutil.copy(record, "clinic.db")
        kept = given if hint.instead is None else shlex.split(hint.instead)
        options = shlex.split(words.removeprefix("mbc "))
        code, text = run(options if words.startswith("mbc ") else [*begin, *kept, *options])
        if hint.ends is None:
            assert code == 0, f"{words}: {text}"
            assert re.search(r"[1-9]\d* (stored|superseding)", text), f"{words}: {text}"
        else:
            assert hint.ends in text, f"{words}: {text}"
            assert code == 0 or hint.ends.startswith("row"), f"{words}: {text}"


def test_every_hint_in_the_source_is_followed_or_named():
    covered = {site for hint in HINTS.values() for site in hint.sites}
    in_source = sites()
    assert in_source - covered - set(NO_COMMAND) == set(), "hints that no case follows"
    assert (covered | set(NO_COMMAND)) - in_source == set(), "hints that are gone"
