"""The how-tos of docs/import-export.md work when they are followed to the letter, line by line."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.store import Client, Clinician, Relationship, Store

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("readers_in_process")]

DOCS = Path(__file__).parents[2] / "docs" / "import-export.md"
SECTION = re.search(r"^### Step by step\n(.*?)^###? ", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```sh\n(.*?)^```", SECTION[1] if SECTION else "", re.MULTILINE | re.DOTALL)
HEADER = ",".join(["client_id", "date", *(f"gad7_{n}" for n in range(1, 8))])
RATED = {"client_id": "C1", "date": "2026-01-05", "target": "Zo\u00eb", **{f"csi4_{n}": 1 for n in range(1, 5)}}
"""About a relationship whose label no wrong encoding gives."""


def letters() -> bytes:
    return f"{','.join(RATED)}\n{','.join(map(str, RATED.values()))}\n".encode("mac-roman")


def response(name: str, day: str = "2026-01-05", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": name,
        "meta": {"versionId": "1"},
        "status": "completed",
        "questionnaire": "http://x/worries",
        "subject": {"reference": "Patient/P1"},
        "authored": day,
        "item": [{"linkId": f"w{n}", "answer": [{"valueInteger": 1}]} for n in range(1, 8)],
        **more,
    }


CODES = ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")
PATIENT = {"resourceType": "Patient", "id": "P1", "identifier": [{"system": "urn:mbc:client", "value": "C1"}]}
DEFINITION = {
    "resourceType": "Questionnaire",
    "url": "http://x/worries",
    "code": [{"system": "http://loinc.org", "code": "69737-5"}],
    "item": [
        {"linkId": f"w{n}", "type": "integer", "code": [{"system": "http://loinc.org", "code": code}]}
        for n, code in enumerate(CODES, 1)
    ],
}


def bundle(kind: str, *resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": each} for each in resources], **more}


def history() -> str:
    newest = response("a", meta={"versionId": "2"}, status="amended")
    return json.dumps(bundle("history", newest, response("a"), response("b", "2026-02-05"), PATIENT, DEFINITION))


def batch() -> str:
    searches = [
        bundle("searchset", response(name, day)) for name, day in (("a", "2026-01-05"), ("b", "2026-02-05"))
    ]
    return json.dumps(bundle("batch-response", bundle("searchset", PATIENT, DEFINITION), *searches))


def ndjson(*resources: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in resources)


def dictionary(*dates: str) -> str:
    choices = '"0, not at all | 1, several days | 2, more than half | 3, nearly every day"'
    rows = [f"{name},gad7,text,{name},,date_ymd" for name in dates]
    rows += [f"gad7_{n},gad7,radio,Item {n},{choices}," for n in range(1, 8)]
    head = "Variable / Field Name,Form Name,Field Type,Field Label,Choices Or Calculations,Text Validation Type"
    head = head.replace("Choices Or Calculations", '"Choices, Calculations, OR Slider Labels"')
    return "\n".join([f"{head} OR Show Slider Number", "record_id,base,text,Record,,", *rows]) + "\n"


def eav(*dates: str) -> str:
    values = [f"C1,visit_1_arm_1,{name},2026-01-0{n}" for n, name in enumerate(dates, 5)]
    values += [f"C1,visit_1_arm_1,gad7_{n},1" for n in range(1, 8)]
    return "\n".join(["record,redcap_event_name,field_name,value", *values]) + "\n"


def spss(path: Path) -> None:
    """Write a file that declares UTF-8 and is written in the encoding of Western European Windows."""
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(pl.DataFrame({name: [value] for name, value in RATED.items()}), path)
    raw = path.read_bytes()
    assert "Zo\u00eb".encode() in raw
    path.write_bytes(raw.replace("Zo\u00eb".encode(), "Zo\u00eb ".encode("windows-1252")))


FILES: dict[str, Callable[[], str | bytes]] = {
    "answers.csv.gz": lambda: gzip.compress(f"{HEADER}\nC1,2026-01-05,{','.join('1' * 7)}\n".encode()),
    "letters.csv": letters,
    "history.json": history,
    "Patient.ndjson": lambda: ndjson(PATIENT),
    "Questionnaire.ndjson": lambda: ndjson(DEFINITION),
    "QuestionnaireResponse.ndjson": lambda: ndjson(response("a"), response("b", "2026-02-05")),
    "batch.json": batch,
    "dictionary.csv": lambda: dictionary("visit_date"),
    "eav.csv": lambda: eav("visit_date"),
    "dictionary_two_dates.csv": lambda: dictionary("birth_date", "visit_date"),
    "eav_two_dates.csv": lambda: eav("birth_date", "visit_date"),
}
EXPECTED = {
    "answers.csv.gz": ["2026-01-05"],
    "letters.csv": ["2026-01-05"],
    "letters.sav": ["2026-01-05"],
    "history.json": ["2026-01-05", "2026-02-05"],
    "bulk.ndjson": ["2026-01-05", "2026-02-05"],
    "batch.json": ["2026-01-05", "2026-02-05"],
    "eav.csv": ["2026-01-05"],
    "eav_two_dates.csv": ["2026-01-06"],
}


@pytest.mark.parametrize("block", BLOCKS)
def test_each_how_to_works_line_by_line(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        made = content()
        Path(name).write_bytes(made if isinstance(made, bytes) else made.encode())
    if ".sav" in block:
        spss(Path("letters.sav"))
    for line in block.splitlines():
        if not line.startswith("mbc "):
            subprocess.run(line, shell=True, check=True)
            continue
        monkeypatch.setenv("MBC_STORE", f"sqlite:///{tmp_path / 'clinic.db'}")
        Path("clinic.db").unlink(missing_ok=True)
        with Store.create("sqlite:///clinic.db") as store, store.writing() as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1")])
            record.add(Relationship("C1-R1", "C1", RATED["target"]))
        words = shlex.split(line)[1:]
        done = CliRunner().invoke(program, words)
        assert done.exit_code == 0, (line, done.output, done.exception)
        with Store.open("sqlite:///clinic.db") as store:
            days = [str(day) for day in store.administrations(client_id="C1")["taken_on"]]
        assert days == ([] if "--dry-run" in words else EXPECTED[words[1]]), (line, done.output)


def test_every_kind_that_is_promised_has_a_how_to():
    imported = {
        line.split()[2] for block in BLOCKS for line in block.splitlines() if line.startswith("mbc import")
    }
    assert imported == set(EXPECTED)
