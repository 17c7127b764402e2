"""REDCap data as a table of answers: events, repeating instruments, checkboxes, labels and survey times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from mbc.errors import SettingsError, nearest
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.messages import count_noun, join_names, name_rows, quote, quote_expr
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.redcap.days_of_forms import forms_of, items_of, with_days
from mbc.exchange.redcap.dictionary import Dictionary, Field
from mbc.exchange.redcap.form_status import unfinished_forms
from mbc.instruments import keys

EVENT, FORM, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
_OWN = (EVENT, FORM, INSTANCE, "redcap_data_access_group", "redcap_survey_identifier")
# What the same columns are called in an export with labels.
_AS_LABELS = {"Event Name": EVENT, "Repeat Instrument": FORM, "Repeat Instance": INSTANCE}
_SESSION = "session number of the event"
_TICKED = ("1", "1.0", "1,0", "checked", "yes", "true")
_UNTICKED = ("0", "0.0", "0,0", "unchecked", "no", "false")
_CHECKBOX = re.compile(r"(?P<field>[a-z][a-z0-9_]*?)___(?P<code>[a-z0-9_]+)")
_ARM = re.compile(r"_arm_(\d+)[a-z]?$")
_SHARED = ("taken_on", "taken_at", "session_number", "target", "informant", "clinician_id")


def is_redcap(table: TextTable) -> bool:
    """Say whether a table's columns are those of a REDCap export."""
    names = set(table.columns)
    return bool(names & {*_OWN, *_AS_LABELS}) or (
        any(name.endswith("_complete") for name in names) and any(_CHECKBOX.fullmatch(name) for name in names)
    )


def read_redcap(table: TextTable, dictionary: Dictionary | None, options: ImportOptions) -> TextTable:
    """Turn a REDCap export into a wide table of answers.

    The record's identifier is the client. A row of a repeating instrument takes its date and the like from the
    record's own row of the same event, where it has none itself. A survey's time stamp, or the only date of its
    form, is the day of its questionnaire. A checkbox field becomes one column: the code that is ticked.

    Parameters
    ----------
    table : TextTable
        The export, with codes or labels.
    dictionary : Dictionary, optional
        Of the project; without it, forms are recognised by their ``_complete`` columns.
    options : ImportOptions
        ``events`` gives events their session numbers; ``columns`` says what is mapped.
    """
    if dictionary is not None:
        table = _with_field_names(table, dictionary)
        table = _with_codes(table, dictionary)
    table, wrong_boxes = _without_boxes(table, dictionary)
    record = _record(table, dictionary)
    table = _with_columns(table, [table.frame[record].str.replace(r"^(\d{1,15})[.,]0+$", "$1").alias(record)])
    notes = list(_what_it_holds(table, record))
    notes += unfinished_forms(table, _items_by_form(table, dictionary, options))
    table, days, completed = with_days(table, dictionary, options)
    notes += completed
    given = {"client_id": record, **days}
    if options.events and EVENT in table.columns:
        notes += _check_events(table, options)
        numbers = {event: str(number) for event, number in options.events.items()}
        session = table.frame[EVENT].replace_strict(numbers, default=None, return_dtype=pl.String)
        table = _with_columns(table, [session.alias(_SESSION)])
        given["session_number"] = _SESSION
    given = {name: header for name, header in given.items() if name not in options.columns}
    table, filled = _filled(table, record, Columns(table, {**given, **options.columns}))
    notes += filled
    known: Mapping[str, Field] = dictionary.by_name if dictionary else {}
    administrative = [name for name in table.columns if name in _OWN or name.endswith("_complete")]
    left = tuple(name for name in table.columns if name not in administrative)
    return replace(
        table,
        columns=left,
        frame=table.frame.select(ROW, *left),
        notes=(*table.notes, *notes),
        kind="redcap",
        choices={name: known[name].choices for name in left if name in known and known[name].choices},
        given=given,
        faults=wrong_boxes,
    )


def _items_by_form(table: TextTable, dictionary: Dictionary | None, options: ImportOptions) -> dict[str, str]:
    """Column with answers to a known questionnaire -> its form."""
    forms = forms_of(table, dictionary)
    items = (name for key in keys() for name in items_of(table, key, options))
    return {name: forms[name] for name in items if name in forms}


def _check_events(table: TextTable, options: ImportOptions) -> list[str]:
    """Refuse events that the file does not have; name those that have no session number."""
    there = table.frame[EVENT].drop_nulls().unique(maintain_order=True).to_list()
    absent = [event for event in options.events if event not in there]
    if absent:
        near = [hit for event in absent for hit in nearest(event, there, most=1)]
        hint = f" Nearest: {join_names(near)}." if near else ""
        raise SettingsError(
            f"[events] names {join_names(absent)}, which '{quote(table.name)}' does not have; it has "
            f"{join_names(there)}.{hint}"
        )
    silent = [event for event in there if event not in options.events]
    return [f"Events without a session number: {join_names(silent)}."] if silent else []


def _record(table: TextTable, dictionary: Dictionary | None) -> str:
    """Find the column that names the record: the dictionary's first field, else the first that is not REDCap's."""
    if dictionary is not None and dictionary.fields and dictionary.fields[0].name in table.columns:
        return dictionary.fields[0].name
    return next((name for name in table.columns if name not in _OWN), table.columns[0])


def _with_field_names(table: TextTable, dictionary: Dictionary) -> TextTable:
    """Give columns that bear labels the names of their fields."""
    labels: dict[str, list[str]] = {}
    for field in dictionary.fields:
        labels.setdefault(field.label, []).append(field.name)
    named = {label: names[0] for label, names in labels.items() if len(names) == 1} | _AS_LABELS
    known = set(dictionary.by_name)
    renamed = {
        name: named[name]
        for name in table.columns
        if name not in known and name in named and named[name] not in table.columns
    }
    columns = tuple(renamed.get(name, name) for name in table.columns)
    return replace(table, columns=columns, frame=table.frame.rename(renamed))


def _with_codes(table: TextTable, dictionary: Dictionary) -> TextTable:
    """Replace labels of choices by their codes, where a cell holds no code."""
    changed: list[pl.Series] = []
    for name in table.columns:
        field = dictionary.by_name.get(name)
        if field is None or not field.choices:
            continue
        labels = list(field.choices.values())  # one that several choices bear names none of them
        codes = {
            label: code
            for code, label in field.choices.items()
            if label not in field.choices and labels.count(label) == 1
        }
        changed.append(table.frame[name].replace(codes))
    return replace(table, frame=table.frame.with_columns(changed)) if changed else table


def _without_boxes(table: TextTable, dictionary: Dictionary | None) -> tuple[TextTable, pl.DataFrame | None]:
    """One column per checkbox field: the code that is ticked; several are named together, and are not a number.

    Rows in which a box is neither ticked nor unticked come back as faults.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in table.columns:
        if (match := _CHECKBOX.fullmatch(name)) and match["field"] not in table.columns:
            groups.setdefault(match["field"], {})[name] = _code(match["field"], name, match["code"], dictionary)
    if not groups:
        return table, None
    made = [_ticked(table.frame, boxes).alias(field) for field, boxes in groups.items()]
    boxes = {name for group in groups.values() for name in group}
    wrong = _neither(table.frame, sorted(boxes))
    table = _with_columns(table, made)
    left = tuple(name for name in table.columns if name not in boxes)
    return replace(table, columns=left, frame=table.frame.drop(boxes)), wrong


def _neither(frame: pl.DataFrame, boxes: list[str]) -> pl.DataFrame | None:
    """Find rows in which a box holds something else than ticked or not."""
    wrong: list[pl.DataFrame] = []
    for name in boxes:
        known = pl.col(name).str.to_lowercase().is_in([*_TICKED, *_UNTICKED])
        reason = pl.format(
            "{}: '{}' is neither ticked nor unticked; accepted are 0 and 1", pl.lit(name), quote_expr(pl.col(name))
        )
        wrong.append(frame.filter(pl.col(name).is_not_null() & ~known).select(ROW, reason.alias(REASON)))
    together = pl.concat(wrong)
    return None if together.is_empty() else together


def _code(field: str, column: str, written: str, dictionary: Dictionary | None) -> str:
    known: Field | None = dictionary.by_name.get(field) if dictionary else None
    codes = {known.column(code): code for code in known.choices} if known else {}
    return codes.get(column) or re.sub("^_", "-", written)


def _ticked(frame: pl.DataFrame, boxes: Mapping[str, str]) -> pl.Series:
    texts = [
        pl.when(pl.col(name).str.to_lowercase().is_in(list(_TICKED))).then(pl.lit(code))
        for name, code in boxes.items()
    ]
    joined = frame.select(pl.concat_str(texts, separator=" and ", ignore_nulls=True)).to_series()
    return pl.select(pl.when(joined != "").then(joined)).to_series()


def _what_it_holds(table: TextTable, record: str) -> Iterable[str]:
    parts = [f"{count_noun(table.frame[record].n_unique(), 'record')} ('{quote(record)}' is the client)"]
    if EVENT in table.columns:
        events = table.frame[EVENT].drop_nulls().unique(maintain_order=True).to_list()
        arms = {match[1] for event in events if (match := _ARM.search(event))}
        parts.append(f"{count_noun(len(events), 'event')} in {count_noun(max(len(arms), 1), 'arm')}")
    if FORM in table.columns:
        forms = table.frame[FORM].drop_nulls().unique(maintain_order=True).to_list()
        if forms:
            parts.append(f"repeating {join_names(forms)}")
    yield f"A REDCap export: {', '.join(parts)}."


def _filled(table: TextTable, record: str, columns: Columns) -> tuple[TextTable, list[str]]:
    """Fill rows of repeating instruments with the occasion of the record's own row of the event.

    Instances of a repeating event keep to themselves: they are rows of their own, without an instrument.
    """
    frame = table.frame
    shared = [header for role in _SHARED if role in ROLES and (header := columns.find(role)) is not None]
    notes: list[str] = []
    if FORM in table.columns and shared:
        event = [EVENT] if EVENT in table.columns else []
        own = pl.col(FORM).is_null()
        if INSTANCE in table.columns:
            own &= pl.col(INSTANCE).is_null()
        before = frame
        frame = frame.with_columns(
            pl.when(pl.col(FORM).is_null())
            .then(pl.col(name))
            .otherwise(pl.coalesce(name, pl.col(name).filter(own).first().over(record, *event)))
            .alias(name)
            for name in shared
        )
        day = columns.find("taken_on")
        if day is not None:
            rows = frame.filter(before[day].is_null() & pl.col(day).is_not_null())[ROW].to_list()
            if rows:
                notes.append(
                    f"Rows of repeating forms without a date that were given '{quote(day)}' from the record's own "
                    f"row: {len(rows)} ({name_rows(rows)})."
                )
    clinician = columns.find("clinician_id")
    if clinician is not None:
        frame = frame.with_columns(pl.coalesce(clinician, pl.col(clinician).drop_nulls().first().over(record)))
    return replace(table, frame=frame), notes


def _with_columns(table: TextTable, made: Iterable[pl.Series]) -> TextTable:
    made = list(made)
    names = [column.name for column in made]
    columns = (*(name for name in table.columns if name not in names), *names)
    return replace(table, columns=columns, frame=table.frame.with_columns(made))
