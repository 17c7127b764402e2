"""Which command takes a user, and what it then does for each role: one table, complete, and walked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from mbc.cli.program import COMMANDS, program
from mbc.errors import AccessDenied, NotInRecord
from mbc.store import Administration, Store
from tests.dashboards.record import PASSWORD, day, make_record

pytestmark = pytest.mark.long

# "+" it does, "-" it is refused, "?" there is no such client for them
TABLE = """
command              ash oak ana res lead adam
caseload             +   +   -   -   -    -
review C001          +   +   -   -   -    -
review C003          ?   +   -   -   -    -
outcomes             +   +   -   -   -    -
clinicians rses      -   -   -   -   -    -
deidentify           -   -   -   +   -    -
export               +   +   -   -   -    -
export --safety      +   -   -   -   -    -
audit                -   -   -   -   -    +
audit --safety       -   -   -   -   -    -
audit --break-glass  +   +   -   -   +    +
verify               -   -   -   -   -    +
erase C999           -   -   -   -   -    ?
ask --list           +   +   -   -   -    -
"""
ROWS = TABLE.strip().splitlines()
USERS = ROWS[0].split()[1:]
EXPECTED = {line[:21].strip(): dict(zip(USERS, line[21:].split(), strict=True)) for line in ROWS[1:]}

# Whoever can open the database is its operator: these take no user.
OPERATOR = frozenset(
    {
        "init", "start", "demo", "serve", "import", "key", "client", "user", "rescore", "backup", "restore",
        "encrypt", "decrypt", "convert", "validate", "report", "scores", "retention", "upgrade", "models",
        "release", "collect", "remind", "questionnaire", "record", "signals", "study",
    }
)  # fmt: skip
NO_RECORD = frozenset({"instruments", "registry", "score", "twin"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('roles') / 'clinic.db'}"
    make_record(address)
    with Store.open(address) as store:
        with store.writing() as record:
            screen = [Administration("C001", "hits", day(week), (1, 1, 2, 1), channel="safety") for week in (0, 3)]
            record.add_all(screen)
        store.accounts.add("res", PASSWORD, "researcher")
        store.accounts.add("lead", PASSWORD, "safety_lead")
    return address


def words_of(door: str, folder: Path) -> list[str]:
    name, *more = door.split()
    safety = ["--include-safety"] if "--safety" in more else []
    named = [word for word in more if word != "--safety"]
    place = {"export": ["out"], "deidentify": ["cohort"]}.get(name, [])
    asked = ["--yes", "--reason", "a request"] if name == "erase" else []
    return [name, *(str(folder / one) for one in place), *named, *safety, *asked]


def run(words: list[str]) -> str:
    try:
        result = CliRunner().invoke(program, words, catch_exceptions=False, standalone_mode=False)
    except AccessDenied:
        return "-"
    except NotInRecord:
        return "?"
    assert result.exit_code == 0, result.output
    return "+"


@pytest.mark.parametrize("user", USERS)
def test_each_command_does_for_each_role_what_the_table_says(made, tmp_path, user):
    met = {}
    last = trail(made)["sequence"].max()
    for number, (door, marks) in enumerate(EXPECTED.items()):
        words = [*words_of(door, tmp_path / str(number)), "--store", made, "--as", user]
        (tmp_path / str(number)).mkdir()
        before = last
        met[door] = run(words)
        lines = trail(made)
        last = lines["sequence"].max()
        added = lines.filter(pl.col("sequence") > before, pl.col("who") == user)
        assert not added.is_empty() or door == "verify", f"{door}: no line in the trail"
        assert set(added["origin"].str.slice(0, 22)) <= {"command line (operator"}
        assert ("refused" in added["action"].to_list()) is (marks[user] != "+"), door
    assert met == {door: marks[user] for door, marks in EXPECTED.items()}


def trail(address: str) -> pl.DataFrame:
    with Store.open(address) as store:
        return store.audit.entries(include_safety=True)


def test_the_table_knows_every_command():
    named = {door.split()[0] for door in EXPECTED}
    for name in COMMANDS:
        command = program.get_command(None, name)  # type: ignore[arg-type]
        takes_a_user = any("--as" in one.opts for one in command.params)
        assert takes_a_user is (name in named), name
        assert (name in named) + (name in OPERATOR) + (name in NO_RECORD) == 1, (
            f"say in this table who may '{name}'"
        )


DOORS: dict[str, Callable[[Path], tuple[list[str], set[tuple[str, str | None]]]]] = {
    # a command of the operator's, and the lines that it must leave: action and subject
    "caseload": lambda _: (["caseload"], {("read", None)}),
    "review": lambda _: (["review", "C001"], {("read", "C001")}),
    "outcomes": lambda f: (["outcomes", "--csv", str(f / "o.csv")], {("aggregate", None), ("export", None)}),
    "deidentify": lambda f: (["deidentify", str(f / "c")], {("aggregate", None), ("export", None)}),
    "export": lambda f: (["export", str(f / "x"), "--client", "C001"], {("read", "C001"), ("export", "C001")}),
    "audit": lambda f: (["audit", "--out", str(f / "a.csv")], {("audit read", None), ("export", None)}),
    "client": lambda _: (["client", "assign", "C002", "--clinician", "K1", "--reason", "ill"], {("write", None)}),
}


@pytest.mark.parametrize("name", DOORS)
def test_each_command_that_reads_or_writes_leaves_its_lines(made, tmp_path, name):
    words, expected = DOORS[name](tmp_path)
    before = trail(made)["sequence"].max()
    assert run([*words, "--store", made]) == "+"
    added = trail(made).filter(pl.col("sequence") > before)
    assert expected <= set(added.select("action", "subject").rows())
    assert set(added["origin"]) == {"command line"}
    for line in added.filter(action="export").iter_rows(named=True):
        said = json.loads(line["detail"])
        assert said["file"] in {file.name for file in tmp_path.iterdir()}
        assert said["format"]
        assert said["rows"]


def test_every_command_that_opens_a_record_to_read_it_is_among_them():
    assert DOORS.keys() >= {door.split()[0] for door in EXPECTED} - {
        "verify",
        "erase",
        "ask",  # no client is shown there
        "clinicians",  # refused on so small a record: see tests/care/clinic/test_clinician_outcomes.py
    }
