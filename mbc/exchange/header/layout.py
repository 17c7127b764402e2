"""How a file is laid out: one row per questionnaire, per answer, or per score; and of which questionnaires."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mbc.errors import ImportRefused, MissingItems, nearest
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.options import ImportOptions, Layout, item_name
from mbc.exchange.header.questionnaires import chosen, item_pattern, key_of
from mbc.instruments import Instrument, instrument, keys


@dataclass(frozen=True, slots=True)
class Recognised:
    """The layout, and for a wide file the columns of each questionnaire."""

    layout: Layout
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Questionnaire -> headers, in the order of the form."""
    scores: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Questionnaire -> scale -> header, where scores were recorded with the items or instead of them."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The questionnaires of a wide file."""
        return tuple(dict.fromkeys([*self.items, *self.scores]))


def recognise(columns: Columns, options: ImportOptions) -> Recognised:
    """Detect the layout from the header, unless the user named it.

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
    layout = options.layout or ("wide" if options.items or options.patterns else _by_header(columns, named))
    if layout == "wide" or (layout is None and named):
        return _wide(columns, options, named)
    if layout is None:
        raise ImportRefused(_unrecognised(columns))
    return Recognised(layout)


def _wide(columns: Columns, options: ImportOptions, named: tuple[str, ...]) -> Recognised:
    scores = {key: headers for key in named or keys() if (headers := _score_columns(columns, key))}
    only_scores = scores and not options.items and not options.patterns and not _present(columns)
    items = {} if only_scores else _item_columns(columns, options, named, scores)
    return Recognised("wide", items, scores)


def _score_columns(columns: Columns, key: str) -> dict[str, str]:
    """Columns of scores that were kept: ``rses_total`` and its like, ``ecr_s_anxiety``."""
    measure = instrument(key)
    synonyms = ("total", "score", "total score", "sum", "sum score") if len(measure.scales) == 1 else ()
    headers = {scale.key: columns.score(key, scale.key, (scale.title, *synonyms)) for scale in measure.scales}
    return {scale: header for scale, header in headers.items() if header is not None}


def _by_header(columns: Columns, named: tuple[str, ...]) -> Layout | None:
    if columns.find("item") and columns.find("value"):
        return "long"
    if _present(columns):
        return "wide"
    if not columns.find("score") and any(_score_columns(columns, key) for key in named or keys()):
        return "wide"
    if columns.find("score") and (named or columns.find("scale") or columns.find("instrument")):
        return "totals"
    return None


def _present(columns: Columns) -> tuple[str, ...]:
    """Keys of the questionnaires that some column is an item of."""
    named = [*columns.table.columns, *(name for name in columns.given if name not in ROLES)]
    return tuple(key for key in keys() if instrument(key).items and _names_an_item(key, named))


def _names_an_item(key: str, names: Iterable[str]) -> bool:
    pattern = item_pattern(key)
    return any(pattern.fullmatch(name) for name in names)


def _item_columns(
    columns: Columns, options: ImportOptions, named: tuple[str, ...], scores: Mapping[str, object]
) -> dict[str, tuple[str, ...]]:
    if options.items is not None:
        measure = _whose_items(columns, options.items, named)
        return {measure.key: _by_template(columns, measure, options.items)}
    there = _present(columns)
    present = dict.fromkeys([*(named or there), *options.patterns])
    if not present:
        raise ImportRefused(_unrecognised(columns))
    headers: dict[str, tuple[str, ...]] = {}
    for key in present:
        measure = instrument(key)
        if key in options.patterns:
            headers[key] = _by_template(columns, measure, options.patterns[key])
        elif key in there or key not in scores:
            headers[key] = _by_pattern(columns, measure)
    place = columns.table.columns.index
    return dict(sorted(headers.items(), key=lambda entry: place(entry[1][0])))


def _by_template(columns: Columns, measure: Instrument, template: str) -> tuple[str, ...]:
    names = [item_name(template, n) for n in range(1, len(measure.items) + 1)]
    return _all_there(columns, measure, names, [columns.item(name) for name in names])


def _whose_items(columns: Columns, template: str, named: tuple[str, ...]) -> Instrument:
    """Say whose items the columns of a template are: of the questionnaire named, or the one the file speaks of."""
    if not named and (header := columns.find("instrument")):
        try:
            named = tuple({key_of(text) for text in columns.table.frame[header].drop_nulls().unique()})
        except ValueError:
            named = ()
    if len(named) != 1:
        among = f" ({', '.join(named)} cannot share them)" if named else ""
        raise ImportRefused(
            f"Columns named '{quote(template)}': of which questionnaire{among}? Name one: --instrument rses."
        )
    return instrument(named[0])


def _by_pattern(columns: Columns, measure: Instrument) -> tuple[str, ...]:
    """Find the columns of a questionnaire by their names: as mapped, ``rses_1``, or what is like it."""
    if not measure.items:
        raise ImportRefused(
            f"{measure.name} has no items of its own: goals are rated, and have tables of their own."
        )
    by_number: dict[int, list[str]] = {}
    for name in columns.table.columns:
        if match := item_pattern(measure.key).fullmatch(name):
            by_number.setdefault(int(match[1]), []).append(name)
    names = list(measure.item_columns())
    headers = _all_there(
        columns,
        measure,
        names,
        [columns.item(name, by_number.get(n, ())) for n, name in enumerate(names, start=1)],
    )
    beyond = [same_number[0] for n, same_number in sorted(by_number.items()) if not 1 <= n <= len(names)]
    if beyond:
        raise ImportRefused(
            f"{measure.name} has {len(names)} items; '{quote(columns.table.name)}' also has "
            f"{join_names(beyond)}. Is it "
            f"another questionnaire? Name it with --instrument KEY; or leave the column out: --ignore "
            f"'{quote(beyond[0])}'."
        )
    return headers


def _all_there(
    columns: Columns, measure: Instrument, names: list[str], candidates: list[str | None]
) -> tuple[str, ...]:
    """Refuse a file that lacks items; columns that may be them are offered for renaming."""
    headers = [header for header in candidates if header is not None]
    absent = [name for name, header in zip(names, candidates, strict=True) if header is None]
    if not absent:
        return tuple(headers)
    free = [name for name in columns.table.columns if name not in headers]
    raise MissingItems(
        f"{measure.name} needs {len(names)} item columns; '{quote(columns.table.name)}' lacks "
        f"{join_names(absent)}. Its other columns are {join_names(free)}.{_renaming(measure, absent, free)}"
    )


def _renaming(measure: Instrument, absent: list[str], free: list[str]) -> str:
    stem = _numbered_stem(free)
    if len(absent) == len(measure.items) and stem:
        return f" Are '{stem}1', '{stem}2' ... its items? --instrument {measure.key} --items '{stem}{{n}}'."
    canonical = dict(zip(range(1, len(measure.items) + 1), measure.item_columns(), strict=True))
    offers: list[str] = []
    for name in absent:
        number = _trailing_number(name)
        header = _nearest_free(name, free)
        if header is not None and number in canonical:
            offers.append(f"--map {canonical[number]}='{quote(header)}'")
    return f" Rename them, or use: {' '.join(offers[:3])}" if offers else ""


def _nearest_free(name: str, free: list[str]) -> str | None:
    """Find the column that probably is this item: the same number first, else a like name without a number."""
    same = [other for other in free if _trailing_number(other) == _trailing_number(name)]
    unnumbered = [other for other in free if _trailing_number(other) is None]
    return next(iter(nearest(name, same) or same or nearest(name, unnumbered)), None)


def _trailing_number(name: str) -> int | None:
    match = re.search(r"\d{1,3}$", name)
    return int(match[0]) if match else None


def _unrecognised(columns: Columns) -> str:
    stem = _numbered_stem(list(columns.table.columns))
    hint = f" Are '{stem}1', '{stem}2' ... items? --instrument KEY --items '{stem}{{n}}'." if stem else ""
    return (
        f"'{quote(columns.table.name)}' has no recognised layout. Wide files need item columns (rses_1, "
        "rses_2, ..., or --instrument KEY --items 'Q{n}'), long ones instrument, item and value, files of totals "
        f"instrument, scale and score. It has {join_names(columns.table.columns)}.{hint}"
    )


def _numbered_stem(names: list[str]) -> str | None:
    """Find a stem that several numbered columns share: 'Q' of Q1, Q2, Q3."""
    stems = [name.rstrip("0123456789") for name in names if _trailing_number(name) is not None]
    often = [stem for stem in dict.fromkeys(stems) if stems.count(stem) >= 3 and f"{stem}1" in names]
    return quote(often[0]) if often else None
