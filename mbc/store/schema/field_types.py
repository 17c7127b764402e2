"""What the fields of an entry are made of: written once, in the annotation, for its checks and for its column.

A kind of entry says of each field what it holds (``Identifier``, ``ShortText``, ``Points``, a ``Literal``, a day,
a number). From that follow what is refused when the record is made (`CheckedRecord`), the column of its table
(`columns_of`), and which texts somebody typed (`typed_texts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from sqlalchemy import Boolean, Column, Date, Double, Integer, String, Text
from sqlalchemy.types import TypeEngine

from mbc.errors import StoreError
from mbc.store.schema.column_types import Id, Number
from mbc.store.schema.validation import (
    check_choice,
    check_days,
    check_ids,
    check_number,
    check_texts,
    quote,
    to_finite,
)


@dataclass(frozen=True, slots=True)
class Between:
    """A number from ``least`` to ``most``, both included."""

    least: float
    most: float


Identifier = Annotated[str, "identifier"]
ShortText = Annotated[str, "text"]  # typed by somebody: never counted, never exported without a name
Term = Annotated[str, "term"]  # a word or list of words of mbc's own
Points = Annotated[float, Between(0, 10)]
Hours = Annotated[float, Between(0, 100_000)]
Count = Annotated[int, Between(1, 1000)]
People = Annotated[int, Between(0, 200)]
RowNumber = Annotated[int, Between(0, 2**63 - 1)]

_LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class FieldType:
    """What one field of an entry holds."""

    name: str
    kind: type
    detail: Any  # "identifier", "text", "term", a `Between`, or None
    optional: bool
    choices: tuple[str, ...] = ()  # the accepted words, where it is one of a few


class CheckedRecord:
    """A record whose fields are checked by what their annotations say."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for each in field_types(type(self)):
            _check(self, each)
        self.check()

    def check(self) -> None:
        """Refuse what no single field shows, such as two days in the wrong order."""


@cache
def field_types(record: type) -> tuple[FieldType, ...]:
    """Read what each field of an entry holds, in their order."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(_field_type(each, hints[each.name]) for each in fields(record))


def columns_of(record: type, key: tuple[str, ...]) -> Iterator[Column[Any]]:
    """Make the columns of a kind's table."""
    for each in field_types(record):
        named = each.name in key
        yield Column(
            each.name, _column_type(each), primary_key=named, nullable=each.optional and not named,
            autoincrement=False,
        )  # fmt: skip


def typed_texts(record: type) -> tuple[str, ...]:
    """Name the fields that hold what somebody typed."""
    return tuple(each.name for each in field_types(record) if each.detail == "text")


def _field_type(declared: Field[Any], hint: Any) -> FieldType:
    optional, detail, choices = False, None, ()
    parts = [hint]
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
        optional = len(parts) < len(get_args(hint))
    (kind,) = parts
    if get_origin(kind) is Annotated:
        kind, detail = get_args(kind)
    if get_origin(kind) is Literal:
        kind, choices = str, get_args(kind)
    if optional and declared.default is MISSING:
        raise TypeError(f"{declared.name} may be left out, and needs a default.")
    return FieldType(declared.name, kind, detail, optional, choices)


def _column_type(field: FieldType) -> TypeEngine[Any]:
    if field.kind is str:
        return Id if field.detail == "identifier" else String(32) if field.choices else Text()
    if field.kind is int:
        return Number if field.detail is not None and field.detail.most > _LARGEST_INTEGER else Integer()
    types: dict[type, TypeEngine[Any]] = {date: Date(), bool: Boolean(), float: Double()}
    return types[field.kind]


def _check(record: object, field: FieldType) -> None:
    value = getattr(record, field.name)
    if value is None and field.optional:
        return
    if field.choices:
        check_choice(record, field.name, field.choices)
    elif field.kind is str:
        (check_ids if field.detail == "identifier" else check_texts)(record, field.name)
    elif field.kind is date:
        check_days(record, field.name)
    elif field.kind is bool:
        _check_truth(field.name, value)
    elif field.kind is int:
        check_number(record, field.name, least=int(field.detail.least), most=int(field.detail.most))
    else:
        object.__setattr__(record, field.name, _to_number(field, value))


def _check_truth(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise StoreError(f"{name} is {quote(value)}; it must be True or False.")


def _to_number(field: FieldType, value: object) -> float | None:
    number, limits = to_finite(field.name, value), field.detail
    if number is None:
        if field.optional:
            return None
        raise StoreError(f"{field.name} is missing. Leave the entry out rather than writing it blank.")
    if not limits.least <= number <= limits.most:
        raise StoreError(f"{field.name} is {number:g}; it must be from {limits.least:g} to {limits.most:g}.")
    return number
