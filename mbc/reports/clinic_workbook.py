"""A release as an Excel workbook: figures, flow, trends, and a sheet of definitions."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from typing import Any

import polars as pl

from mbc import __version__
from mbc.care.clinic.releases import release_table
from mbc.care.words import day_words
from mbc.exchange.files.formula_escape import escape_formulas
from mbc.exchange.files.optional_libraries import require_library
from mbc.reports.clinic_report import ReadRelease, figures_of

_FIXED = (1980, 1, 1, 0, 0, 0)  # a zip file dates its entries; these have no date
_TREND_COLUMNS = ("release", "definition", "metric", "count", "of", "percent", "lower", "upper")
_BENCHMARKS = {
    "definition": pl.String(),
    "measure": pl.String(),
    "figure": pl.Float64(),
    "population": pl.String(),
    "n": pl.Int64(),
    "source": pl.String(),
    "read_on": pl.Date(),
}
_MOMENT = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def workbook_of(read: ReadRelease) -> bytes:
    """Write a release as a workbook; the same bytes every time.

    Raises
    ------
    ExchangeError
        If openpyxl is not installed.
    """
    openpyxl = require_library("openpyxl", "Excel workbooks")
    book = openpyxl.Workbook(write_only=True)
    _sheet(book, "about", ("about", ""), _about(read))
    figures = escape_formulas(release_table(read.stored))
    _sheet(book, "figures", figures.columns, figures.iter_rows())
    flow = [
        (report.title, step.group, step.title, "not shown" if step.count is None else step.count)
        for report in read.reports
        for step in report.flow
    ]
    _sheet(book, "flow", ("definition", "scale", "step", "clients"), flow)
    _sheet(book, "definitions", ("definition", "what", "text"), _definitions(read))
    _sheet(book, "trends", _TREND_COLUMNS, _trends(read))
    if read.benchmarks:
        table = pl.DataFrame([each.model_dump() for each in read.benchmarks], schema=_BENCHMARKS)
        _sheet(book, "benchmarks", table.columns, escape_formulas(table).iter_rows())
    held = io.BytesIO()
    book.save(held)
    return _without_dates(held.getvalue(), f"{read.stored.made_at:%Y-%m-%dT%H:%M:%SZ}".encode())


def _sheet(book: Any, name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    sheet.append(list(columns))
    for row in rows:
        sheet.append([*row])


def _about(read: ReadRelease) -> list[tuple[str, str]]:
    release = read.stored
    return [
        ("release", release.name),
        ("period", f"{day_words(release.start)} to {day_words(release.end)}"),
        ("created on", day_words(release.made_at.date())),
        ("sha256", release.sha256),
        ("mbc", __version__),
        ("replaces", release.content["replaces"]),
        ("late entries counted here", release.content["late_entries"]),
        ("small numbers", read.reports[0].small_numbers),
        ("blank", "A blank cell is hidden or does not apply to the figure; it is never zero."),
    ]


def _definitions(read: ReadRelease) -> Iterable[tuple[str, str, str]]:
    for report in read.reports:
        yield report.title, "clients", report.heading
        yield report.title, "first score", report.first_rule
        yield report.title, "last score", report.last_rule
        yield from ((report.title, "rule", rule) for rule in report.rules)
        yield from ((report.title, "source", source) for source in report.sources)
        for figure in report.figures:
            yield report.title, figure.metric, f"{figure.title}, of: {figure.among}"


def _trends(read: ReadRelease) -> Iterable[tuple[object, ...]]:
    for release in (*reversed(read.earlier), read.stored):
        for (definition, metric), figure in figures_of(release).items():
            if figure.percent is not None:
                limits = (figure.count, figure.of, figure.percent, figure.lower, figure.upper)
                yield release.name, definition, metric, *limits


def _without_dates(content: bytes, moment: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            part = read.read(name)
            if name == "docProps/core.xml":
                part = _MOMENT.sub(rb"\g<1>" + moment + rb"\g<2>", part)
            written.writestr(zipfile.ZipInfo(name, _FIXED), part, zipfile.ZIP_DEFLATED)
    return held.getvalue()
