"""What can be typed into a form: its fields, what each accepts, and the reason where something else was typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mbc.errors import StoreError
from mbc.store.schema.validation import check_text

Kind = Literal["choice", "select", "day", "text", "number", "check", "hidden"]

_NUMBER = re.compile(r"[+-]?\d{1,9}([.]\d{1,6}|,\d{1,2})?")
_FIRST_DAY = dt.date(1900, 1, 1)
_OTHER, _MORE = "other", "more"  # a reason that is not listed, and the field for it in words


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers."""

    value: str
    words: str
    group: str = ""  # the heading above it, in a long list
    key: str = ""  # chooses it on a keyboard; its own value where that is a digit

    @property
    def shortcut(self) -> str:
        """The key that chooses it, or nothing."""
        return self.key or (self.value if len(self.value) == 1 and self.value.isdigit() else "")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked for.

    Parameters
    ----------
    name : str
        Under which it is sent.
    label : str
        What is asked.
    kind : str
        ``"choice"`` is one of a few, side by side; ``"select"`` one of many; a ``"check"`` is sent or not.
    value : str
        What stands there before anybody types.
    choices : sequence of Choice
        For a choice or a select.
    required : bool
        Whether it may be left empty.
    longest : int
        Characters of a text.
    least, most : float or date, optional
        Bounds of a number or a day.
    hint : str
        What else to know, in a few words.
    """

    name: str
    label: str
    kind: Kind = "text"
    value: str = ""
    choices: tuple[Choice, ...] = ()
    required: bool = True
    longest: int = 200
    least: float | dt.date | None = None
    most: float | dt.date | None = None
    hint: str = ""

    def read(self, sent: str) -> object:
        """Read what was typed.

        Returns
        -------
        str, float, date, bool or None
            None where nothing was typed.

        Raises
        ------
        StoreError
            If it is not accepted; the text says what is.
        """
        typed = " ".join(sent.split())
        if self.kind == "check":
            return bool(typed)
        if not typed:
            if self.required:
                raise StoreError(_EMPTY.get(self.kind, "This field is required."))
            return None
        return getattr(self, f"_read_{self.kind}")(typed)

    def _read_hidden(self, typed: str) -> str:
        return self._read_text(typed)

    def _read_text(self, typed: str) -> str:
        if len(typed) > self.longest:
            raise StoreError(f"This has {len(typed)} characters; the limit is {self.longest}. Shorten it.")
        return check_text("this", typed)

    def _read_select(self, typed: str) -> str:
        return self._read_choice(typed)

    def _read_choice(self, typed: str) -> str:
        if typed not in {choice.value for choice in self.choices}:
            raise StoreError("Choose one from the list.")
        return typed

    def _read_day(self, typed: str) -> dt.date:
        try:
            day = dt.date.fromisoformat(typed)
        except ValueError:
            raise StoreError("Enter the date as year-month-day, for example 2026-03-31.") from None
        first = self.least if isinstance(self.least, dt.date) else _FIRST_DAY
        if day < first:
            raise StoreError(f"The date is before {first}. Is the year right?")
        if isinstance(self.most, dt.date) and day > self.most:
            raise StoreError(f"The date is after {self.most}. Only past events can be recorded.")
        return day

    def _read_number(self, typed: str) -> float:
        if not _NUMBER.fullmatch(typed):
            raise StoreError("Enter a number, for example 7 or 7.5.")
        number = float(typed.replace(",", "."))
        least, most = self.least, self.most
        if isinstance(least, (int, float)) and isinstance(most, (int, float)) and not least <= number <= most:
            raise StoreError(f"Enter a number from {least:g} to {most:g}.")
        return number


_EMPTY = {
    "choice": "Choose one.",
    "select": "Choose one.",
    "day": "A date is required.",
    "number": "A number is required.",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was typed into a form, as far as it was accepted, and why the rest was not."""

    values: Mapping[str, object]
    faults: Mapping[str, str]

    def text(self, name: str) -> str:
        """Give a text or a choice; empty where nothing was typed."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """Give a number."""
        value = self.values.get(name)
        return value if isinstance(value, float) else None

    def day(self, name: str) -> dt.date:
        """Give a day that had to be there."""
        value = self.values[name]
        if not isinstance(value, dt.date):
            raise TypeError(f"{name} is not a date")
        return value

    def optional_day(self, name: str) -> dt.date | None:
        """Give a day, or None where none was typed."""
        value = self.values.get(name)
        return value if isinstance(value, dt.date) else None

    def check(self, name: str) -> bool:
        """Say whether something was ticked."""
        return self.values.get(name) is True


def read(fields: Iterable[Field], sent: Mapping[str, str]) -> Reading:
    """Read a form: every field, whatever is wrong with the others."""
    values: dict[str, object] = {}
    faults: dict[str, str] = {}
    for field in fields:
        try:
            values[field.name] = field.read(sent.get(field.name, ""))
        except StoreError as fault:
            faults[field.name] = str(fault)
    return Reading(values, faults)


def choices(pairs: Iterable[tuple[str, str]], *, group: str = "") -> tuple[Choice, ...]:
    """Make choices of values and their words."""
    return tuple(Choice(value, words, group) for value, words in pairs)


def scale_choices(least: int, most: int) -> tuple[Choice, ...]:
    """Make a choice for each number of a scale; the key for 10 is x.

    Examples
    --------
    >>> [choice.shortcut for choice in scale_choices(8, 10)]
    ['8', '9', 'x']
    """
    return tuple(Choice(str(n), str(n), key="x" if n == 10 else "") for n in range(least, most + 1))


def choice_or_words(
    name: str, label: str, options: Sequence[str], other: str, *, longest: int, hint: str
) -> tuple[Field, Field]:
    """Ask for one of a few reasons, or another in words; `words_of_choice` reads both."""
    listed = tuple(Choice(option, option.capitalize(), key=str(n)) for n, option in enumerate(options, start=1))
    last = Choice(_OTHER, other, key=str(len(options) + 1))
    return (
        Field(name, label, "choice", options[0], (*listed, last)),
        Field(_MORE, "Details", required=False, longest=longest, hint=hint),
    )


def words_of_choice(typed: Reading, name: str, what: str) -> str:
    """Write what was chosen, with the words beside it.

    Raises
    ------
    StoreError
        If another reason was chosen and not said; ``what`` ends the sentence that asks for it.
    """
    chosen, more = typed.text(name), typed.text(_MORE)
    if chosen != _OTHER:
        return f"{chosen}: {more}" if more else chosen
    if not more:
        raise StoreError(f"{_MORE}: Describe briefly {what}.")
    return more


def grouped(listed: Sequence[Choice]) -> list[tuple[str, list[Choice]]]:
    """Put choices under their headings, in the order in which they come."""
    groups: dict[str, list[Choice]] = {}
    for choice in listed:
        groups.setdefault(choice.group, []).append(choice)
    return list(groups.items())
