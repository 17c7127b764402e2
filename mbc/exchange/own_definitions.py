"""Definitions of the clinic's own questionnaires travel with the record: kept with answers, used to read them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import polars as pl

from mbc.instruments import instrument
from mbc.instruments.definition.safety_rule import safety_rule
from mbc.instruments.library import origin, own_text
from mbc.instruments.own.recorded import using_recorded
from mbc.store import Definition, Store
from mbc.store.writing.transaction import Writing

DEFINITIONS = "definitions"
"""Name of the table of definitions among the tables of a record."""
_P = ParamSpec("_P")
_R = TypeVar("_R")
_store_in_use: ContextVar[Store | None] = ContextVar("record in use", default=None)


@contextmanager
def definitions_of(store: Store | None) -> Generator[None]:
    """Use the definitions that a record brings along while the block runs, and those of no other record.

    A file of the same key in a folder of definitions goes first. Nothing changes where this view of the record is
    in use already.

    Parameters
    ----------
    store : Store, optional
        The record, or the part of it that one user may see: a definition of the safety channel is known to those
        alone who may read it. None: no record is in question.
    """
    if store is None or _store_in_use.get() is store:
        yield
        return
    before = _store_in_use.set(store)
    try:
        with using_recorded(recorded_texts(store)):
            yield
    finally:
        _store_in_use.reset(before)


def with_definitions_of_record(
    function: Callable[Concatenate[Store, _P], _R],
) -> Callable[Concatenate[Store, _P], _R]:
    """Run a function of a store with the definitions that the record brings along."""

    @wraps(function)
    def run(store: Store, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with definitions_of(store):
            return function(store, *args, **kwargs)

    return run


def recorded_texts(store: Store) -> dict[str, str]:
    """Read the newest definition of each questionnaire: key -> text of its file."""
    if not (store.can_read("answers") or store.has_permission("safety:read")):
        return {}
    return dict(store.definitions().select("instrument", "text").iter_rows())  # the last of each is the newest


def definition_lines(store: Store, keys: Iterable[str]) -> pl.DataFrame:
    """Write the definitions of some questionnaires as a table, a row per line: instrument, line, text.

    What they were recorded with; of those that a record brings none of, what is in use. A cell of Excel or SPSS
    holds a line, and would not hold a file.
    """
    recorded = recorded_texts(store)
    texts = {key: recorded.get(key) or own_text(key) for key in sorted(keys)}
    rows = [
        (key, place, line)
        for key, text in texts.items()
        for place, line in enumerate((text or "").rstrip("\n").split("\n"), start=1)
        if text
    ]
    schema = {"instrument": pl.String, "line": pl.Int64, "text": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def texts_of_lines(lines: pl.DataFrame) -> dict[str, str]:
    """Put the lines of `definition_lines`, as text, together again: key -> text of its file."""
    texts: dict[str, list[str]] = {}
    for key, line in lines.select("instrument", "text").iter_rows():
        texts.setdefault(key, []).append(line or "")
    return {key: "\n".join(parts) + "\n" for key, parts in texts.items()}


def own_definitions(keys: Iterable[str | None]) -> Iterator[Definition]:
    """Give the definitions of one's own among some questionnaires, as a record keeps them."""
    for key in sorted({key for key in keys if key is not None}):
        text = own_text(key)
        if text is not None:
            measure = instrument(key)
            in_place = {"replaces": True} if origin(key) == "own, in place of the built-in" else {}
            yield Definition(key, measure.version, text, {**safety_rule(measure), **in_place})


def keep_definitions(record: Writing, keys: Iterable[str | None]) -> None:
    """Keep the definitions of one's own among some questionnaires, before answers to them are added.

    For a user's view nothing is kept: what the record has on file decides.
    """
    if record.may_keep_definitions:
        for definition in own_definitions(keys):
            record.keep_definition(definition)
