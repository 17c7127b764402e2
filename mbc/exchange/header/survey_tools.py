"""Exports of survey programs, recognised by their shape: what is no answer goes, and who, when and what is named.

Known are Qualtrics (two more rows under the header), SurveyMonkey (one more), LimeSurvey (``name[SQ001]``), Google
Forms (``Timestamp`` first) and Microsoft Forms (``Start time``, ``Completion time``). Which questionnaire the
questions are is for the user to say (``--instrument``), unless the columns bear its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from mbc.exchange.choices.answer_words import normalised
from mbc.exchange.choices.standard_scales import words_of
from mbc.exchange.files.messages import name_rows, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.columns import fold
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import chosen, item_pattern
from mbc.instruments import Instrument, instrument

_QUALTRICS = re.compile(r'^\{"ImportId":')
_SUBQUESTION = re.compile(
    r"^(?P<stem>.+?)(?:\[(?:SQ)?0*(?P<a>\d{1,3})\]|_?SQ0*(?P<b>\d{1,3}))(?:\W.*)?$", re.DOTALL
)
_GRID = re.compile(r"^(?P<stem>.+?)\s*\[(?P<row>[^\[\]]+)\]$", re.DOTALL)
_NUMBERED = re.compile(r"^(?P<stem>.*?\D)0*(?P<number>\d{1,3})$", re.DOTALL)
_ANSWER_CODE = re.compile(r"AO?0*(\d{1,2})")
_NO_PARTS = frozenset({"Response", "Open-Ended Response"})
_PEOPLE = (
    "client", "client code", "client id", "participant", "participant id", "participant code", "pseudonym",
    "token", "your code", "your client code", "your id", "your participant code", "your pseudonym",
    "external reference", "external data reference", "custom data 1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tool:
    """What a program's export looks like."""

    name: str
    day: tuple[str, ...]  # headers of the day of an answer, the best first
    extra_rows: int = 0  # under the header


_QUALTRICS_EXPORT = _Tool("Qualtrics", ("EndDate", "RecordedDate", "StartDate"), 2)
_SURVEYMONKEY = _Tool("SurveyMonkey", ("End Date", "Start Date"), 1)
_LIMESURVEY = _Tool("LimeSurvey", ("submitdate", "Date submitted", "datestamp"))
_GOOGLE = _Tool("Google Forms", ("Timestamp",))
_MICROSOFT = _Tool("Microsoft Forms", ("Completion time", "Start time"))


def as_survey_export(table: TextTable, options: ImportOptions) -> TextTable:
    """Read a survey program's export as a wide table; any other table is given back as it is.

    Parameters
    ----------
    table : TextTable
        Text or a sheet, as it was read.
    options : ImportOptions
        ``instruments`` says whose questions they are; ``columns`` and ``items`` go first.
    """
    tool = survey_tool(table)
    if tool is None:
        return table
    headings = table.columns
    frame, notes = table.frame, [f"An export of {tool.name}."]
    if tool.extra_rows:
        rows = frame[ROW].head(tool.extra_rows)
        notes = [f"An export of {tool.name}: its additional header rows are not answers ({name_rows(rows)})."]
        if tool is _SURVEYMONKEY:
            headings = _joined_headings(table)
        frame = frame.slice(tool.extra_rows)
    given = dict(_people_and_days(table, frame, tool, options))
    called = dict(zip(table.columns, headings, strict=True))
    for key in chosen(options):
        measure = instrument(key)
        items = () if _speaks_for_itself(table, measure, options) else _items_of(measure, headings, table, frame)
        if items:
            given |= dict(zip(measure.item_columns(), items, strict=True))
            frame = _with_numbers(frame, items)
            first, last = (quote(called[at]) for at in (items[0], items[-1]))
            notes.append(f"{measure.name}: its items 1 to {len(items)} are the columns '{first}' to '{last}'.")
    given = {name: header for name, header in given.items() if name not in options.columns}
    return replace(table, frame=frame, given={**table.given, **given}, notes=(*table.notes, *notes))


def survey_tool(table: TextTable) -> _Tool | None:
    """Name the program that a table was exported from, by its shape.

    Examples
    --------
    >>> survey_tool(TextTable("a.csv", "", ("client_id", "rses_1"), (), pl.DataFrame())) is None
    True
    """
    names = {fold(name) for name in table.columns}
    rows = table.frame.head(2)
    if len(rows) > 1 and any(_QUALTRICS.match(str(cell)) for cell in rows.row(1)):
        return _QUALTRICS_EXPORT
    if {"respondentid", "collectorid"} <= names and len(rows) and rows[table.columns[0]][0] is None:
        return _SURVEYMONKEY
    if {"starttime", "completiontime"} <= names:
        return _MICROSOFT
    if names & {"submitdate", "datesubmitted"} and (
        names & {"lastpage", "startlanguage", "responseid"} or any(map(_SUBQUESTION.match, table.columns))
    ):
        return _LIMESURVEY
    asks = any(_GRID.fullmatch(name) or name.endswith("?") or len(name.split()) > 3 for name in table.columns)
    return _GOOGLE if asks and fold(table.columns[0]) == "timestamp" else None


def _joined_headings(table: TextTable) -> tuple[str, ...]:
    """Put the two header rows of SurveyMonkey together: the question, and what of it a column is."""
    headings: list[str] = []
    question = ""
    for name, below in zip(table.columns, table.frame.select(table.columns).row(0), strict=True):
        unnamed = re.fullmatch(r"column \d+", name) is not None
        question = question if unnamed else name
        part = re.sub(r"[\[\]]", " ", below or "")
        headings.append(f"{question} [{part}]" if part and part not in _NO_PARTS else name)
    return tuple(headings)


def _people_and_days(
    table: TextTable, frame: pl.DataFrame, tool: _Tool, options: ImportOptions
) -> Iterable[tuple[str, str]]:
    by_fold = {fold(name): name for name in reversed(table.columns)}
    taken = set(options.columns.values())
    for role, names in (("taken_on", tool.day), ("client_id", _PEOPLE)):
        headers = [
            header for name in names if (header := by_fold.get(fold(name))) is not None and header not in taken
        ]
        filled = [header for header in headers if frame[header].is_not_null().any()]
        if filled:
            yield role, filled[0]


def _speaks_for_itself(table: TextTable, measure: Instrument, options: ImportOptions) -> bool:
    """Whether the columns bear the questionnaire's name, or the user says which they are."""
    pattern = item_pattern(measure.key)
    named = [*table.columns, *options.columns]
    return bool(options.items) or measure.key in options.patterns or any(map(pattern.fullmatch, named))


def _items_of(
    measure: Instrument, headings: Sequence[str], table: TextTable, frame: pl.DataFrame
) -> tuple[str, ...]:
    """Find the one group of columns that has as many members as the questionnaire has items; else nothing."""
    count = len(measure.items)
    groups = [group for group in _groups(headings, table.columns) if len(group) == count]
    groups = [group for group in groups if _fits(measure, frame.select(group))]
    if not groups:
        groups = [run for run in _runs(measure, frame.select(table.columns)) if len(run) == count]
    return groups[0] if len(groups) == 1 else ()


def _groups(headings: Sequence[str], columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Group the columns of one question: ``Q5[SQ001]``, ``Q5_1``, ``How true is it? [I am content]``."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for place, (heading, column) in enumerate(zip(headings, columns, strict=True)):
        for kind, pattern in (("sub", _SUBQUESTION), ("grid", _GRID), ("number", _NUMBERED)):
            match = pattern.fullmatch(heading)
            if match is None:
                continue
            parts = match.groupdict()
            number = parts.get("a") or parts.get("b") or parts.get("number")
            groups.setdefault((kind, parts["stem"]), []).append((int(number) if number else place, column))
            break
    return [tuple(column for _, column in sorted(members)) for members in groups.values()]


def _runs(measure: Instrument, frame: pl.DataFrame) -> list[tuple[str, ...]]:
    """Find runs of neighbouring columns that hold nothing but answers to the questionnaire."""
    runs: list[list[str]] = [[]]
    for name in frame.columns:
        if frame[name].is_not_null().any() and _fits(measure, frame.select(name)):
            runs[-1].append(name)
        elif runs[-1]:
            runs.append([])
    return [tuple(run) for run in runs if run]


def _fits(measure: Instrument, frame: pl.DataFrame) -> bool:
    """Whether every cell could be an answer to the questionnaire: its words, or a number of one of its codings."""
    words: Mapping[str, int] = words_of(measure)
    spans = [coding.accepted(item) for coding in measure.codings for item in measure.items]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    cells = {cell for name in frame.columns for cell in frame[name].drop_nulls().unique()}
    return all(
        normalised(cell) in words
        or _ANSWER_CODE.fullmatch(cell) is not None
        or (re.fullmatch(r"-?\d{1,3}", cell) is not None and low <= int(cell) <= high)
        for cell in cells
    )


def _with_numbers(frame: pl.DataFrame, items: Sequence[str]) -> pl.DataFrame:
    """Write LimeSurvey's answer codes (A1, AO01) as their numbers, where all answers are such codes."""
    cells = {cell for name in items for cell in frame[name].drop_nulls().unique()}
    codes = {cell: match[1] for cell in cells if (match := _ANSWER_CODE.fullmatch(cell))}
    if not codes or len(codes) < len(cells):
        return frame
    return frame.with_columns(pl.col(name).replace(codes) for name in items)
