"""Days, weeks and waves that are numbered become dates where a start date is given, and only then."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import ImportRefused, SettingsError
from mbc.exchange import plan_import
from mbc.store import Store

START = date(2026, 1, 5)
ITEMS = ",".join(f"who5_{n}" for n in range(1, 6))
DOCS = Path(__file__).parents[3] / "docs" / "import-export.md"


def write(folder: Path, header: str, *numbers: str) -> Path:
    file = folder / "a.csv"
    rows = [f"C1,{number},{','.join(str(place % 4) * 5)}" for place, number in enumerate(numbers)]
    file.write_text("\n".join([f"client,{header},{ITEMS}", *rows]))
    return file


@pytest.mark.parametrize(
    ("header", "numbers", "more", "days"),
    [
        ("day", ("0", "1", "30"), {}, (date(2026, 1, 5), date(2026, 1, 6), date(2026, 2, 4))),
        ("Study day", ("-2", "7.0"), {}, (date(2026, 1, 3), date(2026, 1, 12))),
        ("week", ("0", "4"), {}, (date(2026, 1, 5), date(2026, 2, 2))),
        ("Wave", ("1", "3"), {"days_per_wave": 28}, (date(2026, 1, 5), date(2026, 3, 2))),
        ("t", ("5",), {"columns": {"taken_on": "t"}}, (date(2026, 1, 10),)),
        ("t", ("2",), {"columns": {"taken_on": "t"}, "days_per_wave": 10}, (date(2026, 1, 15),)),
    ],
)
def test_numbers_are_counted_from_the_start_date(tmp_path, header, numbers, more, days):
    plan = plan_import(write(tmp_path, header, *numbers), start_date=START, **more)
    assert plan.administrations["taken_on"].to_list() == list(days)
    assert plan.administrations["outcome"].to_list() == ["stored"] * len(days)
    assert any(f"the last is {max(days)}" in note for note in plan.notes)


def test_waves_without_their_distance_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="--days-per-wave 28"):
        plan_import(write(tmp_path, "wave", "1", "2"), start_date=START)


def test_a_file_without_such_a_column_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="has no such column"):
        plan_import(write(tmp_path, "moment", "1"), start_date=START)


def test_dates_are_not_counted_from_the_start_date(tmp_path):
    with pytest.raises(ImportRefused, match="Leave --start-date out"):
        plan_import(write(tmp_path, "day", "1", "2026-02-01"), start_date=START)


def test_without_a_start_date_numbers_are_no_days(tmp_path):
    plan = plan_import(write(tmp_path, "day", "1"))
    assert plan.administrations["outcome"].to_list() == ["refused"]


def test_the_how_to_works_when_it_is_followed_to_the_letter(tmp_path, monkeypatch):
    commands = re.findall(r"^mbc (import \S+ --start-date .+)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    monkeypatch.chdir(tmp_path)
    Store.create("sqlite:///clinic.db").close()
    write(tmp_path, "day", "0", "20").rename("days.csv")
    write(tmp_path, "wave", "2", "3").rename("waves.csv")
    for command in commands:
        result = CliRunner().invoke(program, command.split())
        assert result.exit_code == 0, (result.output, result.exception)
    with Store.open("sqlite:///clinic.db") as store:
        days = store.administrations()["taken_on"].to_list()
    assert days == [date(2026, 1, 5), date(2026, 1, 25), date(2026, 2, 2), date(2026, 3, 2)]
