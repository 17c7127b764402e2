"""Which of a result's fields are said, and how: as a row or columns of a table, as facts, in one line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from mbc.models.results.tables import number_text

_SCALARS = (str, int, float, bool, np.generic)
_SAID_ELSEWHERE = {"method", "source", "reason", "note", "notes", "warning", "sentence", "backend"}
_MOST_IN_LINE = 7


def default_columns(result: object) -> dict[str, pl.Series]:
    """Make the columns of a result that says nothing else: one row of its numbers and words.

    A result of many people, whose fields are arrays, gives one row for each instead.
    """
    arrays = {name: column for name, value, _ in _public(result) if (column := _column(name, value)) is not None}
    if arrays:
        longest = max(len(column) for column in arrays.values())
        return {name: column for name, column in arrays.items() if len(column) == longest}
    return {
        name: pl.Series(name, [_plain(value)], dtype=_dtype(kind))
        for name, value, kind in _public(result)
        if value is None or _is_scalar(value)
    }


def records(items: Iterable[object], kind: type) -> dict[str, pl.Series]:
    """Make the columns of a table with one row per frozen record.

    Parameters
    ----------
    items : iterable
        The records.
    kind : type
        Their dataclass: it names the columns where there is no record.
    """
    rows = list(items)
    return {
        field.name: pl.Series(
            field.name, [getattr(row, field.name) for row in rows], dtype=_dtype(str(field.type))
        )
        for field in fields(kind)
    }


def facts_of(result: object) -> dict[str, object]:
    """Numbers and words of a result that are not in its table, the least informative left out."""
    table: pl.DataFrame = cast("Any", result)._table()  # noqa: SLF001  the result's own table
    columns = table.columns if table.height == 1 else []
    facts: dict[str, object] = {}
    for name, value, _ in _public(result):
        if name in columns or name in _SAID_ELSEWHERE:
            continue
        if _is_scalar(value) and _plain(value) not in {None, ""}:
            facts[name] = _plain(value)
        elif isinstance(value, tuple):
            words = cast("tuple[object, ...]", value)
            if 0 < len(words) <= _MOST_IN_LINE and all(isinstance(part, str) for part in words):
                facts[name] = ", ".join(map(str, words))
    method = getattr(result, "method", None)
    if isinstance(method, str) and method:
        facts["method"] = method
    return facts | counts_of(result)


def counts_of(result: object) -> dict[str, object]:
    """How many people have which verdict; nothing for one person."""
    codes, words = getattr(result, "codes", None), getattr(result, "words", None)
    if words is None or not isinstance(codes, np.ndarray) or not codes.ndim:
        return {}
    positions = np.asarray(cast("Any", codes), dtype=np.intp) % len(words)
    counts: dict[str, object] = {
        word: int(np.count_nonzero(positions == place)) for place, word in enumerate(words) if word is not None
    }
    missing = sum(int(np.count_nonzero(positions == place)) for place, word in enumerate(words) if word is None)
    return counts | ({"not judged": missing} if missing else {})


def headline(result: object, table: pl.DataFrame) -> str:
    """Write the line that represents a result: its sentence, its counts, its row, or the size of its table."""
    counts = counts_of(result)
    if counts:
        return f"{table.height} rows: {', '.join(f'{count} {word}' for word, count in counts.items())}"
    if table.height == 1:
        row = {name: value for name, value in table.row(0, named=True).items() if value is not None}
        parts = [f"{name}={_written(value)}" for name, value in row.items() if name != "reason"]
        reason = row.get("reason")
        rest = ["..."] if len(parts) > _MOST_IN_LINE else []
        return ", ".join([*parts[:_MOST_IN_LINE], *rest, *([f"reason={reason!r}"] if reason else [])])
    facts = [f"{name}={_written(value)}" for name, value in list(facts_of(result).items())[:4]]
    return ", ".join([*facts, f"{table.height} rows: {', '.join(table.columns[:_MOST_IN_LINE])}"])


def notes_of(result: object) -> Iterable[str]:
    """Sentences that a result carries: what it says in words, its warnings and why something is missing."""
    sentence = getattr(result, "sentence", None)
    if sentence is not None:
        yield str(sentence() if callable(sentence) else sentence)
    for name in ("note", "warning"):
        text = getattr(result, name, "")
        if isinstance(text, str) and text:
            yield text
    for name in ("notes", "warnings"):
        texts = getattr(result, name, ())
        if isinstance(texts, tuple) and sentence is None:
            yield from (str(text) for text in cast("tuple[object, ...]", texts))
    reason = getattr(result, "reason", None)
    if isinstance(reason, str) and reason:
        yield f"Reason: {reason.replace('_', ' ')}."
    source = getattr(result, "source", "")
    if isinstance(source, str) and source:
        yield f"Source: {source}."


def _public(result: object) -> Iterable[tuple[str, object, str]]:
    """Name, value and annotation of each field that is shown."""
    if is_dataclass(result):
        for field in fields(result):
            if not field.name.startswith("_") and not field.name.endswith("codes"):
                yield field.name, getattr(result, field.name), str(field.type)


def _column(name: str, value: object) -> pl.Series | None:
    """Give a field that holds a number or word for each of many; None for any other."""
    if isinstance(value, pl.Series):
        return value.alias(name)
    if not isinstance(value, np.ndarray) or cast("Any", value).ndim != 1:
        return None
    array = cast("np.ndarray[Any, Any]", value)
    if array.dtype.kind == "f":
        return pl.Series(name, np.ascontiguousarray(array), nan_to_null=True)
    return pl.Series(name, array.tolist())


def _dtype(annotation: str) -> Any:
    """Type of a column from a field's annotation, so that a missing number is a null number."""
    if "float" in annotation or "Number" in annotation:
        return pl.Float64
    for word, dtype in (("bool", pl.Boolean), ("int", pl.Int64), ("Any", None), ("object", None)):
        if word in annotation:
            return dtype
    return pl.String


def _is_scalar(value: object) -> bool:
    return isinstance(value, _SCALARS)


def _plain(value: object) -> object:
    plain: object = cast("Any", value).item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _written(value: object) -> str:
    return repr(value) if isinstance(value, str) else number_text(value)
