"""Make the files that are damaged: small ones of every format, of people who do not exist.

python tests/exchange/fuzz/make_seeds.py
"""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pyreadstat

from mbc.exchange import export_record
from mbc.instruments import instrument, wording
from mbc.instruments.own.template import start
from mbc.store import Administration, Client, Clinician, Goal, GoalRating, Store

SEEDS = Path(__file__).parent / "seeds"
ITEMS = [f"rses_{n}" for n in range(1, 11)]
ROWS = [["C-01", date(2026, 1, 5), *[3, 2, 1, 0, 3, 2, 1, 0, 3, 2]], ["C-02", date(2026, 1, 25), *[1] * 9, None]]
HEADER = ["client_id", "date", *ITEMS]
PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
DAYS = ("Not at all", "Several days", "More than half the days", "Nearly every day")


def main() -> None:
    """Write them all."""
    SEEDS.mkdir(exist_ok=True)
    frame = pl.DataFrame(ROWS, schema=HEADER, orient="row")
    text = frame.write_csv()
    (SEEDS / "wide.csv").write_text(text)
    (SEEDS / "quoted.csv").write_text(frame.cast(pl.String).write_csv(quote_style="always", separator=";"))
    (SEEDS / "wide.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (SEEDS / "utf16.csv").write_bytes(text.encode("utf-16"))
    (SEEDS / "long.csv").write_text(
        "client,date,instrument,item,value\n" + "".join(f"C1,2026-01-05,phq9,{n},1\n" for n in range(1, 10))
    )
    (SEEDS / "totals.csv").write_text("client,date,instrument,scale,score\nC1,2026-01-05,who5,total,52\n")
    frame.write_parquet(SEEDS / "wide.parquet")
    labels = {
        name: dict(enumerate(("Strongly disagree", "Disagree", "Agree", "Strongly agree"))) for name in ITEMS
    }
    pyreadstat.write_sav(frame, str(SEEDS / "wide.sav"), variable_value_labels=labels)
    pyreadstat.write_sav(frame, str(SEEDS / "packed.zsav"), compress=True)
    _workbooks()
    _fhir()
    _redcap()
    _surveys()
    _studies(frame)
    _whole_records()
    (SEEDS / "map.toml").write_text(
        'date_format = "%Y-%m-%d"\n[columns]\nclient_id = "client_id"\n[events]\na = 1\n'
    )
    (SEEDS / "own.toml").write_text(start("own", items=3, answers=(0, 3), name="Own", rule="sum"))
    (SEEDS / "wording.csv").write_text(_worded())


def _worded() -> str:
    lines = wording.blank(instrument("phq9")).splitlines()
    filled = [line.replace(",,", f",Question {n},", 1) for n, line in enumerate(lines[1:], start=1)]
    return "\n".join([lines[0], *filled]) + "\n"


def _workbooks() -> None:
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    book.save(SEEDS / "wide.xlsx")
    other = openpyxl.Workbook()
    other.active.append(["title"])
    sheet = other.create_sheet("Answers")
    for row in [HEADER, *[[str(cell) for cell in row] for row in ROWS]]:
        sheet.append(row)
    sheet["N1"] = "=SUM(C2:L2)"
    sheet.row_dimensions[2].hidden = True
    other.save(SEEDS / "sheets.xlsx")


def _fhir() -> None:
    options = [
        {"valueCoding": {"system": "urn:x", "code": str(n), "display": word}} for n, word in enumerate(DAYS)
    ]
    questions = [{"linkId": f"/{code}", "type": "choice", "answerOption": options} for code in PHQ9]
    answers = [{"linkId": f"/{code}", "answer": [{"valueCoding": options[1]["valueCoding"]}]} for code in PHQ9]
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://x/phq9",
        "subject": {"reference": "Patient/C1"},
        "authored": "2026-01-05T10:00:00+01:00",
        "item": answers,
        "meta": {"versionId": "1"},
    }
    questionnaire = {
        "resourceType": "Questionnaire",
        "url": "http://x/phq9",
        "status": "active",
        "item": questions,
    }
    patient = {"resourceType": "Patient", "id": "C1", "identifier": [{"system": "urn:mrn", "value": "55"}]}
    entries = [{"resource": resource} for resource in (patient, questionnaire, response)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (SEEDS / "bundle.json").write_text(json.dumps(bundle))
    (SEEDS / "responses.ndjson").write_text(f"{json.dumps(response)}\n{json.dumps(response | {'id': 'b'})}\n")


def _redcap() -> None:
    fields = "".join(
        f'phq9_{n},phq,radio,Item {n},"{" | ".join(f"{code}, {word}" for code, word in enumerate(DAYS))}",\n'
        for n in range(1, 10)
    )
    (SEEDS / "dictionary.csv").write_text(
        "Variable / Field Name,Form Name,Field Type,Field Label,"
        '"Choices, Calculations, OR Slider Labels",Text Validation Type OR Show Slider Number\n'
        f"record_id,enrol,text,Record ID,,\nday,phq,text,Day,,date_ymd\n{fields}"
    )
    items = ",".join(f"phq9_{n}" for n in range(1, 10))
    (SEEDS / "redcap.csv").write_text(
        f"record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,day,{items},phq_complete\n"
        f"C1,visit_1_arm_1,,,2026-01-05,{','.join('1' * 9)},2\n"
    )


def _surveys() -> None:
    questions = [f"How true?\n- Statement {n}" for n in range(1, 11)]
    words = [("Strongly disagree", "Disagree", "Agree", "Strongly agree")[n % 4] for n in range(10)]
    fixed = ["StartDate", "EndDate", "Status", "Progress", "Finished", "ResponseId", "Your code"]
    given = ["2026-01-05 10:00:00", "2026-01-05 10:05:00", "IP Address", "100", "True", "R_1", "C1"]
    ids = [f'{{"ImportId":"Q{n}"}}' for n in range(len(fixed) + 10)]
    _write("qualtrics.csv", [*fixed, *(f"Q5_{n}" for n in range(1, 11))], [*fixed, *questions], ids, given + words)
    asked = ["Respondent ID", "Collector ID", "Start Date", "End Date", "Your code"]
    first = [*asked, "How true is each?", *([""] * 9)]
    second = ["", "", "", "", "Open-Ended Response", *questions]
    moments = ["01/25/2026 10:00:00 AM", "01/25/2026 10:04:00 AM"]
    _write("surveymonkey.csv", first, second, ["118", "4", *moments, "C1", *words])
    items = [f"G01Q05[SQ{n:03}]. {text}" for n, text in enumerate(questions, 1)]
    head = ["Response ID", "Date submitted", "Last page", "Token"]
    _write("limesurvey.csv", [*head, *items], ["1", "2026-01-05 10:04:00", "2", "C1", *words])
    book = openpyxl.Workbook()
    book.active.append(["ID", "Start time", "Completion time", "Email", "Name", "Your code", *questions])
    book.active.append([1, "2026-01-05T10:00:00", "2026-01-05T10:04:00", "anonymous", None, "C1", *words])
    book.save(SEEDS / "microsoft.xlsx")


def _write(name: str, *rows: list[str]) -> None:
    with (SEEDS / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _studies(frame: pl.DataFrame) -> None:
    (SEEDS / "waves.csv").write_text(frame.rename({"date": "wave"}).with_columns(wave=pl.lit(2)).write_csv())
    moment = pl.Series(["2026-01-05T23:30", "2026-01-06T10:00"]).str.to_datetime().dt.replace_time_zone("UTC")
    typed = frame.with_columns(date=moment, first=pl.lit(value=True), status=pl.lit("completed"))
    typed.with_columns(pl.col("rses_1").cast(pl.Float64)).write_parquet(SEEDS / "typed.parquet")
    values = "".join(f"11,visit_1_arm_1,gad7_{n},1\n" for n in range(1, 8))
    (SEEDS / "eav.csv").write_text(
        f"record,redcap_event_name,field_name,value\n11,visit_1_arm_1,visit_date,2026-01-05\n{values}"
    )
    bundle = json.loads((SEEDS / "bundle.json").read_text())
    (SEEDS / "questionnaire.json").write_text(json.dumps(bundle["entry"][1]["resource"]))
    response = bundle["entry"][2]["resource"] | {"id": "a"}
    wrong = response | {"status": "entered-in-error", "meta": {"versionId": "2"}}
    gone = {"request": {"method": "DELETE", "url": "QuestionnaireResponse/b"}}
    score = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
        "subject": {"reference": "Patient/C1"},
        "effectiveDateTime": "2026-02-05",
        "valueQuantity": {"value": 9},
    }
    resources = [
        wrong,
        response,
        response | {"id": "b"},
        {"resourceType": "Bundle", "entry": [{"resource": score}]},
    ]
    entries = [gone, *({"resource": resource} for resource in resources)]
    history = {"resourceType": "Bundle", "type": "history", "entry": entries}
    (SEEDS / "history.json.gz").write_bytes(gzip.compress(json.dumps(history).encode(), mtime=0))


def _whole_records() -> None:
    answers = {"form": "a", "coding": "0-3"}
    with Store.create("sqlite://") as store:
        with store.writing(by="made here") as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1")])
            record.add_all(
                [Goal("G1", "C1", "to speak up", date(2026, 1, 5)), GoalRating("G1", date(2026, 1, 5), 4)]
            )
            record.add(Administration("C1", "rses", date(2026, 1, 5), tuple(ROWS[0][2:]), **answers))
        export_record(store, SEEDS / "record.json", format="fhir", force=True)
        export_record(store, SEEDS / "record.xlsx", format="excel", force=True)


if __name__ == "__main__":
    main()
