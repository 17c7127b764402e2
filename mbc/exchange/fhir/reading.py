"""FHIR answers and scores as one long table: client, day, questionnaire, item and value, or scale and score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import ValidationError

from mbc.errors import ImportRefused
from mbc.exchange.cells import FAULTS_SCHEMA
from mbc.exchange.fhir.loading import Loaded, Resource, load_resources
from mbc.exchange.fhir.matching import (
    Definitions,
    Link,
    codes_of,
    links_of,
    place_of,
    scale_of,
    score_of,
    which,
)
from mbc.exchange.fhir.numbers import NoNumber, number_of, plain
from mbc.exchange.fhir.resources import (
    OURS,
    Item,
    Observation,
    Patient,
    Questionnaire,
    Reference,
    Response,
    extra,
)
from mbc.exchange.options import ImportOptions
from mbc.exchange.questionnaires import chosen
from mbc.exchange.shown import listing, many, numbers, shown
from mbc.exchange.tables import ROW, TextTable
from mbc.instruments import Instrument, instrument

COLUMNS = (
    "client_id", "taken_on", "taken_at", "session_number", "target", "informant", "episode_id", "version",
    "instrument", "form", "coding", "item", "value", "scale", "score",
)  # fmt: skip
_TAKEN = frozenset({"completed", "amended"})
_FINAL = frozenset({"final", "amended", "corrected"})
_ModelT = TypeVar("_ModelT", Response, Observation, Questionnaire, Patient)


@dataclass(slots=True)
class _Sheet:
    """What has been read so far."""

    rows: list[dict[str, str | int | None]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    unknown: dict[str, list[int]] = field(default_factory=dict)
    """Questionnaires that are none of ours -> places."""
    unused: Counter[str] = field(default_factory=Counter)
    """Link ids that are no item -> how often."""
    derived: int = 0
    others: int = 0


def read_fhir(path: str | Path, options: ImportOptions) -> TextTable:
    """Read the answers and scores of a FHIR file into a long table; its rows are numbered by entry.

    Parameters
    ----------
    path : str or Path
        FHIR R4 JSON: a QuestionnaireResponse, a Bundle, or NDJSON.
    options : ImportOptions
        ``questionnaire`` is a file that says what coded answers count; ``columns`` maps ``phq9_1`` to a link id.

    Raises
    ------
    ImportRefused
        When the file is no FHIR JSON, or holds no answers of a questionnaire that is known.
    """
    loaded = load_resources(path)
    return table_of(loaded, options)


def table_of(loaded: Loaded, options: ImportOptions) -> TextTable:
    """Do the same with resources that are loaded already."""
    context = _Context.of(loaded, options)
    sheet = _Sheet()
    for resource in loaded.of("QuestionnaireResponse"):
        _read_response(resource, _valid(Response, resource, loaded), context, sheet)
    for resource in loaded.of("Observation"):
        _read_observation(resource, _valid(Observation, resource, loaded), context, sheet)
    if not sheet.rows:
        raise ImportRefused(_nothing(loaded, sheet))
    schema = {ROW: pl.Int64(), **dict.fromkeys(COLUMNS, pl.String())}
    return TextTable(
        name=loaded.name,
        sha256=loaded.sha256,
        columns=COLUMNS,
        repeated=(),
        frame=pl.DataFrame(sheet.rows, schema=schema),
        notes=tuple(_notes(loaded, sheet)),
        kind="fhir",
        noun=loaded.noun,
        given={"episode_id": "episode_id", "version": "version"},
        faults=pl.DataFrame(sheet.faults, schema=FAULTS_SCHEMA, orient="row"),
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What a response may refer to."""

    definitions: Definitions
    patients: Mapping[str, str]
    """Address of a Patient in the file -> what the client is called on record."""
    options: ImportOptions
    named: tuple[str, ...]

    @classmethod
    def of(cls, loaded: Loaded, options: ImportOptions) -> _Context:
        files = [loaded] if options.questionnaire is None else [loaded, load_resources(options.questionnaire)]
        found = [_valid(Questionnaire, one, file) for file in files for one in file.of("Questionnaire")]
        if options.questionnaire is not None and not any(files[1].of("Questionnaire")):
            raise ImportRefused(f"'{shown(files[1].name)}' holds no Questionnaire.")
        return cls(Definitions.of(found), _patients(loaded), options, chosen(options))

    def client(self, subject: Reference | None) -> str | None:
        """Name the client that a resource is about."""
        if subject is None:
            return None
        if subject.reference:
            return self.patients.get(subject.reference) or _last(subject.reference)
        return subject.identifier.value if subject.identifier else None

    def form(self, one: Instrument, written: str | None) -> str | None:
        """Name the item order that is meant, as far as anybody says."""
        said = written or self.options.form.get(one.key, self.options.form.get(""))
        return said if said in {form.key for form in one.forms} else None


def _last(reference: str) -> str:
    """Take the id from a reference: ``Patient/7``, an address that ends in it, ``urn:uuid:...``."""
    return reference.partition("|")[0].rpartition("/")[2].rpartition(":")[2]


def _patients(loaded: Loaded) -> dict[str, str]:
    found: dict[str, str] = {}
    for resource in loaded.of("Patient"):
        patient = _valid(Patient, resource, loaded)
        ours = next((one.value for one in patient.identifier if one.system == f"{OURS}client" and one.value), None)
        name = ours or patient.id
        if name is None:
            continue
        for address in (resource.address, patient.id and f"Patient/{patient.id}"):
            if address:
                found[address] = name
    return found


def _valid(model: type[_ModelT], resource: Resource, loaded: Loaded) -> _ModelT:
    try:
        return model.model_validate(resource.content)
    except ValidationError as fault:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors()[:3])
        raise ImportRefused(
            f"'{shown(loaded.name)}', {loaded.noun} {resource.place}: no valid {resource.kind} "
            f"({shown(said, longest=300)})."
        ) from None
    except RecursionError:
        raise ImportRefused(f"'{shown(loaded.name)}', {loaded.noun} {resource.place}: nested too deep.") from None


def _read_response(resource: Resource, response: Response, context: _Context, sheet: _Sheet) -> None:
    leaves = [leaf for item in response.item for leaf in item.leaves()]
    definition = _contained(response) or context.definitions.find(response.questionnaire)
    links = links_of(definition)
    mapped = {header: name for name, header in context.options.columns.items()}
    key = _mapped_key(leaves, mapped) or which(
        [leaf.linkId for leaf in leaves], links, response.questionnaire, definition, context.named
    )
    if key is None:
        name = response.questionnaire or "a questionnaire without a name"
        sheet.unknown.setdefault(name, []).append(resource.place)
        return
    one = instrument(key)
    head = _head(resource.place, response, context, one)
    if response.status not in _TAKEN:
        sheet.faults.append(
            (resource.place, f"its status is '{shown(response.status)}'; it counts when completed")
        )
    form = context.form(one, extra(response.extension, "form"))
    found = list(_read_leaves(one, leaves, links, mapped, resource.place, form, sheet))
    sheet.rows += [{**head, **cells} for cells in found] or [head]


def _read_leaves(
    one: Instrument,
    leaves: list[Item],
    links: Mapping[str, Link],
    mapped: Mapping[str, str],
    place: int,
    form: str | None,
    sheet: _Sheet,
) -> Iterator[dict[str, str]]:
    columns = {name: n for n, name in enumerate(one.item_columns(), start=1)}
    for leaf in leaves:
        codes = codes_of(leaf.linkId, links)
        scale = scale_of(one, leaf.linkId, codes)
        item = columns.get(mapped.get(leaf.linkId, "")) or place_of(one, form, leaf.linkId, codes)
        if scale is None and item is None:
            sheet.unused[leaf.linkId] += 1
            continue
        answer, *more = leaf.answer
        if more:
            sheet.faults.append((place, f"'{shown(leaf.linkId)}' has {len(more) + 1} answers; one is needed"))
            continue
        try:
            text = number_of(answer, links[leaf.linkId].options if leaf.linkId in links else {})
        except NoNumber as fault:
            sheet.faults.append((place, f"'{shown(leaf.linkId)}': {shown(fault, longest=200)}"))
            continue
        yield {"scale": scale, "score": text} if scale is not None else {"item": str(item), "value": text}


def _head(place: int, response: Response, context: _Context, one: Instrument) -> dict[str, str | int | None]:
    extras = response.extension
    return {
        ROW: place,
        "client_id": context.client(response.subject),
        **_when(response.authored, extra(extras, "taken-on")),
        "session_number": extra(extras, "session-number"),
        "target": extra(extras, "target"),
        "informant": extra(extras, "informant") or _informant(response.source),
        "episode_id": extra(extras, "episode"),
        "version": extra(extras, "version"),
        "instrument": one.key,
        "form": extra(extras, "form") or context.form(one, None),
        "coding": extra(extras, "coding"),
    }


def _when(moment: str | None, day: str | None) -> dict[str, str | None]:
    return {"taken_on": day or moment, "taken_at": moment if moment and "T" in moment else None}


def _informant(source: Reference | None) -> str | None:
    kind = (source.type or (source.reference or "").split("/")[0]) if source else ""
    return {"RelatedPerson": "related-person", "Practitioner": "clinician", "PractitionerRole": "clinician"}.get(
        kind
    )


def _contained(response: Response) -> Questionnaire | None:
    for content in response.contained:
        if content.get("resourceType") == "Questionnaire":
            try:
                return Questionnaire.model_validate(content)
            except ValidationError:
                return None
    return None


def _mapped_key(leaves: list[Item], mapped: Mapping[str, str]) -> str | None:
    found = {mapped[leaf.linkId].rpartition("_")[0] for leaf in leaves if leaf.linkId in mapped}
    return next(iter(found)) if len(found) == 1 else None


def _read_observation(resource: Resource, observation: Observation, context: _Context, sheet: _Sheet) -> None:
    named = score_of(observation.code.coding)
    if named is None or observation.value is None:
        sheet.others += 1
        return
    if any(
        (one.reference or "").startswith(("QuestionnaireResponse/", "urn:")) for one in observation.derivedFrom
    ):
        sheet.derived += 1  # worked out from answers: those are read, and scored anew
        return
    key, scale = named
    if context.named and key not in context.named:
        return
    if observation.status not in _FINAL:
        sheet.faults.append((resource.place, f"its status is '{shown(observation.status)}'; it counts when final"))
    extras = observation.extension
    sheet.rows.append(
        {
            ROW: resource.place,
            "client_id": context.client(observation.subject),
            **_when(observation.effectiveDateTime, extra(extras, "taken-on")),
            "session_number": extra(extras, "session-number"),
            "target": extra(extras, "target"),
            "informant": extra(extras, "informant"),
            "episode_id": extra(extras, "episode"),
            "version": extra(extras, "version"),
            "instrument": key,
            "scale": scale,
            "score": plain(observation.value),
        }
    )


def _notes(loaded: Loaded, sheet: _Sheet) -> Iterator[str]:
    for name, places in sheet.unknown.items():
        yield (
            f"Answers to '{shown(name, longest=80)}' left out: no questionnaire known "
            f"({loaded.noun} {numbers(places)})."
        )
    if sheet.unused:
        yield f"Items that belong to no scale, not made use of: {listing(sheet.unused)}."
    if sheet.derived:
        yield f"{many(sheet.derived, 'score')} that were worked out from answers are worked out anew, not read."
    if sheet.others:
        yield f"{many(sheet.others, 'Observation')} that are no score of a questionnaire known left out."


def _nothing(loaded: Loaded, sheet: _Sheet) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(one.kind for one in loaded.resources).items())
    names = (
        f" Answers to {listing(sheet.unknown)} are there: name theirs with --instrument." if sheet.unknown else ""
    )
    return (
        f"'{shown(loaded.name)}' holds no answers to a questionnaire that is known; it holds "
        f"{shown(kinds, longest=200)}.{names}"
    )
