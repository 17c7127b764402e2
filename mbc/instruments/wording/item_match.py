"""Which item each question of a file is, and whether order and options are the instrument's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mbc.errors import WordingError, nearest
from mbc.instruments.definition.definition import Coding, Form, Instrument, Item
from mbc.instruments.wording.drafts import MOST_CHARACTERS, Draft, Line, foreign_syntax
from mbc.instruments.wording.texts import Option, WordedItem

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class MatchedWording:
    """The questions of a file as items of an instrument."""

    form: Form
    coding: Coding
    items: tuple[WordedItem, ...]  # in the form's order
    lines: Mapping[str, Line]  # item id -> where it stood
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Matches:
    """Which lines are which items, and whether places on a form were needed to tell."""

    lines: dict[str, Line]
    order: tuple[str, ...]  # items as the file has them
    by_place: bool
    in_turn: bool  # the file names no question at all
    extras: tuple[Line, ...]


def match(
    draft: Draft, instrument: Instrument, name: str, *, form: str | None, coding: str | None, pattern: str | None
) -> MatchedWording:
    """Hold a file against an instrument: every item once, in the order of a form, with the options of a coding.

    Parameters
    ----------
    draft : Draft
    instrument : Instrument
    name : str
        The file's name, for messages.
    form, coding : str, optional
        What the clinic says; else detected from the file, where it can be.
    pattern : str, optional
        What fields are called, with ``{n}`` for the place: ``"q{n}_today"``.

    Raises
    ------
    WordingError
        Naming all that does not match, and the repair.
    """
    stated = instrument.form(form) if form is not None else None
    wanted = instrument.coding(coding) if coding is not None else None
    if wanted is not None and wanted.range is not None:
        raise WordingError(
            f"{instrument.name} cannot be asked on coding {wanted.key}: its scores are on a different metric, "
            "which the record cannot store. Available codings: "
            f"{', '.join(c.key for c in instrument.own_codings)}."
        )
    matches, faults = _find(draft, instrument, stated or instrument.form(), pattern)
    if faults:
        raise _refusal(name, instrument, faults)
    settled = _form(matches, instrument, stated, name)
    if wanted is None:
        wanted = _coding(matches, instrument, name)
    faults = [*_grouped(_texts(matches)), *_options(matches, instrument, wanted)]
    if faults:
        raise _refusal(name, instrument, faults)
    items = tuple(_worded(item, matches.lines[item]) for item in settled.order)
    return MatchedWording(settled, wanted, items, matches.lines, tuple(_notes(draft, matches)))


def _find(draft: Draft, instrument: Instrument, form: Form, pattern: str | None) -> tuple[_Matches, list[str]]:
    lines: dict[str, Line] = {}
    faults: list[str] = []
    extras: list[Line] = []
    by_place = in_turn = _in_turn(draft, instrument, form, pattern)
    for turn, line in enumerate(draft.lines):
        item, placed = (form.order[turn], True) if in_turn else _item_of(line, instrument, form, pattern)
        by_place = by_place or placed
        if item is None:
            extras.append(line)
        elif item in lines:
            faults.append(
                f"{line.where} is {_item_label(instrument, item)}, and so is {lines[item].where}. Keep one."
            )
        else:
            lines[item] = line
    if draft.extras == "fault":
        faults += [_stray(line, instrument) for line in extras]
    absent = [item for item in form.order if item not in lines]
    if absent:
        faults.append(_absent(absent, instrument, form, extras))
    return _Matches(lines, tuple(lines), by_place, in_turn, tuple(extras)), faults


def _in_turn(draft: Draft, instrument: Instrument, form: Form, pattern: str | None) -> bool:
    """Whether questions have to be taken as they come: a resource that names none, and asks just as many."""
    return (
        draft.extras == "reported"
        and len(draft.lines) == len(form.order)
        and not any(_item_of(line, instrument, form, pattern)[0] for line in draft.lines)
    )


def _item_of(line: Line, instrument: Instrument, form: Form, pattern: str | None) -> tuple[str | None, bool]:
    """Item of a line, and whether its place on the form gave it: LOINC code, identity, then place."""
    by_loinc = {item.loinc: item.id for item in instrument.items if item.loinc}
    for code in (*line.codes, *line.names):
        if code in by_loinc:
            return by_loinc[code], False
    ids = {item.id.casefold(): item.id for item in instrument.items}
    for name in line.names:
        if name.casefold() in ids:
            return ids[name.casefold()], False
    for name in line.names:
        place = _place(name, instrument.key, pattern)
        if place is not None and 1 <= place <= len(form.order):
            return form.order[place - 1], True
    return None, False


def _place(name: str, key: str, pattern: str | None) -> int | None:
    """Place on the form: ``3``, ``q3``, ``item 3``, ``rses_3``, ``rses_q03``."""
    if pattern is not None:
        before, _, after = pattern.partition("{n}")
        number = re.fullmatch(re.escape(before) + r"0*(\d+)" + re.escape(after), name, re.IGNORECASE)
    else:
        stem = rf"(?:{re.escape(key)}[ _.\-]+)?"
        number = re.fullmatch(stem + r"(?:q|item|question)?[ _.\-]?0*(\d+)", name.strip("/"), re.IGNORECASE)
    return int(number[1]) if number else None


def _form(matches: _Matches, instrument: Instrument, stated: Form | None, name: str) -> Form:
    """Form of the file: as stated, or detected from its order where items are known by identity."""
    orders = "; ".join(f"{form.key}: {form.title}" for form in instrument.forms)
    if matches.by_place and stated is None and len(instrument.forms) > 1:
        which = " or ".join(f"--form {form.key}" for form in instrument.forms)
        raise WordingError(
            f"{name} numbers its questions, and {instrument.key} has {len(instrument.forms)} item orders "
            f"({orders}). Look at the first question, and choose one: {which}."
        )
    fitting = [form for form in instrument.forms if form.order == matches.order]
    if stated in fitting or (stated is None and fitting):
        return stated or next((form for form in fitting if form.default), fitting[0])
    wanted = stated or instrument.form()
    order = matches.order
    place = next(n for n, (a, b) in enumerate(zip(order, wanted.order, strict=True)) if a != b)
    other = f" It has the order of form {fitting[0].key!r}: --form {fitting[0].key}?" if fitting else ""
    raise WordingError(
        f"{name}, {matches.lines[order[place]].where}: {_item_label(instrument, order[place])} is at place "
        f"{place + 1}, where form {wanted.key!r} has {_item_label(instrument, wanted.order[place])}."
        f"{other or f' Put the questions in the order in which they are asked ({orders}).'}"
    )


def _coding(matches: _Matches, instrument: Instrument, name: str) -> Coding:
    """Coding that accepts just the options; the default where none does, so that its faults are reported."""
    fitting = [coding for coding in instrument.own_codings if not list(_values(matches, instrument, coding))]
    if len(fitting) > 1:
        meanings = "; ".join(f"{coding.key}: {coding.title}" for coding in fitting)
        raise WordingError(
            f"{name}: its options fit {len(fitting)} codings of {instrument.key} ({meanings}). "
            f"Choose one: --coding {' or --coding '.join(coding.key for coding in fitting)}."
        )
    return fitting[0] if fitting else instrument.coding()


def _texts(matches: _Matches) -> Iterator[tuple[str, str]]:
    for line in matches.lines.values():
        if not line.text:
            yield line.where, "the question has no text"
        for text in (line.text, *(label for _, label in line.options)):
            if len(text) > MOST_CHARACTERS:
                yield line.where, f"a text of more than {MOST_CHARACTERS} characters"
            if (unfit := foreign_syntax(text)) is not None:
                yield line.where, unfit


def _options(matches: _Matches, instrument: Instrument, coding: Coding) -> Iterator[str]:
    yield from _grouped(_values(matches, instrument, coding))
    yield from _grouped(
        (line.where, fault) for line in matches.lines.values() if (fault := _order(line.options)) is not None
    )


def _values(matches: _Matches, instrument: Instrument, coding: Coding) -> Iterator[tuple[str, str]]:
    for item_id, line in matches.lines.items():
        item = instrument.item(item_id)
        fault = _span_fault(line, item, coding) if not line.options else _value_fault(line, item, coding)
        if fault is not None:
            yield line.where, fault


def _span_fault(line: Line, item: Item, coding: Coding) -> str | None:
    low, high = coding.accepted(item)
    if line.span == (low, high) or (line.span is None and not item.whole_numbers):
        return None
    if line.span is None:
        return f"no options; the coding {coding.key!r} accepts {low}-{high}. Give each value its label"
    return f"numbers from {line.span[0]} to {line.span[1]}; the coding {coding.key!r} accepts {low}-{high}"


def _value_fault(line: Line, item: Item, coding: Coding) -> str | None:
    low, high = coding.accepted(item)
    written = [value for value, _ in line.options]
    if not all(re.fullmatch(r"-?\d+", value) for value in written):
        options = ", ".join(repr(value or label) for value, label in line.options[:_MOST_SHOWN])
        return f"options without a whole number ({options}); each needs its stored value, {low}-{high}"
    values = sorted(int(value) for value in written)
    if values == list(range(low, high + 1)):
        return None
    return (
        f"{len(values)} options ({', '.join(map(str, values))}); the coding {coding.key!r} accepts {low}-{high}, "
        f"{high - low + 1} options"
    )


def _order(options: Sequence[tuple[str, str]]) -> str | None:
    values = [int(value) for value, _ in options if re.fullmatch(r"-?\d+", value)]
    if values not in (sorted(values), sorted(values, reverse=True)):
        return f"options out of order ({', '.join(map(str, values))}); they must rise or fall"
    labels = [label for _, label in options if label]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    return None if twice is None else f"the label '{twice}' on more than one option"


def _grouped(faults: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Lines with the same fault, reported together."""
    groups: dict[str, list[str]] = {}
    for where, fault in faults:
        groups.setdefault(fault, []).append(where)
    for fault, places in groups.items():
        more = f" and {len(places) - _MOST_SHOWN} more" if len(places) > _MOST_SHOWN else ""
        yield f"{', '.join(places[:_MOST_SHOWN])}{more}: {fault}."


def _absent(absent: Sequence[str], instrument: Instrument, form: Form, extras: Sequence[Line]) -> str:
    described = [_item_label(instrument, item) for item in absent[:_MOST_SHOWN]]
    more = f" and {len(absent) - _MOST_SHOWN} more" if len(absent) > _MOST_SHOWN else ""
    place = form.order.index(absent[0]) + 1
    names = [f"'{instrument.key}_{place}'", f"'{place}'", f"'{absent[0]}'"]
    loinc = instrument.item(absent[0]).loinc
    if loinc:
        names.append(f"LOINC {loinc}")
    spare = {name: line for line in extras for name in line.names}
    near = nearest(f"{instrument.key}_{place}", spare, most=1)
    hint = f" Is it '{near[0]}'? Then give the names of the fields: --items PATTERN, with {{n}}." if near else ""
    return f"no question for {', '.join(described)}{more}. The first would be called {' or '.join(names)}.{hint}"


def _stray(line: Line, instrument: Instrument) -> str:
    called = next((name for name in line.names if name), "")
    return (
        f"{line.where}: {called!r} is not an item of {instrument.key}, which has {len(instrument.items)}. "
        "Call it by its number or id, or remove it."
    )


def _item_label(instrument: Instrument, item_id: str) -> str:
    return f"{item_id} ({instrument.item(item_id).label})"


def _worded(item_id: str, line: Line) -> WordedItem:
    options = tuple(Option(int(value), label) for value, label in line.options)
    if not options and line.span is not None:
        options = tuple(Option(value, "") for value in range(line.span[0], line.span[1] + 1))
    return WordedItem(item_id, line.text, options)


def _notes(draft: Draft, matches: _Matches) -> Iterator[str]:
    if matches.in_turn:
        yield (
            "The file has neither LOINC codes nor numbers; its questions were read in file order. Check them: "
            "mbc instruments wording show."
        )
    if draft.extras == "reported":
        for line in matches.extras:
            yield f"Left out, not an item of the instrument: {line.where} ('{line.text[:60]}')."
    by_text: dict[str, Line] = {}
    for line in matches.lines.values():
        if line.text in by_text:
            yield f"{line.where} has the same text as {by_text[line.text].where}. Is that also so on paper?"
        by_text.setdefault(line.text, line)


def _refusal(name: str, instrument: Instrument, faults: Sequence[str]) -> WordingError:
    if len(faults) == 1:
        return WordingError(f"{name} does not fit {instrument.key}: {faults[0]}")
    listed = "\n".join(f"  - {fault}" for fault in faults)
    return WordingError(f"{name} does not fit {instrument.key} ({len(faults)} faults):\n{listed}")
