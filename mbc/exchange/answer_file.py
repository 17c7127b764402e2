"""A file of answers to one questionnaire, ready to be scored: read as an import reads it, with the same doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.cells.text import blank_out, number
from mbc.exchange.files.delimited import read_text_table
from mbc.exchange.files.gzip_file import unpacked
from mbc.exchange.files.messages import quote
from mbc.exchange.files.parquet import read_frame
from mbc.exchange.files.text_table import TextTable
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.options import ImportOptions, item_name
from mbc.exchange.header.questionnaires import Questionnaire
from mbc.exchange.open_file import first_bytes, kind_of
from mbc.exchange.rows.answer_doubts import doubt
from mbc.exchange.rows.check_answers import summarise
from mbc.exchange.rows.worded_answers import read_words
from mbc.instruments import Instrument

_NO_WORDS = ImportOptions()


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """The rows of a file, with answers as numbers where they can be."""

    frame: pl.DataFrame
    """All columns; ``ROW`` numbers the rows of a text file."""
    notes: tuple[str, ...]


def read_answers(
    path: str | Path,
    definition: Instrument,
    *,
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    blank: Sequence[str] = (),
) -> AnswerFile:
    """Read a file of answers for scoring.

    Parameters
    ----------
    path : str or Path
        CSV, TSV or Parquet; a text file may be packed by gzip.
    definition : Instrument
        The questionnaire.
    items, form, coding
        As in ``score``.
    blank : sequence of str
        Texts that mean "not answered".

    Raises
    ------
    ImportRefused
        When the file cannot be read; when two columns bear the name of an item; when the answers show another
        coding than they would be read in.
    """
    table = _table(Path(path))
    headers = [name for name in _headers(definition, items, form) if name in table.columns]
    twice = [name for name in headers if name in table.repeated]
    if twice:
        raise ImportRefused(
            f"'{quote(table.name)}' has more than one column named '{quote(twice[0])}'. Which one is meant? "
            "Rename or "
            "remove the others."
        )
    frame = blank_out(table.frame, [name for name in headers if table.frame[name].dtype == pl.String], blank)
    texts = [name for name in headers if frame[name].dtype == pl.String]
    columns = Columns(replace(table, frame=frame))
    options = replace(_NO_WORDS, coding={} if coding is None else {definition.key: coding})
    notes: tuple[str, ...] = ()
    if texts:
        frame, notes = read_words(frame, texts, definition, columns, options)
    frame = frame.with_columns(_numbers(frame, name) for name in texts)
    questionnaire = Questionnaire(definition, definition.form(form), definition.coding(coding))
    _refuse_doubtful(frame, headers, questionnaire, stated=coding is not None, form_stated=form is not None)
    return AnswerFile(frame, (*table.notes, *notes))


def _table(path: Path) -> TextTable:
    kind = kind_of(first_bytes(path))
    if kind == "gzip":
        with unpacked(path) as inner:
            return replace(_table(inner), name=path.name)
    if path.suffix.casefold() == ".gz":
        raise ImportRefused(f"'{quote(path.name)}' cannot be unpacked: it is not a gzip archive.")
    if kind == "parquet" or path.suffix.casefold() == ".parquet":
        frame = read_frame(path)
        return TextTable(path.name, "", tuple(frame.columns), (), frame, kind="parquet")
    return read_text_table(path)


def _headers(definition: Instrument, items: str | Sequence[str] | None, form: str | None) -> list[str]:
    if items is None:
        return list(definition.item_columns(form))
    if isinstance(items, str):
        return [item_name(items, n) for n in range(1, len(definition.items) + 1)]
    return list(items)


def _numbers(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Read a column's decimal commas, where all of it are numbers; others are refused as they are."""
    column = pl.col(name)
    readable = frame.select((number(name).is_not_null() | column.is_null()).all()).item()
    return number(name).cast(pl.String).str.strip_suffix(".0").alias(name) if readable else column


def _refuse_doubtful(
    frame: pl.DataFrame, headers: Sequence[str], questionnaire: Questionnaire, *, stated: bool, form_stated: bool
) -> None:
    if len(headers) != len(questionnaire.items):
        return
    answers = frame.select(
        (pl.col(name).cast(pl.Float64, strict=False) if frame[name].dtype != pl.String else number(name)).alias(
            str(n)
        )
        for n, name in enumerate(headers, start=1)
    )
    seen = replace(summarise(questionnaire, answers), stated=stated, form_stated=form_stated)
    reason = doubt(seen)
    if reason is not None:
        key = questionnaire.instrument.key
        raise ImportRefused(
            f"{reason.replace(f'--coding {key}=', '--coding ').replace(f'--form {key}=', '--form ')}."
        )
