"""``mbc report`` writes documents, refuses what it must, and leaves a line without content in the audit trail."""

from __future__ import annotations

import datetime as dt
import json
import stat

import polars as pl
import pytest
from click.testing import CliRunner

from mbc.care.plan.battery import read_battery
from mbc.cli.program import program
from mbc.errors import AccessDenied, MbcError, NotInRecord, ReportError
from mbc.store import ReleaseOfInformation, Store
from tests.dashboards.record import PASSWORD, make_record
from tests.reports.documents import read_pdf, squeezed


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('report') / 'clinic.db'}"
    make_record(address)
    with Store.open(address) as store:
        store.accounts.add("res", PASSWORD, "researcher")
        store.accounts.add("lead", PASSWORD, "safety_lead")
    return address


def run(url: str, *arguments: object) -> str:
    words = ["report", *map(str, arguments), "--store", url]
    result = CliRunner().invoke(program, words, catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0
    return result.output


def lines_of(url: str) -> pl.DataFrame:
    with Store.open(url) as store:
        return store.audit.entries()


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_the_review_is_written_for_its_owner_only(url, tmp_path, suffix):
    place = tmp_path / f"review{suffix}"
    assert "Written to" in run(url, "client", "C001", "-o", place, "--as", "ash", "--as-of", "2026-03-23")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [place.name]
    if suffix == ".pdf":
        assert squeezed("as of 23 Mar 2026") in squeezed(read_pdf(place.read_bytes()).text)


def test_us_letter(url, tmp_path):
    run(url, "client", "C002", "-o", tmp_path / "a.pdf", "--paper", "us-letter", "--no-expected")
    assert read_pdf((tmp_path / "a.pdf").read_bytes()).sizes[0] == pytest.approx((215.9, 279.4), abs=0.3)


def test_a_file_that_is_there_is_replaced_only_when_asked(url, tmp_path):
    place = tmp_path / "a.html"
    place.write_text("mine")
    with pytest.raises(ReportError, match="--force"):
        run(url, "client", "C001", "-o", place)
    assert place.read_text() == "mine"
    run(url, "client", "C001", "-o", place, "--force")
    assert place.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.docx", r"\.pdf or \.html"), ("a", r"\.pdf or \.html"), ("no/a.pdf", "does not exist")],
)
def test_other_names_are_refused_before_anything_is_read(url, tmp_path, name, message):
    before = lines_of(url).height
    with pytest.raises(ReportError, match=message):
        run(url, "client", "C001", "-o", tmp_path / name)
    assert lines_of(url).height == before


@pytest.mark.parametrize(
    ("user", "client", "fault"),
    [
        ("birch", "C001", NotInRecord),
        ("ash", "C003", NotInRecord),
        ("ash", "nobody", NotInRecord),
        ("ana", "C001", AccessDenied),
        ("res", "C001", AccessDenied),
        ("adam", "C001", MbcError),
        ("lead", "C001", AccessDenied),
    ],
)
def test_who_may_not_read_a_client_prints_nothing(url, tmp_path, user, client, fault):
    with pytest.raises(fault):
        run(url, "client", client, "-o", tmp_path / "a.pdf", "--as", user)
    assert not list(tmp_path.iterdir())


def test_the_audit_trail_says_who_made_what_about_whom_and_nothing_of_it(url, tmp_path):
    run(url, "client", "C001", "-o", tmp_path / "secret name.pdf", "--as", "oak")
    line = lines_of(url).filter(pl.col("action") == "report").row(-1, named=True)
    assert (line["who"], line["subject"]) == ("oak", "C001")
    assert json.loads(line["detail"]) == {"kind": "client", "form": "pdf", "language": "en"}


def test_the_summary_says_which_goals_are_on_it_and_warns_of_what_was_ticked(url, tmp_path):
    place = tmp_path / "page.pdf"
    output = run(url, "summary", "C001", "-o", place, "--as", "ash", "--language", "nl")
    assert "Goal on the form: Say what I need" in output
    assert "found by others" not in output
    assert "Hoe het met u gaat" in read_pdf(place.read_bytes()).text
    ticked = run(url, "summary", "C001", "-o", place, "--force", "--include", "events", "--include", "alliance")
    assert "events and relationships" in ticked
    assert "found by others" in ticked
    line = lines_of(url).filter(pl.col("action") == "report").row(-1, named=True)
    assert json.loads(line["detail"]) == {
        "kind": "summary", "form": "pdf", "language": "en", "included": ["events", "alliance"],
    }  # fmt: skip


def test_a_language_that_there_is_not_is_refused_before_anything_is_read(url, tmp_path):
    before = lines_of(url).height
    with pytest.raises(ReportError, match="'es', 'fr' or 'nl'"):
        run(url, "summary", "C001", "-o", tmp_path / "a.pdf", "--language", "it")
    assert lines_of(url).height == before


def test_how_progress_is_measured(url, tmp_path):
    with pytest.raises(ReportError, match="no plan of measures"):
        run(url, "measures", "C002", "-o", tmp_path / "a.pdf")
    with Store.open(url) as store, store.writing() as record:
        record.add_all(read_battery().planned("C001", dt.date(2026, 1, 5)))
    output = run(url, "measures", "C001", "-o", tmp_path / "a.html", "--language", "fr", "--include", "alliance")
    assert "Includes the alliance." in output
    assert "Comment on voit si cela avance" in (tmp_path / "a.html").read_text()
    line = lines_of(url).filter(pl.col("action") == "report").row(-1, named=True)
    assert json.loads(line["detail"]) == {
        "kind": "measures", "form": "html", "language": "fr", "included": ["alliance"],
    }  # fmt: skip


def test_the_couples_summary_needs_a_release_and_the_permission(url, tmp_path):
    today = dt.date.today()  # noqa: DTZ011
    with Store.open(url) as store, store.writing() as record:
        record.add(
            ReleaseOfInformation(
                "R-1", "C001", "Dr Rowan", "planning", "rses", today, today + dt.timedelta(days=30)
            )
        )
    run(url, "couples", "C001", "--release", "R-1", "-o", tmp_path / "a.pdf", "--as", "ash")
    assert "Summary for Dr Rowan" in read_pdf((tmp_path / "a.pdf").read_bytes()).text
    line = lines_of(url).filter(pl.col("action") == "report").row(-1, named=True)
    assert (line["who"], line["subject"]) == ("ash", "C001")
    assert json.loads(line["detail"]) == {"kind": "couples", "form": "pdf", "language": "en", "release": "R-1"}
    with pytest.raises(AccessDenied):
        run(url, "couples", "C001", "--release", "R-1", "-o", tmp_path / "b.pdf", "--as", "oak")
    with pytest.raises(ReportError, match="leave out --as-of"):
        run(url, "couples", "C001", "--release", "R-1", "-o", tmp_path / "b.pdf", "--as-of", "2026-01-01")
    assert not (tmp_path / "b.pdf").exists()
