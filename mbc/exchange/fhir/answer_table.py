"""FHIR answers and scores as one long table: client, day, questionnaire, item and value, or scale and score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from mbc.errors import ImportRefused
from mbc.exchange.cells.text import FAULTS_SCHEMA
from mbc.exchange.fhir.answer_values import NoNumber, number_of
from mbc.exchange.fhir.long_table import COLUMNS, Head, Row, Sheet
from mbc.exchange.fhir.observations import read_observation
from mbc.exchange.fhir.questionnaire_match import Link, codes_of, links_of, place_of, scale_of, which
from mbc.exchange.fhir.references import Context, unversioned, valid, when
from mbc.exchange.fhir.resource_files import Loaded, Resource, load_resources
from mbc.exchange.fhir.resources import Item, Observation, Questionnaire, Reference, Response, extra
from mbc.exchange.files.messages import count_noun, join_names, join_numbers, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import Instrument, instrument

_TAKEN = frozenset({"completed", "amended"})


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
        When the file is not FHIR JSON, or holds no answers of a questionnaire that is known.
    """
    loaded = load_resources(path)
    return table_of(loaded, options)


def table_of(loaded: Loaded, options: ImportOptions) -> TextTable:
    """Do the same with resources that are loaded already."""
    context = Context.of(loaded, options)
    sheet = Sheet()
    for resource in loaded.of("QuestionnaireResponse"):
        _read_response(resource, valid(Response, resource, loaded), context, sheet)
    for resource in loaded.of("Observation"):
        read_observation(resource, valid(Observation, resource, loaded), context, sheet)
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


def _read_response(resource: Resource, response: Response, context: Context, sheet: Sheet) -> None:
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
    measure = instrument(key)
    head = _head(resource.place, response, context, measure)
    if response.status not in _TAKEN:
        sheet.faults.append(
            (resource.place, f"its status is '{quote(response.status)}'; it counts when completed")
        )
    sheet.about_a_person(resource.place, response.subject)
    form = context.form(measure, extra(response.extension, "form"))
    cells_of_leaves = list(_read_leaves(measure, leaves, links, mapped, resource.place, form, sheet))
    sheet.rows += [{**head, **cells} for cells in cells_of_leaves] or [head]
    occasion = Head(head, {cells["scale"]: cells["score"] for cells in cells_of_leaves if "scale" in cells})
    if response.status in _TAKEN:
        sheet.taken.append(occasion)
    for address in (resource.address, response.id and f"QuestionnaireResponse/{response.id}"):
        if address:
            sheet.heads[unversioned(address)] = occasion


def _read_leaves(
    measure: Instrument,
    leaves: list[Item],
    links: Mapping[str, Link],
    mapped: Mapping[str, str],
    place: int,
    form: str | None,
    sheet: Sheet,
) -> Iterator[dict[str, str]]:
    columns = {name: n for n, name in enumerate(measure.item_columns(), start=1)}
    for leaf in leaves:
        codes = codes_of(leaf.linkId, links)
        scale = scale_of(measure, leaf.linkId, codes)
        item = columns.get(mapped.get(leaf.linkId, "")) or place_of(measure, form, leaf.linkId, codes)
        if scale is None and item is None:
            sheet.unused[leaf.linkId] += 1
            continue
        answer, *more = leaf.answer
        if more:
            sheet.faults.append((place, f"'{quote(leaf.linkId)}' has {len(more) + 1} answers; one is needed"))
            continue
        try:
            text = number_of(answer, links[leaf.linkId].options if leaf.linkId in links else {})
        except NoNumber as fault:
            sheet.faults.append((place, f"'{quote(leaf.linkId)}': {quote(fault, longest=200)}"))
            continue
        yield {"scale": scale, "score": text} if scale is not None else {"item": str(item), "value": text}


def _head(place: int, response: Response, context: Context, measure: Instrument) -> Row:
    extras = response.extension
    return {
        ROW: place,
        "client_id": context.client(response.subject),
        **when(response.authored, extra(extras, "taken-on")),
        "session_number": extra(extras, "session-number"),
        "target": extra(extras, "target"),
        "informant": extra(extras, "informant") or _informant(response.source),
        "episode_id": extra(extras, "episode"),
        "version": extra(extras, "version"),
        "instrument": measure.key,
        "form": extra(extras, "form") or context.form(measure, None),
        "coding": extra(extras, "coding"),
    }


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
    mapped_keys = {mapped[leaf.linkId].rpartition("_")[0] for leaf in leaves if leaf.linkId in mapped}
    return next(iter(mapped_keys)) if len(mapped_keys) == 1 else None


def _notes(loaded: Loaded, sheet: Sheet) -> Iterator[str]:
    for name, places in sheet.unknown.items():
        yield (
            f"Answers to '{quote(name, longest=80)}' left out: no questionnaire known "
            f"({loaded.noun} {join_numbers(places)})."
        )
    if sheet.unused:
        yield f"Items that belong to no scale, not used: {join_names(sheet.unused)}."
    if sheet.derived:
        yield f"{count_noun(sheet.derived, 'score')} worked out from answers are not read: they are recomputed."
    if sheet.others:
        yield f"{count_noun(sheet.others, 'Observation')} that are not a score of a known questionnaire left out."


def _nothing(loaded: Loaded, sheet: Sheet) -> str:
    kinds = ", ".join(
        f"{count} {kind}" for kind, count in Counter(resource.kind for resource in loaded.resources).items()
    )
    names = (
        f" Answers to {join_names(sheet.unknown)} are there: name theirs with --instrument."
        if sheet.unknown
        else ""
    )
    return (
        f"'{quote(loaded.name)}' holds no answers to a questionnaire that is known; it holds "
        f"{quote(kinds, longest=200)}.{names}"
    )
