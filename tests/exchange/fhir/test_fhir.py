"""FHIR R4: the US Core example of PHQ-9 where it is at hand, and responses written out here."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mbc.errors import ImportRefused
from mbc.exchange import export_record, plan_import
from mbc.store import Administration, Client

pytestmark = pytest.mark.long

EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/data/fhir"
needs_example = pytest.mark.skipif(not EXAMPLE.exists(), reason="US Core's examples are not at hand")
LOINC = "http://loinc.org"
PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")


def response(items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": "Patient/C1"},
        "authored": "2026-01-05T23:30:00-05:00",
        "item": items,
        **more,
    }


def bundle(*resources: dict[str, Any]) -> str:
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def phq9(values: list[int | None]) -> list[dict[str, Any]]:
    return [
        {"linkId": f"/{code}", "answer": [{"valueInteger": value}]}
        for code, value in zip(PHQ9, values, strict=True)
        if value is not None
    ]


@needs_example
@pytest.mark.parametrize("with_definition", [False, True])
def test_the_us_core_example_has_a_total_of_twelve_that_its_items_give(store, now, with_definition):
    definition = EXAMPLE / "uscore_Questionnaire-phq-9-example.json"
    plan = plan_import(
        EXAMPLE / "uscore_QuestionnaireResponse-phq-9-example.json",
        store,
        questionnaire=definition if with_definition else None,
        now=now,
    )
    (row,) = plan.administrations.iter_rows(named=True)
    assert (row["client_id"], row["instrument"], row["taken_on"]) == ("example", "phq9", date(2022, 11, 29))
    assert row["taken_at"] == datetime(2022, 11, 29, 20, 50, 32, 718000, tzinfo=UTC)
    assert row["answers"] == [2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 2.0, 0.0, 0.0]
    assert (row["totals"], row["remark"]) == ([{"scale": "total", "score": 12.0}], None)


def test_answers_are_found_by_loinc_code_nested_or_flat_and_the_day_is_the_clients(store, write, now):
    nested = [{"linkId": "g", "item": [{"linkId": "h", "answer": [{"valueString": "x", "item": phq9([1] * 9)}]}]}]
    for name, items in (("flat", phq9([1] * 9)), ("nested", nested)):
        path = write(bundle(response(items)), name=f"{name}.json")
        (row,) = plan_import(path, store, now=now).administrations.iter_rows(named=True)
        assert row["answers"] == [1.0] * 9
        assert row["taken_on"] == date(2026, 1, 5)
        assert row["taken_at"] == datetime(2026, 1, 6, 4, 30, tzinfo=UTC)


def test_a_total_that_disagrees_with_the_items_is_kept_and_reported(store, write, now):
    items = [*phq9([1] * 9), {"linkId": "/44261-6", "answer": [{"valueDecimal": 12}]}]
    plan = plan_import(write(bundle(response(items)), name="a.json"), store, now=now)
    assert plan.to_frame()["reason"].to_list() == [
        "total: 12 is recorded, but the answers give 9; both are stored"
    ]
    plan.apply(store)
    assert store.totals()["score"].to_list() == [12.0]
    assert store.answers()["value"].to_list() == [1.0] * 9


def test_coded_answers_count_as_their_extension_or_their_questionnaire_says(store, write, now):
    weight = "http://hl7.org/fhir/StructureDefinition/itemWeight"
    coded = [
        {"linkId": f"gad7_{n}", "answer": [{"valueCoding": {"code": "often", "system": "urn:clinic"}}]}
        for n in range(1, 8)
    ]
    options = [
        {
            "valueCoding": {"code": "often", "system": "urn:clinic"},
            "extension": [{"url": weight, "valueDecimal": 3}],
        }
    ]
    definition = {
        "resourceType": "Questionnaire",
        "url": "urn:clinic:q",
        "item": [{"linkId": f"gad7_{n}", "answerOption": options} for n in range(1, 8)],
    }
    path = write(bundle(response(coded, questionnaire="urn:clinic:q")), name="a.json")
    plan = plan_import(path, store, now=now)
    assert "has no number; name the Questionnaire that gives it one: --questionnaire FILE" in plan.refusals[0]
    asked = write(json.dumps(definition), name="q.json")
    plan = plan_import(path, store, questionnaire=asked, now=now)
    assert plan.administrations["answers"].to_list() == [[3.0] * 7]
    both = write(bundle(definition, response(coded, questionnaire="urn:clinic:q|1.0")), name="b.json")
    assert plan_import(both, store, now=now).counts["stored"] == 1


def test_unfinished_answers_are_refused_by_entry_and_other_questionnaires_left_out(store, write, now):
    other = response([{"linkId": "shoe-size", "answer": [{"valueInteger": 42}]}], questionnaire="urn:shoes")
    path = write(bundle(other, response(phq9([1] * 9), status="in-progress")), name="a.json")
    plan = plan_import(path, store, now=now)
    assert plan.refusals == ("entry 2: its status is 'in-progress'; only completed is read",)
    assert "Answers to 'urn:shoes' left out: no questionnaire known (entry 1)." in plan.notes


def score_of_nine(value: float, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "44261-6"}]},
        "subject": {"reference": "Patient/C2"},
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": {"value": value},
        **more,
    }


def from_response(address: str) -> dict[str, Any]:
    return {"derivedFrom": [{"reference": address}]}


def test_a_score_alone_is_kept_and_one_that_we_worked_out_ourselves_is_not(store, write, now):
    score = score_of_nine(7, **from_response("QuestionnaireResponse/elsewhere"))
    ours = {"coding": [*score["code"]["coding"], {"system": "urn:mbc:score", "code": "phq9_total"}]}
    derived = {**score, "code": ours, "effectiveDateTime": "2026-01-06"}
    plan = plan_import(write(bundle(score, derived), name="a.json"), store, now=now)
    assert plan.administrations.select("client_id", "totals").rows() == [
        ("C2", [{"scale": "total", "score": 7.0}])
    ]
    assert any("recomputed" in note for note in plan.notes)


def test_components_of_an_observation_are_scores_too_and_what_is_none_is_counted(store, write, now):
    total = score_of_nine(7)
    parts = [{name: total[name] for name in ("code", "valueQuantity")}]
    parts += [{"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": {"value": 120}}]
    panel = {**total, "code": {"text": "panel"}, "component": parts}
    del panel["valueQuantity"]
    plan = plan_import(write(bundle(panel), name="a.json"), store, now=now)
    assert plan.administrations["totals"].to_list() == [[{"scale": "total", "score": 7.0}]]
    assert "Left out: 1 component that is not a score of a known questionnaire." in plan.notes
    withdrawn = {**panel, "status": "entered-in-error"}
    (refusal,) = plan_import(write(bundle(withdrawn), name="b.json"), store, now=now).refusals
    assert refusal.count("entered in error") == 1


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("the response that it is derived from", from_response("QuestionnaireResponse/q/_history/3")),
        ("the same, by its address", from_response("http://x/fhir/QuestionnaireResponse/q")),
        ("the only response of that day", {}),
        ("the only response of that day, signed off later", {"effectiveDateTime": "2026-01-05T23:45:00-05:00"}),
    ],
)  # fmt: skip
def test_a_score_beside_its_answers_is_one_administration_and_a_difference_is_told(store, write, now, name, about):
    answers = response(phq9([1] * 9), id="q", subject={"reference": "Patient/C2"})
    for value, remark in ((9, None), (12, "total: 12 is recorded, but the answers give 9; both are stored")):
        path = write(bundle(answers, score_of_nine(value, **about)), name="a.json")
        (row,) = plan_import(path, store, now=now).administrations.iter_rows(named=True)
        assert row["answers"] == [1.0] * 9
        assert row["totals"] == [{"scale": "total", "score": value}]
        assert row["remark"] == remark


def test_a_score_of_one_of_several_responses_of_a_day_is_not_given_to_either(store, write, now):
    about = {"subject": {"reference": "Patient/C2"}}
    morning = response(phq9([1] * 9), authored="2026-01-05T08:00:00Z", **about)
    evening = response(phq9([2] * 9), authored="2026-01-05T18:00:00Z", **about)
    plan = plan_import(write(bundle(morning, evening, score_of_nine(18)), name="a.json"), store, now=now)
    assert plan.administrations["totals"].to_list() == [None, None, [{"scale": "total", "score": 18.0}]]


def test_a_version_of_a_patient_is_the_patient_and_what_is_no_patient_is_refused(store, write, now):
    subjects = ("Patient/C1/_history/2", "https://x/fhir/Patient/C2/_history/2", "Group/C3")
    path = write(bundle(*(response(phq9([1] * 9), subject={"reference": one}) for one in subjects)), name="a.json")
    plan = plan_import(path, store, now=now)
    assert plan.administrations["client_id"].to_list() == ["C1", "C2", None]
    assert plan.refusals == ("entry 3: the client is blank; its subject is a Group, not a Patient",)


def test_one_response_per_line_is_read_as_a_bulk_export(store, write, now):
    lines = [json.dumps(response(phq9([n] * 9), subject={"reference": f"Patient/C{n}"})) for n in (1, 2)]
    plan = plan_import(write("\n".join(lines), name="a.ndjson"), store, now=now)
    assert plan.counts["stored"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"resourceType": "Bundle", "entry": [', "damaged JSON"),
        ('{"a": 1}', "not a FHIR resource"),
        ('{"resourceType": "Bundle"}', "contains no FHIR resources"),
        (bundle({"resourceType": "Patient", "id": "1"}), "it contains 1 Patient"),
        (
            bundle(response([{"answer": []}])),
            r"entry 1: not a valid QuestionnaireResponse \(item.0.linkId: Field required",
        ),
        ('{"resourceType": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_fhir_is_refused_with_its_place(write, text, words):
    with pytest.raises(ImportRefused, match=words):
        plan_import(write(text, name="a.json"))


def test_choices_say_what_they_count_as_in_both_spellings(store, tmp_path):
    with store.writing(by="desk") as record:
        record.add(Client("C77"))
        record.add(
            Administration("C77", "gad7", date(2026, 1, 5), (0, 1, 2, 3, 0, 1, 2), form="standard", coding="1-4")
        )
    done = export_record(store, tmp_path / "a.json", format="fhir", clients=["C77"])
    resources = [entry["resource"] for entry in json.loads(done.path.read_text(encoding="utf-8"))["entry"]]
    (asked,) = [each for each in resources if each["resourceType"] == "Questionnaire"]
    spellings = {f"http://hl7.org/fhir/StructureDefinition/{name}" for name in ("ordinalValue", "itemWeight")}
    options = [option for item in asked["item"] for option in item.get("answerOption", ())]
    assert len(options) == 28
    for option in options:
        for place in (option, option["valueCoding"]):
            weights = {each["url"]: each["valueDecimal"] for each in place["extension"]}
            assert weights == dict.fromkeys(spellings, int(option["valueCoding"]["code"]))
    (total,) = [item for item in asked["item"] if item.get("readOnly")]
    assert (total["linkId"], total["type"]) == ("gad7_total", "decimal")


@pytest.mark.parametrize(
    ("depth", "words"), [(400, "entry 1: a QuestionnaireResponse nested too deeply"), (9000, "nested")]
)
def test_items_nested_without_end_are_refused_with_the_limit(write, depth, words):
    inner = '{"linkId": "g", "item": [' * depth + json.dumps(phq9([1] * 9)[0]) + "]}" * depth
    text = json.dumps(response([])).replace('"item": []', f'"item": [{inner}]')
    with pytest.raises(ImportRefused, match=words):
        plan_import(write(text, name="a.json"))
