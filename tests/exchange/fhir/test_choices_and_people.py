"""FHIR files as servers write them: choices, versions, pages, people. Written out here; numbers by eye."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import

pytestmark = pytest.mark.long

PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
DAYS = ("Not at all", "Several days", "More than half the days", "Nearly every day")
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"


def bundle(*resources: Any, **more: Any) -> str:
    entries = [one if "request" in one or "resource" in one else {"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", **more, "entry": entries})


def response(answers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    items = [{"linkId": f"/{code}", "answer": [value]} for code, value in zip(PHQ9, answers, strict=False)]
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": "Patient/C1"},
        "authored": "2026-01-05",
        "item": items,
        **more,
    }


def definition(options: list[dict[str, Any]] | None = None, **question: Any) -> dict[str, Any]:
    items = [
        {"linkId": f"/{code}", "type": "choice", **({"answerOption": options} if options else {}), **question}
        for code in PHQ9
    ]
    return {"resourceType": "Questionnaire", "status": "active", "url": "http://x/phq9", "item": items}


def coded(code: str, display: str, weight: float | None = None, url: str = ORDINAL, system: str | None = "urn:x"):
    extension = {} if weight is None else {"extension": [{"url": url, "valueDecimal": weight}]}
    named = {} if system is None else {"system": system}
    return {"valueCoding": {**named, "code": code, "display": display, **extension}}


def given(code: str, system: str | None = None) -> dict[str, Any]:
    return {"valueCoding": {"code": code, **({} if system is None else {"system": system})}}


ANSWERS = ("2", "2", "2", "1", "1", "3", "2", "1", "1")  # codes that begin with 1
COUNTED = [1, 1, 1, 0, 0, 2, 1, 0, 0]


@pytest.mark.parametrize("url", [ORDINAL, WEIGHT])
@pytest.mark.parametrize("system", [None, "urn:x"])
def test_the_number_of_a_choice_is_its_definitions_whether_or_not_a_system_is_named(
    store, write, now, url, system
):
    options = [coded(str(n + 1), label, n, url) for n, label in enumerate(DAYS)]
    answers = [given(code, system) for code in ANSWERS]
    path = write(bundle(definition(options), response(answers, questionnaire="http://x/phq9")), name="a.json")
    assert plan_import(path, store, now=now).administrations["answers"].to_list() == [COUNTED]


PLACES = ("contained in the response", "contained in the questionnaire", "in the bundle")
SHAPES = ("compose", "expansion", "code system")


@pytest.mark.parametrize(
    ("kind", "shape"),  # each place and each shape once; make test-all has every pair
    [
        pytest.param(kind, shape, marks=() if PLACES.index(kind) == SHAPES.index(shape) else pytest.mark.slow)
        for kind in PLACES
        for shape in SHAPES
    ],
)
def test_choices_may_stand_in_a_value_set(store, write, now, kind, shape):
    codes = [coded(f"c{n}", label, n)["valueCoding"] for n, label in enumerate(DAYS)]
    plain = [{key: value for key, value in one.items() if key != "system"} for one in codes]
    value_set: dict[str, Any] = {"resourceType": "ValueSet", "id": "days", "url": "http://x/days"}
    if shape == "compose":
        value_set["compose"] = {"include": [{"system": "urn:x", "concept": plain}]}
    elif shape == "expansion":
        value_set["expansion"] = {"contains": codes}
    else:
        weights = [
            {"code": one["code"], "property": [{"code": "itemWeight", "valueDecimal": n}]}
            for n, one in enumerate(codes)
        ]
        value_set |= {"resourceType": "CodeSystem", "concept": weights}
    inside = kind != "in the bundle"
    system = "http://x/days" if shape == "code system" else "urn:x"
    questions = definition(answerValueSet="#days" if inside else "http://x/days|1")
    answers = response([given(f"c{n}", system) for n in COUNTED], questionnaire="http://x/phq9")
    if kind == "contained in the response":
        answers["contained"] = [questions, value_set]
        text = bundle(answers)
    elif inside:
        questions["contained"] = [value_set]
        text = bundle(questions, answers)
    else:
        text = bundle(value_set, questions, answers)
    plan = plan_import(write(text, name="a.json"), store, now=now)
    assert plan.administrations["answers"].to_list() == [COUNTED]


@pytest.mark.parametrize(("options", "words"), [
    ([coded(str(n + 1), label) for n, label in enumerate(DAYS)], "not one of its answer codings"),
    ([coded(str(n), label) for n, label in enumerate(reversed(DAYS))], "run in the opposite direction"),
    ([{"valueInteger": n} for n in range(1, 5)], "not one of its answer codings"),
    ([coded(str(n), label, 3 - n) for n, label in enumerate(DAYS)], "run in the opposite direction"),
    ([coded(str(n), label) for n, label in enumerate(("Strongly disagree", "b", "c", "Strongly agree"))],
     "not the answers"),
])  # fmt: skip
def test_choices_that_are_not_the_questionnaires_are_refused(store, write, now, options, words):
    value = {"valueInteger": 1} if "valueInteger" in options[0] else given("1", "urn:x")
    path = write(bundle(definition(options), response([value] * 9, questionnaire="http://x/phq9")), name="a.json")
    (line,) = plan_import(path, store, now=now).refusals
    assert words in line


def test_words_alone_are_read_where_they_are_the_questionnaires(store, write, now):
    answers = [{"valueCoding": {"system": "urn:x", "code": f"x{n}", "display": DAYS[n]}} for n in COUNTED]
    path = write(bundle(response(answers, questionnaire="http://x/phq9")), name="a.json")
    plan = plan_import(path, store, now=now)
    assert plan.administrations["answers"].to_list() == [COUNTED]
    assert any("in words are read as 'not at all' = 0" in note for note in plan.notes)


def integers(value: int, **more: Any) -> dict[str, Any]:
    return response([{"valueInteger": value}] * 9, **more)


@pytest.mark.parametrize(("reference", "client"), [
    ("Patient?identifier=urn:mrn|55", "55"),
    ("Patient?identifier=|66", "66"),
    ("Patient?identifier=http%3A%2F%2Fhosp%2Fmrn%7C77", "77"),
    ("Patient/7/_history/3", "7"),
    ("https://x/fhir/Patient/8", "8"),
])  # fmt: skip
def test_a_reference_names_one_person(store, write, now, reference, client):
    path = write(bundle(integers(1, subject={"reference": reference})), name="a.json")
    assert plan_import(path, store, now=now).administrations["client_id"].to_list() == [client]


@pytest.mark.parametrize(
    "reference", ["Patient?name=Miller", "urn:uuid:0f5b5b5e-1111-4222-8333-444455556666", "Patient?"]
)
def test_a_reference_that_names_nobody_is_refused(store, write, now, reference):
    path = write(bundle(integers(1, subject={"reference": reference})), name="a.json")
    assert "is not a Patient in the file" in plan_import(path, store, now=now).refusals[0]


def test_a_transaction_gives_the_identifier_and_not_the_address_of_the_day(store, write, now):
    address = "urn:uuid:0f5b5b5e-1111-4222-8333-444455556666"
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "M-5"}]}
    entries = [
        {"fullUrl": address, "resource": patient, "request": {"method": "POST", "url": "Patient"}},
        {"resource": integers(1, subject={"reference": address}), "request": {"method": "POST", "url": "x"}},
        {"resource": integers(2, subject={"reference": "Patient?identifier=urn:mrn|M-5"}, authored="2026-02-05"),
         "request": {"method": "POST", "url": "x"}},
    ]  # fmt: skip
    path = write(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}), name="a.json")
    assert plan_import(path, store, now=now).administrations["client_id"].to_list() == ["M-5", "M-5"]


def test_one_number_in_two_systems_may_be_two_people(store, write, now):
    one, other = ({"reference": f"Patient?identifier=urn:{name}|55"} for name in ("a", "b"))
    path = write(
        bundle(integers(1, subject=one), integers(2, subject=other, authored="2026-02-05")), name="a.json"
    )
    assert "an identifier in two systems (urn:a and urn:b)" in plan_import(path, store, now=now).refusals[0]


def test_of_several_versions_the_newest_is_taken_and_what_was_deleted_is_not(store, write, now):
    versions = [integers(n, id="r1", meta={"versionId": str(n)}) for n in (2, 1)]
    gone = {"request": {"method": "DELETE", "url": "QuestionnaireResponse/r2"}}
    deleted = integers(3, id="r2", meta={"versionId": "1"}, authored="2026-03-05")
    for name, order in (("down", versions), ("up", versions[::-1])):
        plan = plan_import(
            write(bundle(*order, gone, deleted, type="history"), name=f"{name}.json"), store, now=now
        )
        assert plan.administrations["answers"].to_list() == [[2.0] * 9]
        assert any("1 earlier version of resources left out" in note for note in plan.notes)
        assert any("1 resource left out: deleted since" in note for note in plan.notes)


def test_bundles_in_bundles_are_read_and_other_pages_are_named(store, write, now):
    inner = json.loads(bundle(integers(1)))
    page = {"link": [{"relation": "next", "url": "http://x?page=2"}], "total": 57}
    path = write(bundle(inner, integers(2, authored="2026-02-05"), **page), name="a.json")
    plan = plan_import(path, store, now=now)
    assert len(plan.administrations) == 2
    assert any("one page of a search: it contains 2 of 57 entries" in note for note in plan.notes)
    lines = "\n".join(json.dumps(one) for one in (inner, integers(3, authored="2026-03-05")))
    assert len(plan_import(write(lines, name="a.ndjson"), store, now=now).administrations) == 2


def test_two_questionnaires_in_one_response_are_both_taken(store, write, now):
    both = integers(1)
    both["item"] = [
        {"linkId": "phq", "item": both["item"]},
        {"linkId": "gad", "item": [{"linkId": f"gad7/{n}", "answer": [{"valueInteger": 2}]} for n in range(1, 8)]},
        {"linkId": "remark", "answer": [{"valueString": "x"}]},
    ]
    plan = plan_import(write(bundle(both), name="a.json"), store, now=now)
    assert plan.administrations.select("instrument", "answers").rows() == [
        ("phq9", [1.0] * 9), ("gad7", [2.0] * 7),
    ]  # fmt: skip
    assert any("1 answer to items that belong to no scale, not used: 'remark'" in note for note in plan.notes)


def test_what_is_not_read_is_counted(store, write, now):
    path = write(bundle(integers(1), {"resourceType": "Encounter"}, {"resourceType": "Encounter"}), name="a.json")
    assert "Not read: 2 Encounter." in plan_import(path, store, now=now).notes


NESTED = '{"resourceType": "Bundle", "entry": [{"resource": '


@pytest.mark.parametrize("text", [
    '{"resourceType": "QuestionnaireResponse", "status": 1' + "0" * 5000 + "}",
    '{"resourceType": "Bundle", "entry": ' + "[" * 5000 + "]" * 5000 + "}",
    NESTED * 20 + "{}" + "}]}" * 20,
    '{"resourceType": "QuestionnaireResponse", "status": "completed", "item": ['
    + '{"linkId": "a", "item": [' * 400 + "]}" * 400 + "]}",
], ids=["digits", "depth", "bundles", "items"])  # fmt: skip
def test_json_that_is_too_deep_or_too_long_is_refused(store, write, now, text):
    with pytest.raises(ImportRefused):
        plan_import(write(text, name="a.json"), store, now=now)


def test_json_in_utf_16_is_read(store, tmp_path, now):
    path = tmp_path / "a.json"
    path.write_bytes(bundle(integers(1)).encode("utf-16"))
    assert len(plan_import(path, store, now=now).administrations) == 1
