"""What a field of a record may hold: identifiers, short texts, days, moments, numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import cast

from mbc.errors import StoreError

ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_ID = re.compile(ID)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_TEXT = 500
MOST_ITEMS = 1000


def is_id(value: object) -> bool:
    """Say whether something can be an identifier; what a browser sends is only a claim."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def check_id(name: str, value: object) -> str:
    """Refuse what cannot be an identifier.

    Raises
    ------
    StoreError
        If ``value`` is not 1 to 64 characters of ``A-Z a-z 0-9 . _ -`` beginning with a letter or digit.
    """
    if is_id(value):
        return str(value)
    raise StoreError(
        f"{name} is {quote(value)}; accepted are 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or "
        "digit. Use a pseudonym such as 'C-0142', never a name."
    )


def check_text(name: str, value: object) -> str:
    """Refuse what cannot be a short text: empty, too long, or with control characters.

    Raises
    ------
    StoreError
        If ``value`` is not such a text.
    """
    if not isinstance(value, str) or not value.strip():
        raise StoreError(f"{name} is {quote(value)}; it must be a short text.")
    if len(value) > _LONGEST_TEXT:
        raise StoreError(f"{name} has {len(value)} characters; at most {_LONGEST_TEXT} are kept. Shorten it.")
    if _CONTROL.search(value):
        raise StoreError(f"{name} is {quote(value)}; line breaks and control characters are not kept.")
    return value


def check_ids(record: object, *names: str) -> None:
    """Check fields that are identifiers; an optional one may be None."""
    for name in names:
        value = getattr(record, name)
        if value is not None or _is_required(record, name):
            check_id(name, value)


def check_texts(record: object, *names: str) -> None:
    """Check fields that are short texts; an optional one may be None."""
    for name in names:
        value = getattr(record, name)
        if value is not None or _is_required(record, name):
            check_text(name, value)


def check_days(record: object, *names: str) -> None:
    """Check fields that are calendar days; an optional one may be None."""
    for name in names:
        value = getattr(record, name)
        if value is None and not _is_required(record, name):
            continue
        if not isinstance(value, date) or isinstance(value, datetime):
            raise StoreError(f"{name} is {quote(value)}; it must be a datetime.date.")
        if value.year < 1900:
            raise StoreError(f"{name} is {value}; dates before 1900-01-01 are treated as errors.")


def check_order(record: object, first: str, last: str) -> None:
    """Refuse two days in the wrong order."""
    start, end = getattr(record, first), getattr(record, last)
    if start is not None and end is not None and end < start:
        raise StoreError(f"{last} ({end}) is before {first} ({start}). Are the two swapped?")


def check_choice(record: object, name: str, accepted: tuple[str, ...]) -> None:
    """Check a field with a closed vocabulary."""
    value = getattr(record, name)
    if value not in accepted:
        raise StoreError(f"{name} is {quote(value)}; accepted are {', '.join(accepted)}.")


def check_number(record: object, name: str, *, least: int = 1, most: int = 100_000) -> None:
    """Check a field that counts; an optional one may be None."""
    value = getattr(record, name)
    if value is None and not _is_required(record, name):
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise StoreError(f"{name} is {quote(value)}; it must be an integer from {least} to {most}.")


@cache
def _required(kind: type) -> frozenset[str]:
    # also a field that has a default: only where that is None may None be said
    return frozenset(f.name for f in fields(kind) if f.default is not None and f.default_factory is MISSING)


def _is_required(record: object, name: str) -> bool:
    return name in _required(type(record))


def to_utc(name: str, moment: object) -> datetime | None:
    """Convert a moment to UTC; refuse one without a time zone."""
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise StoreError(f"{name} is {quote(moment)}; it must have a time zone (datetime with tzinfo).")
    if not 1900 <= moment.year < 9999:
        raise StoreError(f"{name} is {moment}; times before 1900 or after 9998 are treated as errors.")
    return moment.astimezone(UTC)


def to_answers(answers: object) -> tuple[float | None, ...]:
    """Take answers as finite numbers; NaN is a blank."""
    given = answers
    if isinstance(answers, (str, bytes, Mapping)) or not isinstance(answers, Iterable):
        raise StoreError(f"answers is {quote(given)}; it must be a sequence in the form's item order.")
    kept = tuple([to_finite("an answer", value) for value in cast("Iterable[object]", answers)])
    if len(kept) > MOST_ITEMS:
        raise StoreError(f"An administration has {len(kept)} answers; at most {MOST_ITEMS} are kept.")
    return kept


def to_totals(totals: Mapping[str, float]) -> dict[str, float]:
    """Take totals as finite numbers, in the order of their scales."""
    kept: dict[str, float] = {}
    for scale in sorted(totals):
        score = to_finite(f"total '{scale}'", totals[scale])
        if score is None:
            raise StoreError(f"Total '{scale}' is blank. Leave out a total that was not recorded.")
        kept[check_id("scale", scale)] = score
    return kept


def to_finite(name: str, value: object) -> float | None:
    """Take a finite number; NaN is a blank."""
    if value is None:
        return None
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        raise StoreError(f"{name} is {quote(value)}; it must be a number.") from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise StoreError(f"{name} is infinite; it must be a finite number.")
    return number + 0.0  # SQLite keeps no minus zero: it would come back as other content


def quote(value: object) -> str:
    """Write any value on one line, shortened: for messages."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
