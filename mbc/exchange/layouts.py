"""How a file is laid out: one row per questionnaire, per answer, or per score; and of which questionnaires."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mbc.errors import ImportRefused, MissingItems, nearest
from mbc.exchange.columns import ROLES, Columns
from mbc.exchange.options import ImportOptions, Layout, item_name
from mbc.exchange.questionnaires import chosen, item_pattern, key_of
from mbc.exchange.shown import listing, shown
from mbc.instruments import Instrument, instrument, keys


@dataclass(frozen=True, slots=True)
class Recognised:
    """The layout, and for a wide file the columns of each questionnaire in the order of its positions."""

    layout: Layout
    items: Mapping[str, tuple[str, ...]]
    """Questionnaire -> headers, first position first."""


def recognise(columns: Columns, options: ImportOptions) -> Recognised:
    """Tell the layout from the header, unless the user named it.

    Raises
    ------
    ImportRefused
        When no layout fits; the message says what each needs and what there is.
    MissingItems
        When a wide file lacks item columns of a questionnaire that it has others of.
    UnknownInstrument
        When the user named a questionnaire that is not in the catalogue.
    """
    named = chosen(options)
    layout = options.layout
    if layout is None and options.items is None:
        layout = _by_roles(columns)
    if layout in {"long", "totals"}:
        return Recognised(layout, {})  # pyright: ignore[reportArgumentType] - narrowed by the set
    found = _wide(columns, options, named)
    if not found:
        raise ImportRefused(_unrecognised(columns, options))
    return Recognised("wide", found)


def _by_roles(columns: Columns) -> Layout | None:
    if columns.find("item") and columns.find("value"):
        return "long"
    if _any_item(columns):
        return "wide"
    if columns.find("scale") and columns.find("score"):
        return "totals"
    if columns.find("instrument") and columns.find("score"):
        return "totals"
    return None


def _any_item(columns: Columns) -> bool:
    mapped = any(name not in ROLES for name in columns.given)
    return mapped or any(_matches(columns, key) for key in keys())


def _matches(columns: Columns, key: str) -> list[str]:
    pattern = item_pattern(key)
    return [name for name in columns.table.columns if pattern.fullmatch(name)]


def _wide(columns: Columns, options: ImportOptions, named: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if options.items is not None:
        return _by_template(columns, options.items, named)
    mapped = {key for key in keys() for name in columns.given if item_pattern(key).fullmatch(name)}
    present = named or tuple(key for key in keys() if key in mapped or _matches(columns, key))
    return {key: _item_headers(columns, instrument(key)) for key in present}


def _by_template(columns: Columns, template: str, named: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if len(named) != 1:
        named = named or _only_questionnaire(columns)
        raise_for = "which questionnaire are they?" if not named else f"{', '.join(named)} cannot share them."
        if len(named) != 1:
            raise ImportRefused(
                f"Columns named '{shown(template)}': {raise_for} Name one: --instrument rses --items '{shown(template)}'."
            )
    one = instrument(named[0])
    headers = [_by_name(columns, item_name(template, n + 1)) for n in range(len(one.items))]
    absent = [item_name(template, n + 1) for n, header in enumerate(headers) if header is None]
    if absent:
        raise MissingItems(_lacking(columns, one, absent, [h for h in headers if h]))
    return {one.key: tuple(header for header in headers if header is not None)}


def _only_questionnaire(columns: Columns) -> tuple[str, ...]:
    """The one questionnaire that a column of questionnaires names throughout."""
    header = columns.find("instrument")
    texts = columns.table.frame[header].drop_nulls().unique().to_list() if header else []
    try:
        return tuple({key_of(text) for text in texts})
    except ValueError:
        return ()


def _by_name(columns: Columns, name: str) -> str | None:
    return columns.item(name)


def _item_headers(columns: Columns, one: Instrument) -> tuple[str, ...]:
    """Headers of all items of a questionnaire.

    Raises
    ------
    MissingItems
        When one is absent; the nearest names are offered for renaming.
    """
    pattern = item_pattern(one.key)
    by_number: dict[int, list[str]] = {}
    for name in columns.table.columns:
        if match := pattern.fullmatch(name):
            by_number.setdefault(int(match[1]), []).append(name)
    headers: list[str] = []
    absent: list[str] = []
    for n, column in enumerate(one.item_columns(), start=1):
        header = columns.item(column)
        if header is None and (same := by_number.get(n)):
            if len(same) > 1:
                raise ImportRefused(
                    f"'{shown(columns.table.name)}' has {len(same)} columns that could be {column}: {listing(same)}. "
                    f"Say which: --map {column}='{shown(same[0])}'."
                )
            header = columns.item(same[0])
        headers.append(header or "")
        if header is None:
            absent.append(column)
    beyond = [names[0] for n, names in sorted(by_number.items()) if not 1 <= n <= len(one.items)]
    if absent:
        raise MissingItems(_lacking(columns, one, absent, [h for h in headers if h] + beyond))
    if beyond:
        raise ImportRefused(
            f"{one.name} has {len(one.items)} items; '{shown(columns.table.name)}' also has {listing(beyond)}. "
            "Is it another questionnaire? Rename or remove the column, or name the questionnaires: --instrument KEY."
        )
    return tuple(headers)


def _lacking(columns: Columns, one: Instrument, absent: list[str], used: list[str]) -> str:
    free = [name for name in columns.table.columns if name not in used]
    stems = _numbered(columns)
    if len(absent) == len(one.items) and stems:
        hint = f" Are '{stems[0]}1', '{stems[0]}2' ... its items? --items '{stems[0]}{{n}}'."
    else:
        offers = {column: hit for column in absent if (hit := _nearest_free(column, free))}
        offer = "".join(f" --map {column}='{shown(hit)}'" for column, hit in list(offers.items())[:3])
        hint = f" Rename, or say so:{offer}" if offer else ""
    return (
        f"{one.name} needs {len(one.items)} item columns; '{shown(columns.table.name)}' lacks {listing(absent)}. "
        f"Beside the items it has {listing(free)}.{hint}"
    )


def _nearest_free(column: str, free: list[str]) -> str | None:
    """Find the column that probably is this item: the same number first, else a like name without a number."""
    number = int(column.rpartition("_")[2])
    same = [name for name in free if _trailing_number(name) == number]
    unnumbered = [name for name in free if _trailing_number(name) is None]
    return next(iter(nearest(column, same) or same or nearest(column, unnumbered)), None)


def _trailing_number(name: str) -> int | None:
    match = re.search(r"\d{1,3}$", name)
    return int(match[0]) if match else None


def _unrecognised(columns: Columns, options: ImportOptions) -> str:
    needs = (
        "wide files need item columns (rses_1, rses_2, ... or --instrument KEY --items 'Q{n}'), long ones instrument, "
        "item and value, files of totals instrument, scale and score"
    )
    numbered = _numbered(columns)
    hint = (
        f" Are '{numbered[0]}1', '{numbered[0]}2' ... the items? --instrument KEY --items '{numbered[0]}{{n}}'."
        if numbered
        else ""
    )
    return (
        f"'{shown(columns.table.name)}' is laid out in no way known: {needs}. It has "
        f"{listing(columns.table.columns)}.{hint}"
    )


def _numbered(columns: Columns) -> list[str]:
    """Stems that several numbered columns share: 'Q' of Q1, Q2, Q3."""
    stems: dict[str, int] = {}
    for name in columns.table.columns:
        stem = name.rstrip("0123456789")
        if stem != name:
            stems[stem] = stems.get(stem, 0) + 1
    return [shown(stem) for stem, times in stems.items() if times >= 3]
