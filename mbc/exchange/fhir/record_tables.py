"""The tables of a record, read back from a Bundle that an export wrote."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.fhir.answer_table import table_of
from mbc.exchange.fhir.bundle import DEFINITION, RECORD, TABLE
from mbc.exchange.fhir.resource_files import Loaded, is_object, load_resources, values_of
from mbc.exchange.fhir.resources import OURS
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.own_definitions import DEFINITIONS
from mbc.instruments.own.recorded import adding_recorded

ANSWERS = "answers"
"""Name of the long table of answers and scores."""
_HEAD_BYTES = 400


def is_our_bundle(start: bytes) -> bool:
    """Say whether a file begins as a Bundle does that holds a complete record."""
    return start.lstrip().startswith(b"{") and json.dumps(RECORD).encode() in start[:_HEAD_BYTES]


def read_bundle(path: Path) -> Iterator[tuple[str, TextTable]]:
    """Read the tables of a Bundle, and its answers and scores as one long table."""
    loaded = load_resources(path)
    rows: dict[str, list[dict[str, Any]]] = {}
    for resource in loaded.of("Basic"):
        codings = resource.content.get("code", {}).get("coding", [])
        table = next((coding.get("code") for coding in codings if coding.get("system") == TABLE), None)
        if table is not None:
            rows.setdefault(table, []).append({ROW: resource.place, **_cells(resource.content)})
    definitions = dict(_definitions(loaded))
    if definitions:
        rows[DEFINITIONS] = [
            {ROW: 1, "instrument": key, "text": line}
            for key, text in definitions.items()
            for line in text.split("\n")
        ]
    for name, table_rows in rows.items():
        yield name, _table(loaded, name, table_rows)
    if any(loaded.of("QuestionnaireResponse")) or any(loaded.of("Observation")):
        try:
            with adding_recorded(definitions):
                answers = table_of(loaded, ImportOptions())
        except ImportRefused:
            if not rows:
                raise
        else:
            yield ANSWERS, answers


def _definitions(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Read the definition files that are attached: key and text."""
    for resource in loaded.of("Library"):
        url = str(resource.content.get("url", ""))
        if not url.startswith(DEFINITION):
            continue
        try:
            text = base64.b64decode(resource.content["content"][0]["data"], validate=True).decode()
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            key = quote(url.removeprefix(DEFINITION))
            raise ImportRefused(f"{loaded.name}: the definition of {key} cannot be read.") from fault
        yield url.removeprefix(DEFINITION), text.rstrip("\n")


def _cells(content: dict[str, Any]) -> dict[str, str]:
    return {
        extension["url"].removeprefix(OURS): extension["valueString"]
        for extension in values_of(content.get("extension"))
        if is_object(extension) and str(extension.get("url", "")).startswith(OURS) and "valueString" in extension
    }


def _table(loaded: Loaded, name: str, rows: list[dict[str, Any]]) -> TextTable:
    columns = tuple(dict.fromkeys(column for row in rows for column in row if column != ROW))
    schema = {ROW: pl.Int64(), **dict.fromkeys(columns, pl.String())}
    frame = pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)
    return TextTable(f"{loaded.name}, {name}", loaded.sha256, columns, (), frame, kind="fhir", noun=loaded.noun)
