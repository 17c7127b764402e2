"""Definitions of a clinic's own questionnaires travel with the record that was filled with them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.care import caseload, client_review, scores
from mbc.cli.program import program
from mbc.errors import AccessDenied, MbcError, StoreError
from mbc.exchange.own_definitions import definitions_of
from mbc.instruments import instrument
from mbc.instruments.own import folders
from mbc.instruments.own.template import replacement, start
from mbc.sqlite_library import SQLITE
from mbc.store import Administration, Definition, Store
from tests.own_questionnaires import safety_questionnaire

pytestmark = pytest.mark.long

URL = "sqlite:///clinic.db"
ROWS = "client,date,lone_1,lone_2,lone_3,lone_4\nC1,2026-01-05,1,2,3,4\nC1,2026-02-05,1,2,3,3\n"


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """Two questionnaires of the clinic's own on record, filled with a definition that is no longer in a folder."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("MBC_INSTRUMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folders, "default_folder", lambda: tmp_path / "none")
    Store.create(URL).close()
    own = tmp_path / "own"
    own.mkdir()
    (own / "lone.toml").write_text(start("lone", items=4, answers=(1, 4)))
    Path("a.csv").write_text(ROWS)
    run("import", "a.csv", "--instruments", "own", "--clinician", "K1")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(program, list(arguments))
    said = result.output + (str(result.exception) if isinstance(result.exception, MbcError) else "")
    assert result.exit_code == code, said
    return " ".join(said.split())


def forget_definitions() -> None:
    """Make it a record that was filled before definitions were kept."""
    with SQLITE.connect("clinic.db") as connection:
        connection.execute("DROP TRIGGER definition_kept_from_delete")
        connection.execute("DELETE FROM definition")


def test_review_caseload_and_export_work_without_the_folder(clinic):
    assert "2026-02-05" in run("review", "C1")
    assert "no questionnaire yet" not in run("caseload")
    written = run("export", "out")
    assert "No scores" not in written
    assert "lone_total" in (clinic / "out" / "scores.csv").read_text() or "lone" in written


def test_a_definition_is_kept_once_and_each_version_of_it(clinic):
    Path("b.csv").write_text(ROWS.replace("2026", "2025"))
    run("import", "b.csv", "--instruments", "own")
    with Store.open(URL) as store:
        assert store.definitions()["version"].to_list() == ["1"]
    file = clinic / "own" / "lone.toml"
    file.write_text(file.read_text().replace('version = "1"', 'version = "2"'))
    Path("c.csv").write_text(ROWS.replace("2026", "2024"))
    run("import", "c.csv", "--instruments", "own")
    with Store.open(URL) as store:
        assert store.definitions()["version"].to_list() == ["1", "2"]


@pytest.mark.parametrize("command", [("review", "C1"), ("caseload",)])
def test_a_missing_definition_is_named(clinic, command):
    forget_definitions()
    output = run(*command)
    assert "lone" in output
    assert "no questionnaire yet" not in output
    assert "No scores on record yet" not in output


@pytest.mark.parametrize(
    "command", [("review", "C1"), ("outcomes",), pytest.param(("caseload",), marks=pytest.mark.slow)]
)
def test_a_folder_can_be_named_where_the_record_brings_none(clinic, command):
    forget_definitions()
    assert "definition" not in run(*command, "--instruments", "own")


@pytest.mark.parametrize(
    "command",
    [
        ("review", "C1"),
        ("export", "out"),
        *(pytest.param(command, marks=pytest.mark.slow) for command in (("caseload",), ("outcomes",))),
    ],
)
def test_a_changed_definition_is_said(clinic, command):
    file = clinic / "own" / "lone.toml"
    file.write_text(file.read_text().replace("reverse = [] ", 'reverse = ["q4"] '))
    assert "The definition of 'lone' in use is not the one" in run(*command, "--instruments", "own")


def test_the_folder_goes_before_what_the_record_brings(clinic):
    file = clinic / "own" / "lone.toml"
    before = run("review", "C1")
    file.write_text(file.read_text().replace("reverse = [] ", 'reverse = ["q4"] '))
    assert run("review", "C1", "--instruments", "own") != before
    assert run("review", "C1") == before


def test_a_definition_in_place_of_a_built_in_belongs_to_its_record_alone(clinic):
    own = re.sub('(?m)^name = ".*"', 'name = "Our own"', replacement("rses"), count=1)
    (clinic / "own" / "rses.toml").write_text(own)
    columns = ",".join(f"rses_{n}" for n in range(1, 11))
    Path("r.csv").write_text(f"client,date,{columns}\nC1,2026-01-05,{','.join('2' * 10)}\n")
    run("import", "r.csv", "--instruments", "own")
    with Store.open(URL) as store, definitions_of(store):
        assert instrument("rses").name == "Our own"
    assert instrument("rses").name != "Our own"


def test_a_built_in_is_not_replaced_by_a_definition_that_does_not_say_so(clinic):
    text = start("lone", items=4, answers=(1, 4)).replace('"lone"', '"rses"')
    with Store.open(URL) as store, store.writing(by="desk") as record:
        record.keep_definition(Definition("rses", "1", text, {"channel": "care"}))
    with Store.open(URL) as store, definitions_of(store):
        assert len(instrument("rses").items) == 10
    assert "The definition of 'rses' in use is not the one" in run("caseload")


def test_two_records_that_are_open_at_once_have_their_own_definitions(clinic):
    other = start("lone", items=4, answers=(1, 4)).replace("reverse = [] ", 'reverse = ["q4"] ')
    (clinic / "own" / "lone.toml").write_text(other)
    run("init", "--store", "sqlite:///other.db")
    run("import", "a.csv", "--instruments", "own", "--clinician", "K1", "--store", "sqlite:///other.db")
    with Store.open(URL) as one, Store.open("sqlite:///other.db") as two:
        apart = [scores(store)["score"].to_list() for store in (one, two, one, two)]
        assert apart[0] == apart[2] == [10.0, 9.0]
        assert apart[1] == apart[3] == [7.0, 8.0]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda store: scores(store)["score"].to_list(), [one, two] * 8))
    assert together == apart[:2] * 8


def test_a_damaged_definition_is_said_and_breaks_nothing(clinic):
    with SQLITE.connect("clinic.db") as connection:
        connection.execute("DROP TRIGGER definition_kept_from_update")
        connection.execute("UPDATE definition SET text = 'key = '")
    for command in (("review", "C1"), ("caseload",), ("export", "out")):
        assert "lone" in run(*command)
    run("review", "C1", "--instruments", "own")
    assert "its definitions are not those that were written" in run("verify", code=1)


def test_the_database_itself_keeps_definitions_as_they_are(clinic):
    for change in ("UPDATE definition SET version = '2'", "DELETE FROM definition"):
        with SQLITE.connect("clinic.db") as connection, pytest.raises(SQLITE.IntegrityError):
            connection.execute(change)


def test_a_definition_that_came_back_is_the_newest_again(clinic):
    file = clinic / "own" / "lone.toml"
    first = file.read_text()
    for year, text in ((2023, first.replace('version = "1"', 'version = "2"')), (2022, first)):
        file.write_text(text)
        Path("b.csv").write_text(ROWS.replace("2026", str(year)))
        run("import", "b.csv", "--instruments", "own")
    with Store.open(URL) as store:
        assert store.definitions()["version"].to_list() == ["1", "2", "1"]
    assert "is not the one" not in run("caseload", "--instruments", "own")


def test_reading_from_python_uses_it_as_well(clinic):
    with Store.open(URL) as store:
        assert client_review(store, "C1").trajectories
        assert caseload(store).rows[0].cells


def test_a_backup_brings_it_along(clinic):
    run("backup", "copy.mbcbackup")
    run("restore", "copy.mbcbackup", "--to", "sqlite:///again.db")
    with Store.open("sqlite:///again.db") as store:
        assert store.definitions()["instrument"].to_list() == ["lone"]


@pytest.mark.parametrize(
    "kind",
    [
        "csv",
        "fhir",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("excel", "parquet", "spss", "redcap", "bids")),
    ],
)
def test_every_export_brings_it_along(clinic, kind):
    target = {"excel": "out.xlsx", "fhir": "out.json"}.get(kind, "out")
    before = run("review", "C1")
    run("export", target, "--format", kind)
    run("init", "--store", "sqlite:///again.db")
    run("import", target, "--store", "sqlite:///again.db")
    assert run("review", "C1", "--store", "sqlite:///again.db") == before
    with Store.open(URL) as one, Store.open("sqlite:///again.db") as two:
        assert one.definitions()["text"].to_list() == two.definitions()["text"].to_list()


def test_an_older_definition_in_an_export_does_not_take_the_place_of_the_one_on_record(clinic):
    run("export", "out")
    file = clinic / "own" / "lone.toml"
    file.write_text(file.read_text().replace("reverse = [] ", 'reverse = ["q4"] '))
    Path("b.csv").write_text(ROWS.replace("2026", "2025"))
    run("import", "b.csv", "--instruments", "own")
    before = run("review", "C1")
    assert "The definition of 'lone' in the imported record was not used" in run("import", "out")
    assert run("review", "C1") == before


def test_the_record_decides_channel_and_flags_of_an_own_questionnaire_for_every_writer(clinic):
    (clinic / "own" / "unsafe.toml").write_text(safety_questionnaire("unsafe"))
    Path("s.csv").write_text("client,date,unsafe_1,unsafe_2\nC1,2026-03-01,4,0\n")
    run("import", "s.csv", "--instruments", "own")
    with Store.open(URL) as store:
        with store.writing() as record:
            record.add(Administration("C1", "unsafe", date(2026, 3, 2), (3, 1)))
        assert store.answers("unsafe").is_empty()
        assert store.answers("unsafe", channel="safety").height == 4
        assert store.safety_flags()["item"].to_list() == ["q1", "q1"]
        with pytest.raises(StoreError, match="belongs to the safety channel"), store.writing() as record:
            record.add(Administration("C1", "unsafe", date(2026, 3, 3), (3, 1), channel="care"))


def test_answers_without_a_definition_on_record_are_refused(clinic):
    refused = pytest.raises(StoreError, match="The record has no definition of 'mine'")
    with Store.open(URL) as store, refused, store.writing() as record:
        record.add(Administration("C1", "mine", date(2026, 3, 3), (1,)))


def test_a_definition_cannot_move_answers_into_another_channel(clinic):
    file = clinic / "own" / "lone.toml"
    file.write_text(file.read_text().replace("#recall", "safety_channel = true\n#recall", 1))
    Path("b.csv").write_text(ROWS.replace("2026", "2025"))
    output = run("import", "b.csv", "--instruments", "own", code=1)
    assert "belong to the care channel, and stay there" in output


def test_a_user_keeps_no_definition(clinic):
    with Store.open(URL) as store:
        store.accounts.add("ann", "four plain words here", "clinician", "K1")
        with pytest.raises(AccessDenied), store.as_user("ann").writing() as record:
            record.keep_definition(Definition("mine", "1", "text", {"channel": "care"}))
        with store.as_user("ann").writing() as record:
            record.add(Administration("C1", "lone", date(2026, 3, 3), (1, 1, 1, 1)))


def test_answers_of_an_own_questionnaire_with_a_risk_item_need_the_permission(clinic):
    file = clinic / "own" / "lone.toml"
    file.write_text(file.read_text() + '[[flag]]\nitem = "q1"\nat_least = 3\nlabel = "afraid at home"\n')
    Path("b.csv").write_text(ROWS.replace("2026", "2025"))
    run("import", "b.csv", "--instruments", "own")
    with Store.open(URL) as store:
        store.accounts.add("ann", "four plain words here", "clinician", "K1")
        assert store.as_user("ann").answers("lone").is_empty()
        assert store.answers("lone").height == 16


def test_rescoring_keeps_the_definition_of_a_record_that_had_none(clinic):
    forget_definitions()
    run("rescore", "--apply", "--instruments", "own")
    assert "2026-02-05" in run("review", "C1")
    assert "No scores" not in run("review", "C1")
    with SQLITE.connect("clinic.db") as connection:
        lines = connection.execute("SELECT count(*) FROM audit").fetchone()
    run("rescore", "--apply")
    with Store.open(URL) as store:
        assert store.definitions().height == 1
        assert store.audit.entries().height == lines[0] + 1
