"""What comes again as entered in error is named with the command that takes it out, and that command works."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import ImportRefused
from mbc.exchange import plan_import

pytestmark = pytest.mark.long

ITEMS = ",".join(f"phq9_{n}" for n in range(1, 10))
ONES = ",".join("1" * 9)


def response(status: str, *, items: bool = True, **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": "QuestionnaireResponse",
            "status": status,
            "questionnaire": "urn:mbc:instrument:phq9",
            "subject": {"reference": "Patient/C1"},
            "authored": "2026-01-05T10:00:00+01:00",
            "item": [{"linkId": f"phq9_{n}", "answer": [{"valueInteger": 1}]} for n in range(1, 10)]
            if items
            else [],
            **more,
        }
    )


def score(status: str) -> str:
    coding = [{"system": "http://loinc.org", "code": "44261-6"}]
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": status,
            "code": {"coding": coding},
            "subject": {"reference": "Patient/C1"},
            "effectiveDateTime": "2026-01-05",
            "valueInteger": 9,
        }
    )


AGAIN = {
    "FHIR, answers and all": ("a.json", response("completed"), response("entered-in-error")),
    "FHIR, only the head": ("a.json", response("completed"), response("entered-in-error", items=False)),
    "FHIR, a score": ("a.json", score("final"), score("entered-in-error")),
    "a status column": (
        "a.csv",
        f"client_id,date,status,{ITEMS}\nC1,2026-01-05,complete,{ONES}\n",
        f"client_id,date,status,{ITEMS}\nC1,2026-01-05,Entered in error,{ONES}\n",
    ),
    "a mark, as OpenMRS writes it": (
        "a.csv",
        f"client_id,date,voided,{ITEMS}\nC1,2026-01-05,0,{ONES}\n",
        f"client_id,date,voided,{ITEMS}\nC1,2026-01-05,1,{ONES}\n",
    ),
    "a long file": (
        "a.csv",
        "client_id,date,instrument,item,value,is deleted\n"
        + "".join(f"C1,2026-01-05,phq9,{n},1,FALSE\n" for n in range(1, 10)),
        "client_id,date,instrument,item,value,is deleted\n"
        + "".join(f"C1,2026-01-05,phq9,{n},1,TRUE\n" for n in range(1, 10)),
    ),
    "scores": (
        "a.csv",
        "client_id,date,instrument,scale,score,record status\nC1,2026-01-05,phq9,total,9,final\n",
        "client_id,date,instrument,scale,score,record status\nC1,2026-01-05,phq9,total,9,void\n",
    ),
}


IN_MAKE_TEST = ("FHIR, answers and all", "a status column", "scores")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in IN_MAKE_TEST else pytest.mark.slow) for kind in AGAIN]
)
def test_preview_and_report_name_the_command_and_it_takes_the_questionnaire_out(kind, tmp_path):
    name, first, again = AGAIN[kind]
    path, url = tmp_path / name, f"sqlite:///{tmp_path / 'clinic.db'}"

    def mbc(*words: str) -> str:
        done = CliRunner().invoke(program, [*words, "--store", url], catch_exceptions=True)
        refused = done.exception if isinstance(done.exception, ImportRefused) else None
        return done.output + ("" if refused is None else "\n".join([str(refused), *refused.rows]))

    mbc("init")
    path.write_text(first)
    assert "1 stored" in mbc("import", str(path), "--clinician", "K1", "--display-name", "Dr. One")
    path.write_text(again)
    reports = mbc("import", str(path), "--dry-run"), mbc("import", str(path))
    for report in reports:
        assert "entered in error" in report
    (command,) = {
        re.search(r"mbc (client withdraw C1 \d+ --reason '[^']+')", " ".join(r.split()))[1] for r in reports
    }
    assert "withdrawn" in mbc(*shlex.split(command))
    assert "not on record" in mbc("import", str(path), "--dry-run")
    assert "withdraws" in mbc("client", "history", "C1")
    assert "1 questionnaire" not in mbc("caseload")


def test_another_moment_of_the_day_is_another_questionnaire(store, write, now):
    write(response("completed"), name="a.json")
    plan_import(write(response("completed"), name="a.json"), store, now=now).apply(store)
    later = response("entered-in-error", authored="2026-01-05T17:00:00+01:00")
    plan = plan_import(write(later, name="b.json"), store, now=now)
    assert "it is not on record; no action is needed" in plan.refusals[0]


def test_words_of_a_status_that_say_nothing_of_an_error_change_nothing(store, write, now):
    for status in ("single", "Complete", "active", "2", ""):
        path = write(f"client_id,date,status,{ITEMS}\nC1,2026-01-05,{status},{ONES}\n")
        assert plan_import(path, store, now=now).counts["stored"] == 1


def test_what_a_history_deleted_is_named_with_client_and_day(store, write, now):
    entries = [
        {"request": {"method": "DELETE", "url": "QuestionnaireResponse/a"}},
        {"resource": json.loads(response("completed", id="a", meta={"versionId": "1"}))},
        {"resource": json.loads(response("completed", id="b", authored="2026-02-01", meta={"versionId": "1"}))},
    ]
    path = write(json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}), name="a.json")
    notes = " ".join(plan_import(path, store, now=now).notes)
    assert "deleted since" in notes
    assert "QuestionnaireResponse of Patient/C1 of 2026-01-05" in notes
    assert "mbc client withdraw" in notes
