"""``mbc audit``: a trail that can be read, narrowed, and taken out."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import AccessDenied, SettingsError
from mbc.store import Administration, Client, Clinician, Flag, ImportSource, Store

WHY = "=HYPERLINK: covering for K1, the client has called in distress"


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('trail') / 'clinic.db'}"
    with Store.create(address) as store:
        with store.writing() as record:
            record.add_all([Clinician("K1", "One"), Clinician("K2", "Two"), Client("C1", clinician_id="K1")])
        with store.writing(source=ImportSource("hits of March.csv")) as record:
            flags = (Flag("i9"),)
            record.add(Administration("C1", "phq9", date(2026, 1, 5), (1,) * 9, flags=flags))
            record.add(Administration("C1", "hits", date(2026, 1, 5), (3, 1, 4, 1), channel="safety"))
        store.accounts.add("ann", "a long enough phrase", "clinician", "K2")
        store.accounts.add("adm", "a long enough phrase", "administrator")
        store.accounts.add("lead", "a long enough phrase", "safety_lead")
        mine = store.as_user("ann", origin="10.0.0.7")
        mine.break_glass("C1", reason=WHY, safety=True).safety_flags()
        mine.open_break_glass_view("C1").goals()
        mine.end_break_glass("C1")
        with store.as_user("lead").writing() as record:
            record.acknowledge(1, "i9")
        store.audit.record("export", subject="=cmd|'/c calc'!A0", file="\x1b[31mred.csv")
    return address


def run(url: str, *words: str) -> str:
    result = CliRunner().invoke(
        program, ["audit", "--store", url, *words], catch_exceptions=False, standalone_mode=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_a_line_says_who_what_when_and_from_where(url):
    said = run(url, "--who", "ann", "--action", "read", "--about", "C1")
    assert "ann  read  C1  from 10.0.0.7" in said
    assert f"{datetime.now(UTC):%Y-%m-}" in said
    assert "No line matches" in run(url, "--who", "nobody")
    assert "No line matches" in run(url, "--to", "2020-01-01")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert "ann  read" in run(url, "--from", today, "--to", today)
    assert "ann  read" in run(url, "--from", "0001-01-01", "--to", "9999-12-31")
    assert run(url, "--last", "2").count("  from ") == 2


def test_nothing_of_the_safety_channel_is_told_unless_it_is_asked_for(url):
    for words in ((), ("--as", "adm"), ("--break-glass",), ("--break-glass", "--as", "adm")):
        said = run(url, *words).replace("What tells of the safety channel", "").replace("--include-safety", "")
        for word in ("hits", "acknowledged", "i9", "distress", "read safety", "kept apart"):
            assert word not in said, (words, word)
    said = run(url, "--include-safety")
    for word in ("hits of March.csv", "acknowledged 1", "read safety", WHY):
        assert word in said, word
    with pytest.raises(AccessDenied, match="safety:read"):
        run(url, "--as", "adm", "--include-safety")


def test_how_many_lines_were_left_out_is_not_told(url):
    """Of one client, or of one kind of line, that number says whether the safety channel has anything."""
    with Store.open(url) as store:
        administrator = store.as_user("adm")
        asked = ({"subject": "C1"}, {"action": "read safety"}, {"subject": "C1", "last": 1}, {"last": 3})
        shown = [administrator.audit.entries(**each).height for each in asked]
        told = store.audit.entries(who="adm", action="audit read", last=len(asked))["detail"]
        assert [json.loads(detail)["lines"] for detail in told] == shown
        hidden = store.audit.entries(subject="C1", include_safety=True)
        assert shown[0] < hidden.height
        assert shown[1:] == [0, 1, 3]
        # the newest line that may be shown, although a newer one is left out
        store.as_user("lead").safety_flags(client_id="C1")
        assert store.audit.entries(last=1, subject="C1", include_safety=True)["action"].item() == "read safety"
        newest = administrator.audit.entries(subject="C1").tail(1)
        assert administrator.audit.entries(subject="C1", last=1).equals(newest)


def test_records_opened_out_of_turn_are_told_to_the_safety_lead_with_their_reasons(url):
    said = run(url, "--break-glass", "--as", "lead", "--include-safety")
    assert "ann  opened with safety data until" in said
    assert "closed  C1  from 10.0.0.7" in said
    assert WHY in said
    with pytest.raises(AccessDenied):
        run(url, "--as", "lead")


def test_a_csv_holds_no_formula_and_a_screen_no_control_character(url, tmp_path):
    out = tmp_path / "trail.csv"
    assert "lines written" in run(url, "--out", str(out), "--include-safety")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    subjects = {row["subject"] for row in rows}
    assert "'=cmd|'/c calc'!A0" in subjects
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row.values())
    assert out.stat().st_mode & 0o077 == 0
    assert "\x1b" not in run(url)
    with pytest.raises(SettingsError, match="already exists"):
        run(url, "--out", str(out))
    run(url, "--out", str(out), "--force")


def test_lines_of_json_are_the_trail(url, tmp_path):
    out = tmp_path / "trail.jsonl"
    run(url, "--out", str(out), "--as", "adm")
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows[0]["action"] == "write"
    assert rows[0]["detail"]["counts"] == {"client stored": 1, "clinician stored": 2}
    assert rows[0]["at"].endswith("Z")
    with Store.open(url) as store:
        last = store.audit.entries(who="adm", action="export").row(-1, named=True)
    assert json.loads(last["detail"]) == {"file": "trail.jsonl", "format": "audit trail, jsonl", "rows": len(rows)}


def test_what_cannot_be_asked_for_together(url, tmp_path):
    for words in (("--break-glass", "--who", "ann"), ("--out", str(tmp_path / "trail.txt"))):
        result = CliRunner().invoke(program, ["audit", "--store", url, *words])
        assert result.exit_code == 2, words
