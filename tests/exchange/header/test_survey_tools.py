"""Exports of survey programs are recognised by their shape, and read without a mapping file."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.care import scores
from mbc.cli.program import program
from mbc.errors import ImportRefused, MissingItems
from mbc.exchange import plan_import
from mbc.store import Store

WORDS = ("Strongly disagree", "Disagree", "Agree", "Strongly agree")
GIVEN = (2, 1, 3, 0, 2, 1, 2, 3, 0, 1)
QUESTIONS = [f"Statement {letter} about how I see myself" for letter in "ABCDEFGHIJ"]


def write(path: Path, *rows: list[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def qualtrics(folder: Path) -> Path:
    fixed = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Finished", "RecordedDate", "ResponseId"]
    ids = [f'{{"ImportId":"{name}","timeZone":"America/Denver"}}' for name in [*fixed, "QID1", *QUESTIONS]]
    names = [*fixed, "Client code", *(f"Q5_{n}" for n in range(1, 11))]
    texts = ["Start Date", "End Date", *fixed[2:], "Your code", *(f"How true?\n- {text}" for text in QUESTIONS)]
    answers = ["2026-01-05 10:00:00", "2026-01-05 10:05:00", "IP Address", "10.0.0.1", "100", "True",
               "2026-01-05 10:05:01", "R_1", "C1", *(WORDS[n] for n in GIVEN)]  # fmt: skip
    return write(folder / "q.csv", names, texts, ids, answers)


def surveymonkey(folder: Path) -> Path:
    fixed = ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Your code"]
    first = [*fixed, "How true is each statement?", *([""] * 9)]
    second = ["", "", "", "", "", "Open-Ended Response", *QUESTIONS]
    answers = ["118", "4", "01/25/2026 10:00:00 AM", "01/25/2026 10:04:00 AM", "", "C1"]
    return write(folder / "s.csv", first, second, [*answers, *(WORDS[n] for n in GIVEN)])


def limesurvey(folder: Path) -> Path:
    names = ["id", "submitdate", "lastpage", "startlanguage", "seed", "token",
             *(f"G01Q05[SQ{n:03}]" for n in range(1, 11))]  # fmt: skip
    answers = ["1", "2026-01-05 10:04:00", "2", "en", "771", "C1", *(f"AO{n + 1:02}" for n in GIVEN)]
    return write(folder / "l.csv", names, answers)


def limesurvey_texts(folder: Path) -> Path:
    names = ["Response ID", "Date submitted", "Last page", "Token",
             *(f"G01Q05[SQ{n:03}]. {text}" for n, text in enumerate(QUESTIONS, 1))]  # fmt: skip
    return write(folder / "l.csv", names, ["1", "2026-01-05 10:04:00", "2", "C1", *(WORDS[n] for n in GIVEN)])


def google(folder: Path) -> Path:
    names = ["Timestamp", "Your code", *(f"How true is each? [{text}]" for text in QUESTIONS)]
    return write(folder / "g.csv", names, ["2026/01/05 2:22:33 PM GMT+1", "C1", *(WORDS[n] for n in GIVEN)])


def google_questions(folder: Path) -> Path:
    return write(
        folder / "g.csv",
        ["Timestamp", "Your code", "How old are you?", *QUESTIONS, "Anything else?"],
        ["2026/01/05 2:22:33 PM GMT+1", "C1", "34", *(WORDS[n] for n in GIVEN), "no"],
    )


def microsoft(folder: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["ID", "Start time", "Completion time", "Email", "Name", "Your code", *QUESTIONS])
    moments = [f"2026-01-05T10:0{n}:00" for n in (0, 4)]
    sheet.append([1, *moments, "anonymous", None, "C1", *(WORDS[n] for n in GIVEN)])
    book.save(folder / "m.xlsx")
    return folder / "m.xlsx"


PROGRAMS = {
    "Qualtrics": (qualtrics, date(2026, 1, 5)),
    "SurveyMonkey": (surveymonkey, date(2026, 1, 25)),
    "LimeSurvey": (limesurvey, date(2026, 1, 5)),
    "LimeSurvey, with texts": (limesurvey_texts, date(2026, 1, 5)),
    "Google Forms": (google, date(2026, 1, 5)),
    "Google Forms, question by question": (google_questions, date(2026, 1, 5)),
    "Microsoft Forms": (microsoft, date(2026, 1, 5)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_export_is_read_without_a_mapping(tmp_path, name):
    made, day = PROGRAMS[name]
    coding = "1-4" if name == "LimeSurvey" else None  # its answer codes are numbered from 1
    plan = plan_import(made(tmp_path), instrument="rses", coding=coding)
    assert any(name.partition(",")[0] in note for note in plan.notes)
    (row,) = plan.administrations.iter_rows(named=True)
    assert row["reason"] is None
    assert (row["client_id"], row["taken_on"], row["outcome"]) == ("C1", day, "stored")
    assert row["answers"] == [n + (coding is not None) for n in GIVEN]
    assert any("its items 1 to 10 are the columns" in note for note in plan.notes)


HOW_TO = re.compile(
    r"^\| (?P<program>[^|]+?) \| [^|]+ \| `mbc (?P<command>import (?P<file>\S+) [^`]+)` \|$", re.MULTILINE
)
DOCS = Path(__file__).parents[3] / "docs" / "import-export.md"


@pytest.mark.long
def test_the_how_tos_work_when_they_are_followed_to_the_letter(tmp_path, monkeypatch):
    made = {
        "qualtrics.csv": qualtrics,
        "surveymonkey.csv": surveymonkey,
        "limesurvey.csv": limesurvey_texts,
        "codes.csv": limesurvey,
        "google.csv": google,
        "microsoft.xlsx": microsoft,
    }
    how_tos = list(HOW_TO.finditer(DOCS.read_text(encoding="utf-8")))
    assert {how_to["file"] for how_to in how_tos} == set(made)
    for how_to in how_tos:
        folder = tmp_path / how_to["file"]
        folder.mkdir()
        monkeypatch.chdir(folder)
        made[how_to["file"]](folder).rename(how_to["file"])
        Store.create("sqlite:///clinic.db").close()
        result = CliRunner().invoke(program, how_to["command"].split())
        assert result.exit_code == 0, (how_to["program"], result.output, result.exception)
        with Store.open("sqlite:///clinic.db") as store:
            assert store.administrations()["client_id"].to_list() == ["C1"]
            assert scores(store)["score"].to_list() == [sum(reversed_items(GIVEN))]


def reversed_items(answers: tuple[int, ...]) -> list[int]:
    """Score by hand: items 2, 5, 6, 8 and 9 of form a are worded the other way."""
    return [3 - answer if place in {2, 5, 6, 8, 9} else answer for place, answer in enumerate(answers, 1)]


def test_a_mapping_goes_before_what_the_shape_says(tmp_path):
    plan = plan_import(qualtrics(tmp_path), instrument="rses", columns={"client_id": "ResponseId"})
    assert plan.administrations["client_id"].to_list() == ["R_1"]


def test_two_groups_that_could_be_the_items_are_not_guessed_between(tmp_path):
    names = [
        "Timestamp",
        "Your code",
        *(f"{part} [{text}]" for part in ("Today", "A year ago") for text in QUESTIONS),
    ]
    file = write(tmp_path / "g.csv", names, ["2026/01/05 2:22:33 PM", "C1", *(WORDS[n] for n in GIVEN * 2)])
    with pytest.raises(MissingItems, match="needs 10 item columns"):
        plan_import(file, instrument="rses")


def test_columns_that_bear_the_questionnaire_s_name_are_its_items(tmp_path):
    names = ["id", "submitdate", "lastpage", "token", *(f"rses[SQ{n:03}]" for n in range(1, 11))]
    file = write(tmp_path / "l.csv", names, ["1", "2026-01-05 10:00:00", "2", "C1", *(WORDS[n] for n in GIVEN)])
    plan = plan_import(file, instrument="rses")
    assert plan.administrations["answers"].to_list() == [[float(n) for n in GIVEN]]


def test_a_hint_names_no_columns_that_are_not_there(tmp_path):
    rows = [["client", "date", *(["Q"] + [""] * 8)], ["C1", "2026-01-05", *("1" * 9)]]
    with pytest.raises(MissingItems) as refused:
        plan_import(write(tmp_path / "a.csv", *rows), instrument="rses")
    assert "column {n}" not in str(refused.value)


def test_a_file_of_questions_and_nothing_named_is_refused(tmp_path):
    with pytest.raises(ImportRefused):
        plan_import(google(tmp_path))
