"""Files whose import prints a hint, the words of the hint, and what following it must do; see test_hints."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def wide(key: str, items: int, *rows: list[Any], names: str | None = None, first: str = "client,date") -> str:
    """A wide table; each row is client, day and answers."""
    header = [first, *((names or f"{key}_{{n}}").replace("{n}", str(n)) for n in range(1, items + 1))]
    return "".join(",".join(map(str, line)) + "\n" for line in [header, *rows])


def drawn(items: int, people: int, low: int, high: int) -> list[list[int]]:
    source = random.Random(1)
    return [[source.randint(low, high) for _ in range(items)] for _ in range(people)]


def people(rows: list[list[int]], day: str = "2026-01-05") -> list[list[Any]]:
    return [[f"N{n}", day, *row] for n, row in enumerate(rows, 1)]


def of_one_trait(reverse: set[int]) -> list[list[int]]:
    source = random.Random(2)
    rows: list[list[int]] = []
    for _ in range(250):
        trait = source.gauss(1.5, 0.9)
        keyed = [min(3, max(0, round(source.gauss(trait, 0.6)))) for _ in range(10)]
        rows.append([3 - value if n in reverse else value for n, value in enumerate(keyed, start=1)])
    return rows


ROW = ["C1", "2026-01-05"]
GAD7 = wide("gad7", 7, [*ROW, *[1] * 7])
RSES = [1, 2, 1, 0, 3, 2, 1, 0, 3, 2]


def response(name: str, link: str, answer: dict[str, Any]) -> str:
    items = [{"linkId": link.replace("{n}", str(n)), "answer": [answer]} for n in range(1, 10)]
    return json.dumps(
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "questionnaire": name,
            "subject": {"reference": "Patient/C1"},
            "authored": "2026-01-05",
            "item": items,
        }
    )


CODING = {"system": "urn:x", "code": "b", "display": "some"}
WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"
QUESTIONNAIRE = json.dumps(
    {
        "resourceType": "Questionnaire",
        "url": "http://x/moods",
        "item": [
            {
                "linkId": f"phq9_{n}",
                "answerOption": [
                    {
                        "valueCoding": {
                            "system": "urn:x",
                            "code": code,
                            "extension": [{"url": WEIGHT, "valueDecimal": m}],
                        }
                    }
                    for m, code in enumerate("abcd")
                ],
            }
            for n in range(1, 10)
        ],
    }
)


def redcap(choices: str, field_type: str = "radio") -> dict[str, str]:
    head = (
        'Variable / Field Name,Form Name,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",'
        "Text Validation Type OR Show Slider Number"
    )
    fields = "".join(f'gad7_{n},gad,{field_type},Item {n},"{choices}",\n' for n in range(1, 8))
    dictionary = f"{head}\nrecord_id,base,text,ID,,\nday,gad,text,Day,,date_ymd\n{fields}"
    return {"a.csv": f"record_id,day,{GAD7.splitlines()[0][12:]},gad_complete\nC1,2026-01-05,1,1,1,1,1,1,1,2\n",
            "d.csv": dictionary}  # fmt: skip


def workbook(folder: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for sheet, day in ((book.active, "2026-01-05"), (book.create_sheet("Second"), "2026-02-05")):
        sheet.append(["client", "date", *(f"gad7_{n}" for n in range(1, 8))])
        sheet.append(["C1", day, *[1] * 7])
    book.save(folder / "a.xlsx")


def record_folder(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "clinicians.csv").write_text("clinician_id,display_name\nK1,Dr. One\n", encoding="utf-8")
    (folder / "a" / "clients.csv").write_text("client_id,clinician_id\nN1,K1\n", encoding="utf-8")


def spss(folder: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    pl = pytest.importorskip("polars")
    rows = dict(zip(GAD7.splitlines()[0].split(","), [[each] for each in [*ROW, *[1] * 7]], strict=True))
    pyreadstat.write_sav(pl.DataFrame(rows | {"remark": ["Zoxx"]}), folder / "a.sav")
    raw = (folder / "a.sav").read_bytes()
    (folder / "a.sav").write_bytes(raw.replace(b"Zoxx", b"Z\xebxx"))


@dataclass(frozen=True)
class Hint:
    """A file, the message that it meets with the hints as groups, and where the message is written."""

    sites: tuple[str, ...]
    files: Any
    says: str
    args: str = ""
    fill: dict[str, str] = field(default_factory=dict)
    """What stands in a hint for something of the user's own -> what to put there."""
    ends: str | None = None
    """What following it must say instead of storing."""
    instead: str | None = None
    """The arguments after it was followed, where the hint says which to leave out."""
    together: bool = False
    """Whether the groups are one hint; otherwise each is one of its own."""


def case(sites: str, files: Any, says: str, args: str = "", **more: Any) -> Hint:
    files = {"a.csv": files} if isinstance(files, str) else files
    return Hint(tuple(sites.split(" | ")), files, says, args, **more)


MIXED = wide("gad7", 7, *(["C1", day, *[1] * 7] for day in ("01/25/2026", "02/03/2026", "03/28/2026")))
HINTS = {
    "day or month": case(
        "exchange/cells/dates.py --date-format",
        wide("gad7", 7, ["C1", "02/03/2026", *[1] * 7]),
        r"Choose with (--date-format '%d/%m/%Y') or '%m/%d/%Y'",
    ),
    "month or day": case(
        "exchange/cells/dates.py --date-format",
        wide("gad7", 7, ["C1", "02/03/2026", *[1] * 7]),
        r"Choose with (--date-format) '%d/%m/%Y' or ('%m/%d/%Y')",
        together=True,
    ),
    "month first": case(
        "exchange/cells/dates.py --date-format",
        MIXED,
        r"If the day is first: (--date-format '%d/%m/%Y')",
        ends="row 2",  # the date that can be read in no other way is named
    ),
    "two digits": case(
        "exchange/cells/dates.py --date-format",
        wide("gad7", 7, ["C1", "31.01.26", *[1] * 7]),
        r"or give the (--date-format)",
        fill={"--date-format": "--date-format %d.%m.%y"},
    ),
    "no date": case(
        "exchange/cells/dates.py --date-format",
        wide("gad7", 7, ["C1", "2026|01|31", *[1] * 7]),
        r"is not a date; accepted are 2026-01-31, 31.01.2026, or (--date-format)",
        fill={"--date-format": "--date-format '%Y|%m|%d'"},
    ),
    "a format that is none": case(
        "exchange/cells/dates.py --date-format",
        wide("gad7", 7, ["C1", "31.01.2026", *[1] * 7]),
        r"(--date-format) '%d' must name day, month and year, such as ('%d\.%m\.%Y')",
        "--date-format %d",
        instead="",
    ),
    "choices the other way": case(
        "exchange/choices/offered_scale.py --coding",
        redcap("0, Nearly every day | 1, More than half the days | 2, Several days | 3, Not at all"),
        r"name the (--coding) if the labels are wrong",
        "--dictionary d.csv",
        fill={"--coding": "--coding 0-3"},
    ),
    "choices of no coding": case(
        "exchange/choices/offered_scale.py --coding",
        redcap("1, Not at all | 2, Several days | 3, More than half the days | 4, Nearly every day | 5, Always"),
        r"or name the (--coding)\.",
        "--dictionary d.csv",
        fill={"--coding": "--coding 0-3"},
    ),
    "whose answers": case(
        "exchange/fhir/answer_table.py --instrument",
        {"a.json": response("http://x/other", "{n}", {"valueInteger": 1})},
        r"name the questionnaire with (--instrument)",
        fill={"--instrument": "--instrument phq9"},
    ),
    "codes without numbers": case(
        "exchange/fhir/answer_values.py --questionnaire",
        {"a.json": response("http://x/moods", "phq9_{n}", {"valueCoding": CODING}), "q.json": QUESTIONNAIRE},
        r"Questionnaire that gives it one: (--questionnaire FILE)",
        fill={"FILE": "q.json"},
    ),
    "codes and words that say two things": case(
        "exchange/fhir/displayed_answers.py --questionnaire | exchange/fhir/displayed_answers.py --coding",
        {
            "a.json": response(
                "http://x/moods", "phq9_{n}", {"valueCoding": {**CODING, "code": "1", "display": "Not at all"}}
            ),
            "q.json": QUESTIONNAIRE.replace('"b"', '"1"'),
        },
        r"its number \((--questionnaire FILE)\), or the coding if the labels are wrong \((--coding phq9=0-3)\)",
        fill={"FILE": "q.json"},
    ),
    "letters of another alphabet": case(
        "exchange/files/delimited.py --encoding",
        lambda folder: (folder / "a.csv").write_bytes(
            wide("gad7", 7, [*ROW, "x", *[1] * 7], first="client,date,\u017eivot").encode("windows-1250")
        ),
        r"give the correct encoding, such as (--encoding windows-1250)",
    ),
    "several sheets": case("exchange/files/excel.py --sheet", workbook, r"Name it: (--sheet 'Sheet')"),
    "a report is there": case(
        "exchange/files/output.py --force",
        {"a.csv": GAD7, "out.csv": "x"},
        r"or replace it with (--force)",
        "--out out.csv",
    ),
    "bytes of another encoding": case(
        "exchange/files/spss.py --encoding", spss, r"Give the correct one, such as (--encoding windows-1252)"
    ),
    "a column to map is not there": case(
        "exchange/header/columns.py --map",
        wide("gad7", 7, ["C1", "2026-01-05", *[1] * 7], first="patient nr,date"),
        r"(--map client_id=)patient no: 'a\.csv' has no column 'patient no'\. Nearest: ('patient nr')",
        "--map client_id='patient no'",
        fill={"= ": "="},
        instead="",
    ),
    "two columns could be it": case(
        "exchange/header/columns.py --map",
        wide("gad7", 7, ["C1", "C1", "2026-01-05", *[1] * 7], first="client,patient,date"),
        r"Name it: (--map client_id='client')",
    ),
    "two columns could be an item": case(
        "exchange/header/columns.py --map",
        wide("gad7", 7, [*ROW, *[1] * 8], first="client,date,GAD7 1").replace("gad7_1", "Gad7-1"),
        r"Name it: (--map gad7_1='GAD7 1')",
    ),
    "two columns could be a day of its own": case(
        "exchange/header/columns.py --map",
        wide("gad7", 7, ["C1", "2026-01-05", "2026-01-06", *[1] * 7], first="client,gad7_date,gad7_taken"),
        r"Name it: (--map \S+='[^']+')",
    ),
    "no column for the client": case(
        "exchange/header/columns.py --map",
        wide("gad7", 7, ["C1", "2026-01-05", *[1] * 7], first="whom,date"),
        r"Name it with (--map client_id='its header')",
        fill={"its header": "whom"},
    ),
    "a column to leave out is not there": case(
        "exchange/header/columns.py --ignore",
        wide("gad7", 7, [*ROW, "x", *[1] * 7], first="client,date,remark"),
        r"(--ignore) 'remarks': 'a\.csv' has no such column\. Nearest: ('remark')",
        "--ignore remarks",
        instead="",
    ),
    "items of a pattern without a questionnaire": case(
        "exchange/header/layout.py --instrument",
        wide("gad7", 7, [*ROW, *[1] * 7], names="Q{n}"),
        r"Name one: (--instrument rses)",
        "--items Q{n}",
        fill={"rses": "gad7"},
    ),
    "more columns than items": case(
        "exchange/header/layout.py --instrument | exchange/header/layout.py --ignore",
        wide(
            "phq9", 9, [*ROW, *[1] * 17], first=",".join(["client", "date", *(f"gad7_{n}" for n in range(1, 9))])
        ),
        r"Name it with (--instrument KEY); or leave the column out: (--ignore 'gad7_8')",
        fill={"KEY": "phq9"},
    ),
    "columns that could be the items": case(
        "exchange/header/layout.py --instrument | exchange/header/layout.py --items",
        wide("gad7", 7, [*ROW, *[1] * 7], names="Item {n}"),
        r"its items\? (--instrument gad7 --items 'Item \{n\}')",
        "--instrument gad7",
    ),
    "nearly the items": case(
        "exchange/header/layout.py --map",
        "client,date,gad_1,gad7_2,gad7_3,gad7_4,gad7_5,gad7_6,gad7_7\nC1,2026-01-05,1,1,1,1,1,1,1\n",
        r"Rename them, or use: (--map gad7_1='gad_1')",
    ),
    "a layout that nobody knows": case(
        "exchange/header/layout.py --instrument | exchange/header/layout.py --items",
        wide("gad7", 7, [*ROW, *[1] * 7], names="F{n}"),
        r"items\? (--instrument KEY --items 'F\{n\}')",
        fill={"KEY": "gad7"},
    ),
    "a map without a sign": case(
        "exchange/header/mapping_options.py --map",
        wide("gad7", 7, ["C1", "2026-01-05", *[1] * 7], first="Patient no.,date"),
        r"(--map) 'client_id': write NAME=HEADER, such as (client_id='Patient no\.')",
        "--map client_id",
        instead="",
    ),
    "a map of a role that is none": case(
        "exchange/header/mapping_options.py --map",
        wide("gad7", 7, ["C1", "2026-01-05", *[1] * 7], first="Patient no.,date"),
        r"(--map) client_di: .* Did you mean (client_id)\?",
        "--map 'client_di=Patient no.'",
        fill={"client_id": "'client_id=Patient no.'"},
        instead="",
    ),
    "a name without its clinician": case(
        "exchange/header/options.py --display-name | exchange/header/options.py --clinician",
        GAD7,
        r"(--display-name) names the clinician of (--clinician ID); give both",
        "--display-name 'Dr. New'",
        fill={"--display-name": "", "ID": "K9"},
        together=True,
    ),
    "an encoding that is none": case(
        "exchange/header/options.py --encoding",
        GAD7,
        r"(--encoding) 'latin-99' is not known; utf-8, (windows-1252)",
        "--encoding latin-99",
        instead="",
    ),
    "a correction without a reason": case(
        "exchange/header/options.py --supersede",
        GAD7,
        r"A correction needs a reason: (--supersede 'typing error in item 3')",
        "--supersede ' '",
        instead="",
    ),
    "a coding with a metric of its own": case(
        "exchange/header/questionnaires.py mbc score | exchange/header/questionnaires.py --coding",
        wide("ecr", 36, *people(drawn(36, 3, 1, 5))),
        r"Score the file instead: (mbc score FILE ecr --coding 1-5)",
        "--coding 1-5",
        fill={"FILE": "a.csv"},
        ends="",
    ),
    "an item order that is assumed": case(
        "exchange/header/questionnaires.py --form",
        wide("rses", 10, [*ROW, *RSES]),
        r"If the order is that of [^:]*: (--form rses=b)",
    ),
    "numbers of rows": case(
        "exchange/header/row_numbers.py --map",
        "id,token,date,"
        + ",".join(f"gad7_{n}" for n in range(1, 8))
        + "".join(f"\n{n},C1,2026-0{n}-05,1,1,1,1,1,1,1" for n in range(1, 5))
        + "\n",
        r"Choose one: (--map client_id='token')",
    ),
    "days that are not numbers": case(
        "exchange/header/study_days.py --start-date",
        wide("gad7", 7, ["C1", "2026-01-05", *[1] * 7], first="client,day"),
        r"Leave (--start-date) out if they are dates",
        "--start-date 2026-01-01",
        fill={"--start-date": ""},
        instead="",
    ),
    "which column counts days": case(
        "exchange/header/study_days.py --start-date | exchange/header/study_days.py --map",
        wide("gad7", 7, ["C1", 3, *[1] * 7], first="client,when it was"),
        r"Name it: (--map taken_on='its header')",
        "--start-date 2026-01-01",
        fill={"its header": "when it was"},
    ),
    "how far apart waves are": case(
        "exchange/header/study_days.py --days-per-wave",
        wide("gad7", 7, ["C1", 3, *[1] * 7], first="client,wave"),
        r"(--days-per-wave 28)",
        "--start-date 2026-01-01",
    ),
    **{
        f"{option} of another format": case(
            f"exchange/open_file.py {option}",
            files,
            rf"so ({option}) does not apply",
            given,
            fill={option: ""},
            instead="",
        )
        for option, files, given in (
            ("--sheet", GAD7, "--sheet A"),
            ("--questionnaire", {"a.csv": GAD7, "q.json": QUESTIONNAIRE}, "--questionnaire q.json"),
            ("--encoding", {"a.json": response("phq9", "phq9_{n}", {"valueInteger": 1})}, "--encoding utf-8"),
            (
                "--start-date",
                {"a.json": response("phq9", "phq9_{n}", {"valueInteger": 1})},
                "--start-date 2026-01-01",
            ),
            (
                "--dictionary",
                {"a.json": response("phq9", "phq9_{n}", {"valueInteger": 1}), "d.csv": "x"},
                "--dictionary d.csv",
            ),
        )
    },
    "other content on record": case(
        "exchange/plan/duplicates.py --supersede",
        wide("gad7", 7, ["C1", "2025-01-05", *[2] * 7]),
        r"If this corrects it: (--supersede 'reason')",
    ),
    "some rows are refused": case(
        "exchange/plan/import_plan.py --skip-refused",
        wide("gad7", 7, [*ROW, *[1] * 7], ["C1", "2026-02-05", *[9] * 7]),
        r"store only the others: (--skip-refused)",
    ),
    "a clinician who is not on record": case(
        "exchange/plan/clients.py --display-name",
        wide("gad7", 7, ["N1", "2026-01-05", *[1] * 7]),
        r"\(nearest: K1; (--display-name) registers a new one\)",
        "--clinician K11",
        fill={"--display-name": "--display-name 'Dr. New'"},
    ),
    "a relationship that is not on record": case(
        "exchange/plan/relationships.py --new-relationships",
        wide("csi4", 4, [*ROW, "R7", *[1] * 4], first="client,date,target"),
        r"To register it: (--new-relationships)",
    ),
    "answers of another order": case(
        "exchange/rows/answer_doubts.py --form",
        wide("rses", 10, *people(of_one_trait({3, 5, 8, 9, 10}))),
        r"If they were asked in that order: (--form rses=b)\. If they are in fact [^:]*: (--form rses=a)",
    ),
    "answers numbered otherwise": case(
        "exchange/rows/answer_doubts.py --coding",
        wide("phq9", 9, *people(drawn(9, 30, 1, 3))),
        r"If they are in fact coded 0-3: (--coding phq9=0-3)",
    ),
    "answers on another response scale": case(
        "exchange/rows/answer_doubts.py mbc score | exchange/rows/answer_doubts.py --coding",
        wide("ecr", 36, *people(drawn(36, 40, 1, 5))),
        r"can be scored: (mbc score FILE ecr --coding 1-5)",
        fill={"FILE": "a.csv"},
        ends="",
    ),
    "a text for a blank": case(
        "exchange/rows/check_answers.py --blank",
        wide("gad7", 7, [*ROW, "NA", *[1] * 6]),
        r"if it means 'not answered': (--blank NA)",
    ),
    "another coding fits all": case(
        "exchange/rows/check_answers.py --coding",
        wide("rses", 10, *people([*drawn(10, 5, 1, 3), [4] * 10])),
        r"If that is the coding: (--coding rses=1-4)",
    ),
    "a coding that is not settled": case(
        "exchange/rows/check_answers.py --coding",
        wide("rses", 10, *people(drawn(10, 30, 1, 3))),
        r"(--coding rses=1-4)\.",
    ),
    "a file to score in another coding": case(
        "exchange/answer_file.py --coding | exchange/answer_file.py --form",
        wide("phq9", 9, *people(drawn(9, 30, 1, 3))),
        r"If they are in fact coded 0-3: (--coding 0-3)",
        "score phq9",
        ends="",
    ),
    "a record": case(
        "cli/import_.py --skip-refused | cli/import_.py --out",
        record_folder,
        r"(--skip-refused) and --out apply only to files of questionnaires",
        "--skip-refused --dry-run",
        fill={"--skip-refused": ""},
        instead="--dry-run",
        ends="this was a dry run",
    ),
    "clients without a clinician": case(
        "cli/import_.py mbc client assign | cli/import_.py --clinician",
        wide("gad7", 7, ["N1", "2026-01-05", *[1] * 7]),
        r"'(mbc client assign CLIENT --clinician ID)'",
        fill={"CLIENT": "N1", "ID": "K2"},
        ends="1 in the caseload of K2",
    ),
    "more rows than are shown": case(
        "cli/import_.py --out",
        wide("gad7", 7, *([f"N{n}", "2026-01-05", *[0] * 7] for n in range(60))),
        r"(--out FILE\.csv) writes them all",
        "--dry-run",
        ends="this was a dry run",
    ),
    "more refused rows than are shown": case(
        "cli/import_.py --out",
        wide("gad7", 7, [*ROW, *[1] * 7], *([f"N{n}", "2026-01-05", *[n + 9] * 7] for n in range(60))),
        r"(--out FILE\.csv) writes them all",
        "--skip-refused",
    ),
}
