"""A record as REDCap takes it in: every table a repeating form of its client, and the dictionary that explains it.

The forms have to be set to repeat in the project before data are imported: ``repeating.csv`` lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited import read_text_table
from mbc.exchange.files.formula_escape import escape_formulas, unescape_formulas
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW, TextTable, as_text
from mbc.exchange.redcap.dictionary import COLUMNS, read_dictionary

ADMINISTRATIONS = "administrations/"
DATA, DICTIONARY, REPEATING = "data.csv", "dictionary.csv", "repeating.csv"
_RECORD, _FORM, _INSTANCE = "record_id", "redcap_repeat_instrument", "redcap_repeat_instance"
_BASE = "clients"
_APART = ("clinicians", "definitions")  # belong to no client
_IDENTIFIERS = frozenset({"alias", "label", "display_name"})


class Explained(Protocol):
    """What the dictionary needs of a column; a codebook's variable has it."""

    @property
    def label(self) -> str:
        """Our short label of the column."""
        ...

    @property
    def type(self) -> str:
        """Kind of its values: text, date, moment, whole number, number, yes or no."""
        ...

    @property
    def values(self) -> Mapping[float, str]:
        """Code -> our short label."""
        ...


def write_redcap(
    folder: Path, tables: Mapping[str, pl.DataFrame], about: Mapping[tuple[str, str], Explained]
) -> None:
    """Write data, dictionary and the list of repeating forms; tables without a client are separate files.

    Parameters
    ----------
    folder : Path
        Where to.
    tables : mapping
        Table -> its rows.
    about : mapping
        Table and column -> what it means.
    """
    forms = {name: table for name, table in tables.items() if name not in _APART}
    clients = sorted({client for table in forms.values() for client in _owned(table)["client_id"]})
    base = pl.DataFrame({"client_id": clients})
    if _BASE in forms:
        base = base.join(forms[_BASE], on="client_id", how="left", maintain_order="left")
    forms = {_BASE: base, **{name: _owned(table) for name, table in forms.items() if name != _BASE}}
    _data(forms).write_csv(folder / DATA)
    _write_dictionary(folder / DICTIONARY, forms, about)
    repeating = [form_name(name) for name in forms if name != _BASE]
    pl.DataFrame({"form_name": repeating, "custom_form_label": [""] * len(repeating)}).write_csv(
        folder / REPEATING
    )
    for name in _APART:
        if name in tables:
            escape_formulas(as_text(tables[name])).write_csv(folder / f"{name}.csv")


def read_redcap_record(folder: Path) -> Iterator[tuple[str, TextTable]]:
    """Read the tables back.

    Raises
    ------
    ImportRefused
        When data or dictionary are not there.
    """
    for name in (DATA, DICTIONARY):
        if not (folder / name).is_file():
            raise ImportRefused(f"'{quote(folder.name)}' lacks {name}.")
    for name in _APART:
        if (folder / f"{name}.csv").is_file():
            table = read_text_table(folder / f"{name}.csv", strip=False)
            yield name, replace(table, frame=unescape_formulas(table.frame))
    data = read_text_table(folder / DATA, strip=False)
    frame = unescape_formulas(data.frame)
    fields = read_dictionary(folder / DICTIONARY).fields
    for form in dict.fromkeys(field.form for field in fields):
        own_fields = {field.name: _column(form, field.name) for field in fields if field.form == form}
        own_fields.pop(_RECORD, None)
        is_base = form == form_name(_BASE)
        rows = frame.filter(pl.col(_FORM).is_null() if is_base else pl.col(_FORM) == form)
        rows = rows.select(
            ROW, pl.col(_RECORD).alias("client_id"), *(pl.col(a).alias(b) for a, b in own_fields.items())
        )
        if not rows.is_empty():
            columns = tuple(name for name in rows.columns if name != ROW)
            yield _table_name(form), replace(data, name=f"{DATA}, {form}", columns=columns, frame=rows)


def form_name(table: str) -> str:
    """Name the form of a table.

    Examples
    --------
    >>> form_name("administrations/rses"), form_name("goal_ratings")
    ('rses', 'mbc_goal_ratings')
    """
    return table.removeprefix(ADMINISTRATIONS) if table.startswith(ADMINISTRATIONS) else f"mbc_{table}"


def field_name(table: str, column: str) -> str:
    """Name the field of a column: items as they are, all else after its form.

    Examples
    --------
    >>> field_name("administrations/rses", "rses_1"), field_name("administrations/rses", "taken_on")
    ('rses_1', 'rses_taken_on')
    """
    form = form_name(table)
    is_item = table.startswith(ADMINISTRATIONS) and column.removeprefix(f"{form}_").isdigit()
    return column if is_item else f"{form}_{column}"


def _column(form: str, field: str) -> str:
    rest = field.removeprefix(f"{form}_")
    return field if rest.isdigit() else rest


def _table_name(form: str) -> str:
    return form.removeprefix("mbc_") if form.startswith("mbc_") else f"{ADMINISTRATIONS}{form}"


def _owned(table: pl.DataFrame) -> pl.DataFrame:
    return (
        table
        if "client_id" in table.columns
        else table.clear().with_columns(pl.lit(None, pl.String).alias("client_id"))
    )


def _data(forms: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for name, table in forms.items():
        texts = _codes(table)
        fields = [
            pl.col(column).alias(field_name(name, column)) for column in texts.columns if column != "client_id"
        ]
        form, instance = (
            (None, None) if name == _BASE else (form_name(name), pl.int_range(1, pl.len() + 1).over("client_id"))
        )
        parts.append(
            texts.select(
                pl.col("client_id").alias(_RECORD),
                pl.lit(form, pl.String).alias(_FORM),
                (pl.lit(None, pl.String) if instance is None else instance.cast(pl.String)).alias(_INSTANCE),
                *fields,
                pl.lit("2").alias(f"{form_name(name)}_complete"),  # 2: REDCap's code for a completed form
            )
        )
    together = pl.concat(parts, how="diagonal")
    return together.with_row_index("place").sort(_RECORD, "place").drop("place")


def _codes(table: pl.DataFrame) -> pl.DataFrame:
    truths = [name for name, dtype in table.schema.items() if dtype == pl.Boolean]
    return as_text(
        escape_formulas(table.with_columns(pl.col(truths).cast(pl.Int8)))
    )  # -1.5 is a number, and stays one


def _write_dictionary(
    path: Path, forms: Mapping[str, pl.DataFrame], about: Mapping[tuple[str, str], Explained]
) -> None:
    rows: list[Sequence[str]] = [
        _entry(_RECORD, form_name(_BASE), "text", "client, by a pseudonym", identifier="y")
    ]
    for name, table in forms.items():
        for column in table.columns:
            if column == "client_id":
                continue
            variable = about.get((name, column))
            kind, choices, validation = _kind(variable)
            rows.append(
                _entry(
                    field_name(name, column),
                    form_name(name),
                    kind,
                    variable.label if variable else column,
                    choices=choices,
                    validation=validation,
                    identifier="y" if column in _IDENTIFIERS else "",
                )
            )
    written = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    # labels may be a clinic's own; choices such as "-2, never | ..." are REDCap's to take apart
    written.with_columns(escape_formulas(written.select("Field Label"))).write_csv(path, quote_style="necessary")


def _kind(variable: Explained | None) -> tuple[str, str, str]:
    """Field type, choices and validation of a column."""
    if variable is None:
        return "text", "", ""
    if variable.values and variable.type == "whole number":  # an answer between two choices would be none of them
        return "radio", " | ".join(f"{code:g}, {label}" for code, label in variable.values.items()), ""
    if variable.type == "yes or no":
        return "yesno", "", ""
    validation = {"date": "date_ymd", "whole number": "integer", "number": "number"}.get(variable.type, "")
    return "text", "", validation


def _entry(
    name: str, form: str, kind: str, label: str, *, choices: str = "", validation: str = "", identifier: str = ""
) -> list[str]:
    cells = {
        "field_name": name,
        "form_name": form,
        "field_type": kind,
        "field_label": label,
        "select_choices_or_calculations": choices,
        "text_validation_type_or_show_slider_number": validation,
        "identifier": identifier,
    }
    return [cells.get(short, "") for short in COLUMNS.values()]
