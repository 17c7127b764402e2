"""An empty table to fill in by hand: one row for each completed questionnaire, a column for each item."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbc.errors import SettingsError
from mbc.exchange.files.optional_libraries import require_library
from mbc.exchange.files.output import new_file, write_text
from mbc.exchange.files.workbook import EXPLANATION
from mbc.instruments.definition.definition import Coding, Instrument

_WIDTH, _EXPLAINED_WIDTH = 12, 110
_TEXTS = frozenset({"client_id", "relationship", "form", "coding"})
_ROWS = 1000  # of a workbook that are checked as they are typed


@dataclass(frozen=True, slots=True)
class Template:
    """The header of the table, and what is to be known to fill it in."""

    instrument: Instrument
    columns: tuple[str, ...]
    lines: tuple[str, ...]  # in words, one after the other


def template(instrument: Instrument) -> Template:
    """Make the template of a questionnaire.

    Parameters
    ----------
    instrument : Instrument
        It has items: goals are entered one by one.

    Raises
    ------
    SettingsError
        If it has no items.

    Examples
    --------
    >>> import mbc
    >>> template(mbc.instrument("who5")).columns
    ('client_id', 'date', 'who5_1', 'who5_2', 'who5_3', 'who5_4', 'who5_5')
    >>> template(mbc.instrument("rses")).columns[:5]
    ('client_id', 'date', 'form', 'coding', 'rses_1')
    """
    if not instrument.items:
        raise SettingsError(
            f"{instrument.name} has no items: goals are entered one by one, with 'mbc record goal' and "
            "'mbc record rating'."
        )
    columns = ["client_id", "date"]
    columns += ["relationship"] if instrument.applicability.needs_target else []
    columns += ["form"] if len(instrument.forms) > 1 else []
    columns += ["coding"] if len(instrument.own_codings) > 1 else []
    return Template(instrument, (*columns, *instrument.item_columns()), tuple(_explain(instrument, columns)))


def write_template(made: Template, path: Path, *, force: bool = False) -> None:
    """Write a template as CSV, or as a workbook whose second sheet explains it.

    Raises
    ------
    SettingsError
        If the name ends in neither, the file is there already, or the library for workbooks is missing.
    """
    ending = path.suffix.casefold()
    if ending == ".csv":
        write_text(path, ",".join(made.columns) + "\n", force=force)
    elif ending == ".xlsx":
        _write_workbook(made, path, force=force)
    else:
        raise SettingsError(f"'{path.name}' will be a table: give a file name that ends in .csv or .xlsx.")


def _explain(instrument: Instrument, columns: list[str]) -> list[str]:
    default = instrument.form()
    lines = [
        f"{instrument.name} ({instrument.key}): one row for each questionnaire that a client filled in.",
        "client_id: the client's pseudonym in the record, never a name.",
        "date: the day on which it was filled in, as 2026-03-31.",
    ]
    if "relationship" in columns:
        lines.append("relationship: which relationship was rated, by its label in the record, such as R1.")
    if "form" in columns:
        named = "; ".join(f"{form.key} ({form.title})" for form in instrument.forms)
        lines.append(
            f"form: the order of the items on your sheet: {named}. Compare the topics below with your sheet: the "
            f"wrong order gives a wrong score that looks correct. Blank means {default.key}."
        )
    if "coding" in columns:
        named = "; ".join(f"{coding.key} ({coding.title})" for coding in instrument.own_codings)
        lines.append(f"coding: the numbers printed on your sheet: {named}. Blank means {instrument.coding().key}.")
    lines.append(
        "The items: the number that was ticked, as printed; do not reverse any item by hand. If the client left "
        "an item blank, leave the cell blank, which is not 0."
    )
    for form in instrument.forms:
        order = "" if len(instrument.forms) == 1 else f"Form {form.key}. "
        for number, item_id in enumerate(form.order, start=1):
            item = instrument.item(item_id)
            lines.append(f"{order}{instrument.key}_{number}: {item.label} ({_answers(instrument, item_id)})")
    return lines


def _answers(instrument: Instrument, item_id: str) -> str:
    item = instrument.item(item_id)
    spans = {coding.key: coding.accepted(item) for coding in instrument.own_codings}
    texts = [f"{low} to {high}" for low, high in dict.fromkeys(spans.values())]
    return ", or ".join(texts)


def _bounds(codings: tuple[Coding, ...], instrument: Instrument, item_id: str) -> tuple[int, int]:
    spans = [coding.accepted(instrument.item(item_id)) for coding in codings]
    return min(low for low, _ in spans), max(high for _, high in spans)


def _write_workbook(made: Template, path: Path, *, force: bool) -> None:
    openpyxl = require_library("openpyxl", "Excel workbooks")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = made.instrument.key
    sheet.freeze_panes = "A2"
    sheet.append(made.columns)
    for number, name in enumerate(made.columns, start=1):
        letter = openpyxl.utils.get_column_letter(number)
        sheet.column_dimensions[letter].width = _WIDTH
        sheet.cell(1, number).font = openpyxl.styles.Font(bold=True)
        if name in _TEXTS:
            sheet.column_dimensions[letter].number_format = "@"  # else 1-4 becomes a date
        rule = _accepted(name, made.instrument)
        if rule is not None:
            rule.add(f"{letter}2:{letter}{_ROWS}")
            sheet.add_data_validation(rule)
    about = book.create_sheet(EXPLANATION)
    about.column_dimensions["A"].width = _EXPLAINED_WIDTH
    for line in made.lines:
        about.append([line])
    with new_file(path, force=force) as temporary, temporary.open("wb") as file:
        book.save(file)


def _accepted(name: str, instrument: Instrument) -> Any:
    """Give the rule by which a spreadsheet program refuses what the import would; None for other columns."""
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415 - an extra of the package

    if name in instrument.item_columns():
        codings = instrument.own_codings
        # where forms differ, a column holds another item in each: the widest answers are accepted
        spans = [_bounds(codings, instrument, item.id) for item in instrument.items]
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        rule = DataValidation("whole", operator="between", formula1=str(low), formula2=str(high))
    elif name in {"form", "coding"}:
        keys = [each.key for each in (instrument.forms if name == "form" else instrument.own_codings)]
        rule = DataValidation("list", formula1=f'"{",".join(keys)}"')
    else:
        return None
    rule.error, rule.allow_blank = "This is not among the accepted answers.", True
    return rule
