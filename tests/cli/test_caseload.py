"""``mbc caseload`` shows every client in one line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import NotInRecord
from mbc.store import Administration, Client, Clinician, Store

START = dt.date(2025, 1, 6)
COURSES = {"C1": (18, 4), "C2": (4, 18), "C3": (9, 10)}  # PHQ-9; 6 points are a clear change


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as made, made.writing(by="test") as record:
        record.add_all([Clinician("K1", "Dr. Ilse Marten"), Clinician("K2", "Tomas Lindqvist")])
        for n, (client_id, scores) in enumerate(COURSES.items()):
            record.add(Client(client_id, clinician_id="K2" if client_id == "C3" else "K1"))
            for i, score in enumerate(scores):
                day = START + dt.timedelta(weeks=4 * i + n)
                record.add(Administration(client_id, "phq9", day, totals={"total": score}))
    return address


def run(*arguments: str) -> str:
    result = CliRunner().invoke(program, ("caseload", *arguments), catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0
    return result.output


def test_change_stands_under_better_worse_or_no_clear_change(url):
    lines = run("--store", url, "--scores").splitlines()
    lines = lines[next(at for at, line in enumerate(lines) if line.startswith("Client")) :]
    columns = {name: lines[0].index(name) for name in ("Better", "Worse", "No clear change")}
    placed = {client: line.index("PHQ-9") for line in lines[1:] for client in COURSES if line.startswith(client)}
    assert placed == {"C1": columns["Better"], "C2": columns["Worse"], "C3": columns["No clear change"]}


def test_latest_score_and_change_are_shown(url):
    output = " ".join(run("--store", url, "--scores").split())
    assert "PHQ-9 4 (−14), once" in output
    assert "PHQ-9 18 (+14), once" in output


def test_the_worklist_says_why_somebody_is_on_it(url):
    output = run("--store", url, "--as-of", "2025-03-20")
    assert output.startswith("As of 20 March 2025: 3 clients in care; 3 need you.")
    assert "No contact for 6 weeks." in " ".join(output.split())
    assert "No contact" not in run("--store", url, "--as-of", "2025-02-18")


def test_it_fits_eighty_columns(url):
    for options in ((), ("--scores",)):
        assert max(len(line.rstrip()) for line in run("--store", url, *options).splitlines()) <= 80


def test_one_clinicians_clients(url):
    told = run("--store", url, "--clinician", "K2")
    assert "C3" in told
    assert "C1" not in told


@pytest.mark.parametrize(("sort", "first"), [("client", "C1"), ("change", "C2"), ("contact", "C1")])
def test_rows_can_be_sorted(url, sort, first):
    lines = run("--store", url, "--sort", sort).splitlines()
    header = next(at for at, line in enumerate(lines) if line.startswith("Client"))
    assert lines[header + 1].startswith(first)


def test_an_unknown_clinician_is_refused_and_those_there_are_named(url):
    with pytest.raises(NotInRecord, match="K1, K2"):
        run("--store", url, "--clinician", "K9")


def test_an_empty_record_says_how_to_fill_it(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/none.db") as made:
        assert "mbc import" in run("--store", made.url)
