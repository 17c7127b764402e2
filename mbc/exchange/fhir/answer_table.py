"""FHIR answers and scores as one long table: client, day, questionnaire, item and value, or scale and score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.cells.text import FAULTS_SCHEMA
from mbc.exchange.fhir.long_table import COLUMNS, Sheet
from mbc.exchange.fhir.observations import read_observation
from mbc.exchange.fhir.references import Context, valid
from mbc.exchange.fhir.resource_files import Loaded, load_resources
from mbc.exchange.fhir.resources import Observation, Response
from mbc.exchange.fhir.response_rows import read_response
from mbc.exchange.files.messages import count_noun, join_names, join_numbers, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.options import ImportOptions

_READ = frozenset({"QuestionnaireResponse", "Observation", "Questionnaire", "Patient", "ValueSet", "CodeSystem"})


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
        read_response(resource, valid(Response, resource, loaded), context, sheet)
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


def _notes(loaded: Loaded, sheet: Sheet) -> Iterator[str]:
    yield from loaded.notes
    yield from sheet.remarks
    for name, places in sheet.unknown.items():
        yield (
            f"Answers to '{quote(name, longest=80)}' left out: no questionnaire known "
            f"({loaded.noun} {join_numbers(places)})."
        )
    if sheet.unused:
        answers = count_noun(sheet.unused.total(), "answer")
        yield f"{answers} to items that belong to no scale, not used: {join_names(sheet.unused)}."
    if sheet.derived:
        yield f"{count_noun(sheet.derived, 'score')} computed from answers are not read: they are recomputed."
    left = Counter(resource.kind for resource in loaded.resources if resource.kind not in _READ)
    if left:
        yield f"Not read: {', '.join(f'{count} {quote(kind)}' for kind, count in left.items())}."
    for count, noun in ((sheet.others, "Observation"), (sheet.other_components, "component")):
        if count:
            verb = "is" if count == 1 else "are"
            yield f"Left out: {count_noun(count, noun)} that {verb} not a score of a known questionnaire."


def _nothing(loaded: Loaded, sheet: Sheet) -> str:
    kinds = ", ".join(
        f"{count} {kind}" for kind, count in Counter(resource.kind for resource in loaded.resources).items()
    )
    names = (
        f" Answers to {join_names(sheet.unknown)} are present: name the questionnaire with --instrument."
        if sheet.unknown
        else ""
    )
    return (
        f"'{quote(loaded.name)}' contains no answers to a known questionnaire; it contains "
        f"{quote(kinds, longest=200)}.{names}"
    )
