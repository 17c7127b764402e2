"""Which questionnaires a file holds, in which item order and coding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from mbc.errors import DefinitionError, SettingsError, nearest
from mbc.exchange.files.messages import quote
from mbc.exchange.header.columns import Columns, fold
from mbc.exchange.header.options import ImportOptions
from mbc.instruments import Coding, Form, Instrument, Item, instrument, keys
from mbc.instruments.own.folders import OwnDefinition, listed

_BETWEEN = r"[ _.\-]"
_ITEM_WORD = r"(?:q|item|question)"


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """An instrument with the item order and the coding its answers are in."""

    instrument: Instrument
    form: Form
    coding: Coding

    @property
    def items(self) -> tuple[Item, ...]:
        """The items in the order of the form."""
        return tuple(self.instrument.item(item) for item in self.form.order)

    def accepted(self, coding: Coding | None = None) -> tuple[tuple[int, int], ...]:
        """Lowest and highest answer per position, in this coding or another."""
        return tuple((coding or self.coding).accepted(item) for item in self.items)


def item_pattern(key: str) -> re.Pattern[str]:
    """Match the column names that mean an item of a questionnaire; group 1 is its number.

    A key that ends in a digit needs something between it and the number.

    Examples
    --------
    >>> [bool(item_pattern("rses").fullmatch(name)) for name in ("RSES_1", "rses01", "rses_q1", "rses_total")]
    [True, True, True, False]
    >>> [bool(item_pattern("phq9").fullmatch(name)) for name in ("PHQ-9_1", "phq9.q1", "phq91")]
    [True, True, False]
    """
    word = _BETWEEN + "?"
    parts = re.findall(r"[a-z]+|\d+", key.casefold())
    gap = f"(?:{_BETWEEN}+|{_BETWEEN}*{_ITEM_WORD}{_BETWEEN}*)"
    if not key[-1].isdigit():
        gap += "?"
    return re.compile(word.join(parts) + gap + r"0*(\d{1,3})", re.IGNORECASE)


def item_number(text: str, key: str) -> int | None:
    """Position of an item as a long file names it: ``3``, ``3.0``, ``Q3``, ``item 3``, ``rses_3``.

    Examples
    --------
    >>> [item_number(text, "rses") for text in ("3", "03", "3.0", "Q3", "item_3", "RSES_3", "third")]
    [3, 3, 3, 3, 3, 3, None]
    """
    plain = re.fullmatch(rf"{_ITEM_WORD}?{_BETWEEN}*0*(\d{{1,3}})(?:[.,]0+)?", text, re.IGNORECASE)
    match = plain or item_pattern(key).fullmatch(text)
    return int(match[1]) if match else None


@lru_cache(maxsize=8)
def _by_folded_name(_: tuple[OwnDefinition, ...]) -> dict[str, str]:
    known = {fold(instrument(key).name): key for key in keys()}
    known |= {fold(part): key for key in keys() for part in instrument(key).name.split(" - ")}
    return known | {fold(key): key for key in keys()}


def key_of(text: str) -> str:
    """Key of the questionnaire that a cell names: its key or name, whatever the case and punctuation.

    Raises
    ------
    ValueError
        When there is none; the nearest are named.

    Examples
    --------
    >>> key_of("PHQ-9")
    'phq9'
    """
    known = _by_folded_name(listed())
    if fold(text) in known:
        return known[fold(text)]
    near = list(dict.fromkeys(known[fold(hit)] for hit in nearest(text, known)))
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(keys())}"
    raise ValueError(f"there is no questionnaire '{quote(text)}'; {hint}")


def chosen(options: ImportOptions) -> tuple[str, ...]:
    """Keys of the questionnaires that the user named, each once.

    Raises
    ------
    UnknownInstrument
        When one is unknown.
    """
    return tuple(dict.fromkeys(instrument(_key_or_text(text)).key for text in options.instruments))


def _key_or_text(text: str) -> str:
    return _by_folded_name(listed()).get(fold(text), text)


def check_per_instrument(options: ImportOptions, present: Iterable[str]) -> None:
    """Refuse forms and codings that are named for no questionnaire of the file, or for too many at once.

    Raises
    ------
    SettingsError
        Says what to write instead.
    """
    present = list(present)
    for name, values in (("form", options.form), ("coding", options.coding)):
        if "" in values and len(present) > 1:
            example = f"--{name} {present[0]}={quote(values[''])}"
            raise SettingsError(
                f"The file contains {', '.join(present)}: which one is the {name} for? Write {example}."
            )
        absent = [key for key in values if key and key not in present]
        if absent:
            raise SettingsError(
                f"--{name} {quote(absent[0])}={quote(values[absent[0]])}: the file contains no "
                f"'{quote(absent[0])}' but {', '.join(present) or 'no known questionnaire'}."
            )
        for key in present:
            value = values.get(key, values.get(""))
            if value is not None:
                _definition(key, name, value)


def _definition(key: str, kind: str, choice: str | None) -> str:
    measure = instrument(key)
    if kind == "form":
        return measure.form(choice).key
    coding = measure.coding(choice)
    if coding.range is not None:
        raise DefinitionError(
            f"{measure.name} on coding {coding.key} has scores on a different metric, and the record stores "
            f"scores on the questionnaire's own metric. Score the file instead: mbc score FILE {key} --coding "
            f"{coding.key}"
        )
    return coding.key


@dataclass(frozen=True, slots=True)
class Settlement:
    """Administrations with known forms and codings, and what was found while reading."""

    frame: pl.DataFrame
    """With known keys, or nulls where a word is not known."""
    faults: pl.DataFrame
    """``number, reason`` of those."""
    assumed: tuple[str, ...]
    """Questionnaires whose item order is not stated, though several are in print."""


def settle(frame: pl.DataFrame, options: ImportOptions) -> Settlement:
    """Settle form and coding of each administration: the file's word, the command's, or the default.

    Parameters
    ----------
    frame : polars.DataFrame
        With ``number``, ``instrument`` (a known key or null), ``form`` and ``coding`` (as written, or null).
    """
    names = ["instrument", "form", "coding"]
    distinct = frame.select(names).filter(pl.col("instrument").is_not_null()).unique()
    resolved: list[tuple[str | None, str | None, str | None]] = []
    for key, form, coding in distinct.iter_rows():
        try:
            resolved.append((_settle(key, "form", form, options), _settle(key, "coding", coding, options), None))
        except (DefinitionError, ValueError) as fault:
            resolved.append((None, None, str(fault)))
    schema = {"settled form": pl.String(), "settled coding": pl.String(), "reason": pl.String()}
    distinct = distinct.hstack(pl.DataFrame(resolved, schema=schema, orient="row"))
    joined = frame.join(distinct, on=names, how="left", nulls_equal=True, maintain_order="left")
    known = joined.with_columns(form="settled form", coding="settled coding").select(frame.columns)
    faults = joined.filter(pl.col("reason").is_not_null()).select("number", "reason")
    silent = distinct.filter(pl.col("form").is_null())["instrument"].unique(maintain_order=True)
    assumed = [instrument(key) for key in silent if "" not in options.form and key not in options.form]
    several = tuple(measure.key for measure in assumed if len(measure.forms) > 1 and not measure.safety_channel)
    return Settlement(known, faults, several)


def _settle(key: str, kind: str, written: str | None, options: ImportOptions) -> str:
    values = options.form if kind == "form" else options.coding
    choice = values.get(key, values.get(""))
    if written is not None and choice is not None and _definition(key, kind, written) != choice:
        raise ValueError(f"{kind}: the file says '{quote(written)}', the command '{quote(choice)}'")
    return _definition(key, kind, written if written is not None else choice)


def stated_codings(columns: Columns, keys: Iterable[str], options: ImportOptions) -> frozenset[str]:
    """Questionnaires whose answer coding, or what answers count as, the file or the user states."""
    return frozenset({*options.coding, *options.values, *_with_a_word(columns, keys, "coding")})


def stated_forms(columns: Columns, keys: Iterable[str], options: ImportOptions) -> frozenset[str]:
    """Questionnaires whose item order the file or the user states."""
    return frozenset({*options.form, *_with_a_word(columns, keys, "form")})


def _with_a_word(columns: Columns, keys: Iterable[str], role: str) -> Iterator[str]:
    """Questionnaires for which a column of the file says which form or coding it is."""
    for key in keys:
        header = columns.own(key, role) or columns.find(role)
        if header is not None and columns.table.frame[header].is_not_null().any():
            yield key


def assumed_form_note(key: str) -> str:
    """Say which item order was taken for granted."""
    measure = instrument(key)
    others = [form.key for form in measure.forms if not form.default]
    return (
        f"{measure.name}: items are read in the order of form {measure.form().key}. If the order is that of "
        f"{' or '.join(others)}: --form {key}={others[0]}."
    )


def scale_key(measure: Instrument, text: str | None) -> str:
    """Key of the scale that a cell names; the only scale when it is blank.

    Raises
    ------
    ValueError
        When the instrument has no such scale, or more than one and none is named.
    """
    known = {fold(scale.title): scale.key for scale in measure.scales} | {
        fold(scale.key): scale.key for scale in measure.scales
    }
    if len(measure.scales) == 1:
        known |= {
            "total": measure.main_scale.key,
            "totalscore": measure.main_scale.key,
            "sum": measure.main_scale.key,
        }
    if text is None and len(measure.scales) == 1:
        return measure.main_scale.key
    match = (
        None if text is None else known.get(fold(text)) or known.get(fold(text.removeprefix(f"{measure.key}_")))
    )
    if match is None:
        given = "blank" if text is None else f"'{quote(text)}'"
        raise ValueError(
            f"the scale is {given}; {measure.name} has {', '.join(scale.key for scale in measure.scales)}"
        )
    return match
