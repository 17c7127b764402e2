"""REDCap data as a table of answers: events, repeating instruments, checkboxes, labels and survey times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import item_pattern
from mbc.exchange.redcap.dictionary import Dictionary, Field
from mbc.instruments import instrument, keys

EVENT, FORM, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
_OWN = (EVENT, FORM, INSTANCE, "redcap_data_access_group", "redcap_survey_identifier")
# What the same columns are called in an export with labels.
_AS_LABELS = {"Event Name": EVENT, "Repeat Instrument": FORM, "Repeat Instance": INSTANCE}
_SESSION = "session number of the event"
_NOT_COMPLETED = "[not completed]"
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
    table = _without_boxes(table, dictionary)
    record = _record(table, dictionary)
    notes = list(_what_it_holds(table, record))
    given = {"client_id": record, **_days(table, dictionary, options)}
    if options.events and EVENT in table.columns:
        numbers = {event: str(number) for event, number in options.events.items()}
        session = table.frame[EVENT].replace_strict(numbers, default=None, return_dtype=pl.String)
        table = _with_columns(table, [session.alias(_SESSION)])
        given["session_number"] = _SESSION
    given = {name: header for name, header in given.items() if name not in options.columns}
    table = _filled(table, record, Columns(table, {**given, **options.columns}))
    known = dictionary.by_name if dictionary else {}
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
    )


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


def _without_boxes(table: TextTable, dictionary: Dictionary | None) -> TextTable:
    """One column per checkbox field: the code that is ticked; several are named together, and are not a number."""
    groups: dict[str, dict[str, str]] = {}
    for name in table.columns:
        if (match := _CHECKBOX.fullmatch(name)) and match["field"] not in table.columns:
            groups.setdefault(match["field"], {})[name] = _code(match["field"], name, match["code"], dictionary)
    if not groups:
        return table
    made = [_ticked(table.frame, boxes).alias(field) for field, boxes in groups.items()]
    boxes = {name for group in groups.values() for name in group}
    table = _with_columns(table, made)
    left = tuple(name for name in table.columns if name not in boxes)
    return replace(table, columns=left, frame=table.frame.drop(boxes))


def _code(field: str, column: str, written: str, dictionary: Dictionary | None) -> str:
    known: Field | None = dictionary.by_name.get(field) if dictionary else None
    codes = {known.column(code): code for code in known.choices} if known else {}
    return codes.get(column) or re.sub("^_", "-", written)


def _ticked(frame: pl.DataFrame, boxes: Mapping[str, str]) -> pl.Series:
    texts = [
        pl.when(pl.col(name).str.to_lowercase().is_in(["1", "checked", "yes", "true"])).then(pl.lit(code))
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


def _days(table: TextTable, dictionary: Dictionary | None, options: ImportOptions) -> dict[str, str]:
    """Columns with the day on which each questionnaire was taken."""
    if "taken_on" in options.columns:  # the user's word is for all of them
        return {}
    forms = _forms(table, dictionary)
    days: dict[str, str] = {}
    for key in keys():
        asked = {forms[header] for header in _items(table, key, options) if header in forms}
        if len(asked) != 1:
            continue
        (form,) = asked
        stamp = f"{form}_timestamp"
        dates = [field.name for field in dictionary.in_form(form) if field.is_date] if dictionary else []
        dates = [name for name in dates if name in table.columns]
        if stamp in table.columns and table.frame[stamp].is_not_null().any():
            days[f"{key}_taken_on"] = stamp
        elif len(dates) == 1:
            days[f"{key}_taken_on"] = dates[0]
    return days


def _forms(table: TextTable, dictionary: Dictionary | None) -> dict[str, str]:
    """Column -> form: by the dictionary, else the form whose ``_complete`` column comes next."""
    if dictionary is not None:
        return {name: field.form for name, field in dictionary.by_name.items()}
    forms: dict[str, str] = {}
    waiting: list[str] = []
    for name in table.columns:
        if name.endswith("_complete"):
            forms |= dict.fromkeys(waiting, name.removesuffix("_complete"))
            waiting = []
        else:
            waiting.append(name)
    return forms


def _items(table: TextTable, key: str, options: ImportOptions) -> list[str]:
    mapped = [options.columns[name] for name in instrument(key).item_columns() if name in options.columns]
    pattern = item_pattern(key)
    return mapped or [name for name in table.columns if pattern.fullmatch(name)]


def _filled(table: TextTable, record: str, columns: Columns) -> TextTable:
    """Fill rows of repeating instruments with the occasion of the record's own row of the event."""
    frame = table.frame.with_columns(
        pl.when(pl.col(name) != _NOT_COMPLETED).then(pl.col(name)).alias(name)
        for name in table.columns
        if name.endswith("_timestamp")
    )
    shared = [header for role in _SHARED if role in ROLES and (header := columns.find(role)) is not None]
    if FORM in table.columns and shared:
        event = [EVENT] if EVENT in table.columns else []
        frame = frame.with_columns(
            pl.coalesce(pl.col(name), pl.col(name).filter(pl.col(FORM).is_null()).first().over(record, *event))
            for name in shared
        )
    clinician = columns.find("clinician_id")
    if clinician is not None:
        frame = frame.with_columns(pl.coalesce(clinician, pl.col(clinician).drop_nulls().first().over(record)))
    return replace(table, frame=frame)


def _with_columns(table: TextTable, made: Iterable[pl.Series]) -> TextTable:
    made = list(made)
    names = [column.name for column in made]
    columns = (*(name for name in table.columns if name not in names), *names)
    return replace(table, columns=columns, frame=table.frame.with_columns(made))
