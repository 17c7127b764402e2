"""Exports that are a table per file or sheet: CSV, Excel, Parquet, SPSS and BIDS."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from mbc.exchange.export.codebook import Variable, as_frame
from mbc.exchange.export.collect import ADMINISTRATIONS
from mbc.exchange.export.instrument_facts import known
from mbc.exchange.files.formula_escape import NOT_AVAILABLE, escape_formulas, escape_not_available
from mbc.exchange.files.optional_libraries import require_library
from mbc.exchange.files.output import MANIFEST
from mbc.exchange.files.text_table import as_text
from mbc.exchange.whole_record.table_files import AFTER, BEFORE

Tables = Mapping[str, pl.DataFrame]
ABOUT = "mbc record"
"""First cell of the first sheet of a workbook that holds a complete record."""
_TABLES = frozenset({*BEFORE, *AFTER, "totals", "scores", "about", "codebook"})
_LONGEST = 31  # characters of a sheet's name in Excel


def write_csv(folder: Path, tables: Tables, variables: Sequence[Variable]) -> None:
    """Write a CSV file per table, as ``import_record`` reads them, and a codebook."""
    for name, table in {**tables, "codebook": as_frame(tuple(variables))}.items():
        path = _made(folder, f"{name}.csv")
        escape_formulas(as_text(table)).write_csv(path) if name == "codebook" else _tamed_texts(table).write_csv(
            path
        )


def write_parquet(folder: Path, tables: Tables, variables: Sequence[Variable]) -> None:
    """Write a Parquet file per table, with its types, and a codebook."""
    for name, table in {**tables, "codebook": as_frame(tuple(variables))}.items():
        table.write_parquet(_made(folder, f"{name}.parquet"))


def write_excel(path: Path, tables: Tables, variables: Sequence[Variable]) -> None:
    """Write a workbook with a sheet per table, and a codebook."""
    openpyxl = require_library("openpyxl", "Excel workbooks")
    book = openpyxl.Workbook(write_only=True)
    about = book.create_sheet("about")
    about.append([ABOUT])
    about.append(
        ["One sheet per table; 'codebook' explains every column. A blank cell is not answered, never zero."]
    )
    for name, table in {**tables, "codebook": as_frame(tuple(variables))}.items():
        sheet = book.create_sheet(_sheet_name(name, book.sheetnames))
        sheet.freeze_panes = "A2"
        sheet.append(table.columns)
        for row in _tamed_texts(table).iter_rows():
            sheet.append([_cell(openpyxl, sheet, value) for value in row])
    with path.open("wb") as file:
        book.save(file)


def _sheet_name(table: str, taken: Sequence[str]) -> str:
    """Name a sheet after its table: no more than 31 characters, and none that another table has."""
    key = table.removeprefix(ADMINISTRATIONS)
    if len(key) <= _LONGEST and (key == table or key not in _TABLES):
        return key
    names = (f"{key[: _LONGEST - 4]}~{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _cell(openpyxl: Any, sheet: object, value: object) -> object:
    if not isinstance(value, str):
        return value
    cell = openpyxl.cell.WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # a text, whatever it begins with
    return cell


def write_spss(folder: Path, tables: Tables, variables: Sequence[Variable]) -> None:
    """Write an SPSS file per table, with labels of variables and of values, and a codebook."""
    pyreadstat = require_library("pyreadstat", "SPSS files")
    for name, table in tables.items():
        explained = {variable.name: variable for variable in variables if variable.table == name}
        truths = [column for column, dtype in table.schema.items() if dtype == pl.Boolean]
        values = {column: dict(variable.values) for column, variable in explained.items() if variable.values}
        pyreadstat.write_sav(
            _plain_moments(table).with_columns(pl.col(truths).cast(pl.Int8)),
            _made(folder, f"{name}.sav"),
            file_label=name[:60],
            column_labels={column: variable.label[:250] for column, variable in explained.items()},
            variable_value_labels={**values, **{truth: {0: "no", 1: "yes"} for truth in truths}},
            variable_measure=dict.fromkeys(values, "ordinal"),
        )
    as_frame(tuple(variables)).pipe(escape_formulas).write_csv(folder / "codebook.csv")


_README = """Questionnaires of relationship therapy, one table each in phenotype/ with a JSON description.

A participant is a client by their pseudonym; days are real: this is not de-identified. A blank is n/a, never zero.
Scores are in phenotype/scores.tsv, computed from the answers; codebook.csv explains every column of every table.
"""


def write_bids(folder: Path, tables: Tables, variables: Sequence[Variable]) -> None:
    """Write a BIDS dataset of phenotypes: ``participants.tsv``, and a table and its description per questionnaire.

    Other tables of the record lie in ``sourcedata``, which BIDS leaves to its owner.
    """
    clients = sorted(
        {client for table in tables.values() if "client_id" in table.columns for client in table["client_id"]}
    )
    participants = participants_of(clients)
    people = pl.DataFrame({"participant_id": list(participants.values()), "client_id": list(participants)})
    if "clients" in tables:
        people = people.join(tables["clients"], on="client_id", how="left", maintain_order="left")
    _write_tsv(folder / "participants.tsv", people)
    _describe(
        folder / "participants.json",
        {variable.name: variable for variable in variables if variable.table == "clients"},
        None,
    )
    description = {
        "Name": "Questionnaires",
        "BIDSVersion": "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "mbc"}],
    }
    (folder / "dataset_description.json").write_text(json.dumps(description, indent=2) + "\n")
    (folder / "README").write_text(_README, encoding="utf-8")
    (folder / ".bidsignore").write_text(
        f"{MANIFEST}\ncodebook.csv\n", encoding="utf-8"
    )  # files that BIDS does not know
    for name, table in tables.items():
        if name == "clients":
            continue
        key = name.removeprefix(ADMINISTRATIONS)
        is_tool = key != name or name in {"scores", "totals"}
        place = folder / ("phenotype" if is_tool else "sourcedata") / f"{key}.tsv"
        explained = {variable.name: variable for variable in variables if variable.table == name}
        _write_tsv(place, _by_participant(table, participants) if is_tool else table)
        _describe(place.with_suffix(".json"), explained, key if is_tool else None, derived=name == "scores")
    as_frame(tuple(variables)).pipe(escape_formulas).write_csv(folder / "codebook.csv")


def participants_of(clients: Sequence[str]) -> dict[str, str]:
    """Name participants as BIDS allows, ``sub-`` and letters and digits, no two alike.

    Examples
    --------
    >>> participants_of(["C-1", "C1", "D.ANX"])
    {'C-1': 'sub-C1', 'C1': 'sub-C1x2', 'D.ANX': 'sub-DANX'}
    """
    named: dict[str, str] = {}
    taken: set[str] = set()
    for client in clients:
        stem = re.sub(r"[^A-Za-z0-9]", "", client) or "x"
        name, n = f"sub-{stem}", 1
        while name.casefold() in taken:
            n += 1
            name = f"sub-{stem}x{n}"
        taken.add(name.casefold())
        named[client] = name
    return named


def _by_participant(table: pl.DataFrame, participants: Mapping[str, str]) -> pl.DataFrame:
    """Name rows as BIDS does: the participant, and the session by its day."""
    who = pl.col("client_id").replace_strict(dict(participants), return_dtype=pl.String).alias("participant_id")
    session = pl.format("ses-{}", pl.col("taken_on").dt.strftime("%Y%m%d")).alias("session_id")
    return table.select(who, session, pl.all().exclude("client_id"))


def _write_tsv(path: Path, table: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = as_text(escape_not_available(_tamed_texts(table)))
    texts.write_csv(path, separator="\t", null_value=NOT_AVAILABLE)


def _describe(path: Path, variables: Mapping[str, Variable], key: str | None, *, derived: bool = False) -> None:
    description: dict[str, object] = {}
    measure = known(key) if key is not None else None
    if measure is not None:
        description["MeasurementToolMetadata"] = {
            "Description": f"{measure.name}, version {measure.version}. {measure.summary}",
            **({"TermURL": f"https://loinc.org/{measure.loinc}"} if measure.loinc else {}),
        }
    if key is not None:
        description["participant_id"] = {"Description": "participant, as in participants.tsv"}
        description["session_id"] = {"Description": "day on which it was answered"}
    for name, variable in variables.items():
        if name == "client_id":
            continue
        levels = {f"{code:g}": label for code, label in variable.values.items()}
        description[name] = {
            "Description": variable.label,
            **({"Levels": levels} if levels else {}),
            **({"Derivative": True} if derived and name == "score" else {}),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _tamed_texts(table: pl.DataFrame) -> pl.DataFrame:
    return escape_formulas(_plain_moments(table))


def _plain_moments(table: pl.DataFrame) -> pl.DataFrame:
    """Write moments as text that names its zone: spreadsheets and SPSS know no zones."""
    moments = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Datetime)]
    return table.with_columns(as_text(table.select(moments)) if moments else [])


def _made(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
