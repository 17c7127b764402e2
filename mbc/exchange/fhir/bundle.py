"""A record as a FHIR R4 Bundle: answers as QuestionnaireResponse, scores as Observation, and what explains them.

What these resources have no place for (sessions, goals, events ...) rides along as ``Basic`` resources with codes
of our own, so that the same record can be made of the Bundle again.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from mbc.exchange.fhir.answer_values import plain
from mbc.exchange.fhir.resources import ANSWERS, INSTRUMENT, LOINC, OURS, SCORES
from mbc.exchange.fhir.score_items import score_items
from mbc.exchange.own_definitions import DEFINITIONS, texts_of_lines
from mbc.instruments import Instrument, keys
from mbc.instruments import instrument as load

ADMINISTRATIONS = "administrations/"
RECORD = f"{OURS}record"
TABLE = f"{OURS}table"
_ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"  # R4
_WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"  # R5, and R4 servers that follow SDC
_LIBRARY = "http://terminology.hl7.org/CodeSystem/library-type"
DEFINITION = f"{OURS}definition/"
_SURVEY = "http://terminology.hl7.org/CodeSystem/observation-category"
_UCUM = "http://unitsofmeasure.org"
_OCCASION = ("client_id", "instrument", "informant", "target", "taken_on", "taken_at")
_SPACE = uuid.UUID("6f2c1d1e-4f0e-5a63-9a55-1f0f4a2b7c11")  # of the addresses inside our Bundles
Row = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]


def write_fhir(path: Path, tables: Tables) -> None:
    """Write a Bundle (type collection)."""
    head = {"resourceType": "Bundle", "identifier": {"system": RECORD, "value": "record"}, "type": "collection"}
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "entry": [\n')
        for n, resource in enumerate(_resources(tables)):
            entry = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
            file.write((",\n" if n else "") + json.dumps(entry, ensure_ascii=False))
        file.write("\n]}\n")


def _resources(tables: Tables) -> Iterator[Row]:
    """Patients, what explains the answers, answers, scores, and the other tables of the record."""
    wide = {
        name.removeprefix(ADMINISTRATIONS): table
        for name, table in tables.items()
        if name.startswith(ADMINISTRATIONS)
    }
    yield from _patients(tables)
    for key, table in wide.items():
        if key in keys():
            for form, coding in table.select("form", "coding").unique(maintain_order=True).iter_rows():
                yield _questionnaire(load(key), form, coding)
    yield from _answers_and_kept_scores(wide, tables.get("totals"))
    yield from _derived(tables.get("scores"))
    for name, table in tables.items():
        if name == DEFINITIONS:
            for key, text in texts_of_lines(table).items():
                yield _library(key, text)
        elif name not in {"totals", "scores"} and not name.startswith(ADMINISTRATIONS):
            for n, row in enumerate(table.iter_rows(named=True)):
                yield _basic(name, n, row)


def _patients(tables: Tables) -> Iterator[Row]:
    owners = {client for table in tables.values() if "client_id" in table.columns for client in table["client_id"]}
    for client in sorted(owners):
        identifier = [{"system": f"{OURS}client", "value": client}]
        yield {"resourceType": "Patient", "id": _id("Patient", client), "identifier": identifier}


def _answers_and_kept_scores(wide: Mapping[str, pl.DataFrame], totals: pl.DataFrame | None) -> Iterator[Row]:
    """Kept scores stand with their answers, or as Observations where there are none."""
    kept = _kept(totals)
    for key, table in wide.items():
        choices: dict[str, frozenset[str]] = {}
        for row in table.with_columns(instrument=pl.lit(key)).iter_rows(named=True):
            form = row["form"]
            if form not in choices:
                choices[form] = _choices(key, form)
            yield _response(key, row, kept.pop(_occasion(row), {}), choices[form])
    for row in _rows(totals):
        if _occasion(row) in kept:
            yield _observation(row, row["scale"], row["score"])


def _rows(table: pl.DataFrame | None) -> Iterator[Row]:
    return iter(()) if table is None else table.iter_rows(named=True)


def _derived(scores: pl.DataFrame | None) -> Iterator[Row]:
    for row in _rows(scores):
        if row["score"] is not None and not row["recorded"]:
            yield _observation(row, row["scale"], row["score"], derived=True)


def _occasion(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _OCCASION)


def _kept(totals: pl.DataFrame | None) -> dict[tuple[Any, ...], dict[str, float]]:
    recorded: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in _rows(totals):
        recorded.setdefault(_occasion(row), {})[row["scale"]] = row["score"]
    return recorded


def _questionnaire(measure: Instrument, form_key: str, coding_key: str) -> Row:
    """Explain the answers in one order of the items and one coding: each is a version of the questionnaire."""
    form, coding = measure.form(form_key), measure.coding(coding_key)
    items: list[Row] = []
    for n, name in enumerate(measure.item_columns(), start=1):
        item = measure.item(form.order[n - 1])
        low, high = coding.accepted(item)
        codes = [{"system": LOINC, "code": item.loinc}] if item.loinc else []
        items.append(
            {
                "linkId": name,
                **({"code": codes} if codes else {}),
                "text": item.label,
                **(
                    {
                        "type": "choice",
                        "answerOption": [_option(value) for value in range(low, high + 1)],
                    }
                    if item.whole_numbers
                    else {"type": "decimal"}
                ),
            }
        )
    return {
        "resourceType": "Questionnaire",
        "id": _id("Questionnaire", measure.key, form_key, coding_key),
        "url": f"{INSTRUMENT}{measure.key}",
        "version": _version(form_key, coding_key),
        "name": measure.key.upper(),  # R4 wants a name that begins with a capital
        "title": measure.name,
        "status": "active",
        "subjectType": ["Patient"],
        "description": f"Definition {measure.version}, items in the order of form {form.key}, answers coded "
        f"{coding.key}. Labels are short ones of our own, not the authors' wording.",
        **({"code": [{"system": LOINC, "code": measure.loinc}]} if measure.loinc else {}),
        "item": [*items, *score_items(measure, form, coding)],
    }


def _given(value: float, *, choice: bool) -> Row:
    return {"valueCoding": _answer(value)} if choice else {"valueDecimal": value}


def _version(form: str, coding: str) -> str:
    return f"{form}.{coding}"  # part of an address: no white space


def _option(value: float) -> Row:
    # programs look for what a choice counts as on the option, on its coding, or on both
    return {"extension": _weights(value), "valueCoding": _answer(value)}


def _weights(value: float) -> list[Row]:
    return [{"url": url, "valueDecimal": value} for url in (_ORDINAL, _WEIGHT)]


def _answer(value: float) -> Row:
    return {
        "extension": _weights(value),
        "system": ANSWERS,
        "code": plain(value),
        "display": plain(value),
    }


def _response(key: str, row: Row, kept: Mapping[str, float], choices: frozenset[str]) -> Row:
    items: list[Row] = []
    for name, value in row.items():
        if name.startswith(f"{key}_") and name[len(key) + 1 :].isdigit():
            answer = [] if value is None else [_given(value, choice=name in choices)]
            items.append({"linkId": name, **({"answer": answer} if answer else {})})
    for scale, score in kept.items():
        items.append({"linkId": f"{key}_{scale}", "answer": [{"valueDecimal": score}]})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": _response_id(row),
        "extension": _extras(row, ("form", "coding", "version")),
        "questionnaire": f"{INSTRUMENT}{key}|{_version(row['form'], row['coding'])}",
        "status": "completed",
        "subject": _subject(row),
        "authored": _moment(row),
        "item": items,
    }


def _choices(key: str, form: str) -> frozenset[str]:
    """Items whose answers are among a few whole numbers."""
    if key not in keys():
        return frozenset()
    measure = load(key)
    places = zip(measure.item_columns(), measure.form(form).order, strict=True)
    return frozenset(name for name, item in places if measure.item(item).whole_numbers)


def _observation(row: Row, scale: str, score: float, *, derived: bool = False) -> Row:
    key = row["instrument"]
    measure = load(key) if key in keys() else None
    known = next((candidate for candidate in measure.scales if candidate.key == scale), None) if measure else None
    codings = [{"system": SCORES, "code": f"{key}_{scale}"}]
    if known and known.loinc:
        codings.insert(0, {"system": LOINC, "code": known.loinc})
    source = [{"reference": f"urn:uuid:{_response_id(row)}"}] if derived else []
    named = ("derived" if derived else "kept", scale, *map(str, _occasion(row)))
    return {
        "resourceType": "Observation",
        "id": _id("Observation", *named),
        "extension": _extras(row, ("version",)),
        "status": "final",
        "category": [{"coding": [{"system": _SURVEY, "code": "survey"}]}],
        "code": {
            "coding": codings,
            "text": f"{measure.name}, {known.title}" if measure and known else f"{key} {scale}",
        },
        "subject": _subject(row),
        "effectiveDateTime": _moment(row),
        "valueQuantity": {"value": score, "unit": "score", "system": _UCUM, "code": "{score}"},
        **({"derivedFrom": source} if source else {}),
    }


def _basic(table: str, number: int, row: Row) -> Row:
    extensions = [{"url": f"{OURS}{name}", **_value(value)} for name, value in row.items() if value is not None]
    return {
        "resourceType": "Basic",
        "id": _id("Basic", table, str(number)),
        "extension": extensions,
        "code": {"coding": [{"system": TABLE, "code": table}]},
    }


def _library(key: str, text: str) -> Row:
    """Attach the definition file of a questionnaire of the clinic's own: what its answers are scored by."""
    return {
        "resourceType": "Library",
        "id": _id("Library", key),
        "url": f"{DEFINITION}{key}",
        "name": key.upper(),
        "status": "active",
        "type": {"coding": [{"system": _LIBRARY, "code": "asset-collection"}]},
        "content": [{"contentType": "application/toml", "data": base64.b64encode(text.encode()).decode()}],
    }


def _response_id(row: Row) -> str:
    return _id("QuestionnaireResponse", *map(str, _occasion(row)))


def _value(value: Any) -> Row:
    if isinstance(value, bool):
        return {"valueString": "true" if value else "false"}
    if isinstance(value, datetime | date):
        return {"valueString": value.isoformat()}
    return {"valueString": plain(value) if isinstance(value, float) else str(value)}


def _extras(row: Row, more: tuple[str, ...]) -> list[Row]:
    named = {
        "taken-on": row.get("taken_on"),
        "session-number": row.get("session_number"),
        "target": row.get("target"),
        "informant": row.get("informant"),
        "episode": row.get("episode_id"),
        **{name: row.get(name) for name in more},
    }
    return [{"url": f"{OURS}{name}", **_value(value)} for name, value in named.items() if value is not None]


def _subject(row: Row) -> Row:
    return {"reference": f"urn:uuid:{_id('Patient', row['client_id'])}"}


def _moment(row: Row) -> str:
    moment = row.get("taken_at")
    return moment.isoformat() if moment else row["taken_on"].isoformat()


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_SPACE, "\x1f".join(parts)))
