"""The clinic's report of a release: one page for a director, an appendix for a statistician."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mbc import __version__
from mbc.care.clinic.strata import CAUTION, MAIN_RATES, strata_tables
from mbc.care.words import count as count_words
from mbc.care.words import day_words
from mbc.errors import NotInRecord, ReportError
from mbc.figures.figure import Figure as Drawn
from mbc.figures.results.funnel_plot import funnel
from mbc.figures.results.rate_forest import rate_forest
from mbc.models import wilson_interval
from mbc.outcomes.eligibility import WITHHELD
from mbc.outcomes.publication import ReleasedReport, released_report
from mbc.outcomes.results import Figure
from mbc.reports.benchmarks import Benchmark
from mbc.reports.charts import SCALE
from mbc.reports.document import Block, Document, Heading, Items, NewSheet, Paragraph, Picture, Run, Table
from mbc.store import Store
from mbc.store.releases import StoredRelease

WIDTH = 178.0
_PIXELS_PER_MM = 96 / 25.4
_ROWS_ON_FIRST_SHEET = 12
_LEAST_FOR_FUNNEL = 3
_GOOD = {"Recovered", "Improved reliably", "Recovered reliably", "Improved", "Response", "Remission"}


@dataclass(frozen=True, slots=True)
class ReadRelease:
    """A release with its reports read back, and those before it."""

    stored: StoredRelease
    reports: tuple[ReleasedReport, ...]
    earlier: tuple[StoredRelease, ...]  # the latest first
    benchmarks: tuple[Benchmark, ...] = ()

    @property
    def before(self) -> dict[tuple[str, str], Figure]:
        """Figures of the release before, by definition and metric."""
        return figures_of(self.earlier[0]) if self.earlier else {}


def read_release(store: Store, name: str | None = None, benchmarks: Sequence[Benchmark] = ()) -> ReadRelease:
    """Read a release, the latest unless named, with benchmarks to compare with its rates.

    Raises
    ------
    AccessDenied
        For accounts that see single clients: they could subtract those they know.
    ReportError
        If there is no release yet, there is no release of that name, or it lacks the rate of a benchmark.
    """
    kept = store.releases()
    if not kept:
        raise ReportError(
            "No release has been published yet. The operator publishes a period: mbc release make 2026-Q3"
        )
    try:
        chosen = kept[0] if name is None else store.release(name)
    except NotInRecord as fault:
        raise ReportError(str(fault)) from None
    reports = tuple(released_report(each) for each in chosen.content["reports"])
    for each in benchmarks:
        _require_rate(each, reports)
    return ReadRelease(chosen, reports, tuple(each for each in kept if each.end < chosen.start), tuple(benchmarks))


def _require_rate(benchmark: Benchmark, reports: Sequence[ReleasedReport]) -> None:
    """Refuse a benchmark of a rate that the release does not have."""
    report = next((each for each in reports if each.definition == benchmark.definition), None)
    if report is None:
        there = ", ".join(each.definition for each in reports)
        raise ReportError(
            f"A benchmark refers to the definition '{benchmark.definition}', but the release has {there}."
        )
    rates = [figure.metric for figure in _rates(report)]
    if any(figure.metric == benchmark.measure and figure.only_count for figure in report.figures):
        raise ReportError(
            f"A benchmark is of '{benchmark.measure}', which is only a count in '{report.definition}': there is "
            f"no rate to stand next to. It has {', '.join(rates)}."
        )
    if benchmark.measure not in rates:
        raise ReportError(
            f"A benchmark refers to the rate '{benchmark.measure}', which '{report.definition}' does not have. It "
            f"has {', '.join(rates)}."
        )


def figures_of(release: StoredRelease) -> dict[tuple[str, str], Figure]:
    """Give every figure of a release by definition and metric."""
    reports = [released_report(each) for each in release.content["reports"]]
    return {(report.definition, figure.metric): figure for report in reports for figure in report.figures}


def clinic_document(store: Store, name: str | None = None) -> Document:
    """Make the report of a release; live data are part of none.

    Parameters
    ----------
    store : Store
        The record itself, or the view of an analyst.
    name : str, optional
        Of the release; the latest when not given.

    Raises
    ------
    AccessDenied
        For accounts that see single clients.
    ReportError
        If there is no such release.
    """
    return document_of(read_release(store, name))


def document_of(read: ReadRelease) -> Document:
    """Lay out a release that was read: the same release gives the same document."""
    release = read.stored
    made = release.made_at.date()
    period = f"{day_words(release.start)} to {day_words(release.end)}"
    blocks = (*_first_sheet(read), NewSheet(), *_appendix(read))
    return Document(
        kind="clinic",
        title=f"Outcomes, {period}",
        language="en",
        day=made,
        facts=f"release {release.name} \N{MIDDLE DOT} made on {day_words(made)}",
        running=(f"release {release.name}", f"sha256 {release.sha256[:12]}", day_words(made), f"mbc {__version__}",
                 "sources of the limits are in appendix C"),
        page_words="page {page} of {pages}",
        layouts=(blocks, blocks),
        most_sheets=40,
        sizes=(9.5, 8.0),
    )  # fmt: skip


def _first_sheet(read: ReadRelease) -> Iterator[Block]:
    main = read.reports[0]
    headlined = [report for report in read.reports if report is main or not report.headline.startswith(WITHHELD)]
    parts = [
        part
        for report in headlined
        for part in (Run(f"{report.title}: ", strong=True), Run(f"{report.headline} "))
    ]
    yield Paragraph(tuple(parts), "lead")
    yield Heading("Who is counted")
    yield Paragraph(f"{main.heading}. Late entries of earlier periods: {read.stored.content['late_entries']}.")
    yield from _flow(main)
    yield Heading("Results")
    shown = [figure for figure in main.figures if figure.metric in MAIN_RATES] or _rates(main)[:4]
    yield _results(main, shown, read.before)
    yield _forest(
        [(figure.title, figure) for figure in shown],
        "Rates with 95 % intervals (lines) and worst to best case for missing outcomes (grey)",
    )
    for report in read.reports[1:]:
        yield Heading(report.title)
        yield from _by_measure(report, _ROWS_ON_FIRST_SHEET)
    yield Heading("What this page does not show")
    yield Paragraph(
        "There is no comparison group: part of any change would have occurred with time and regression to the "
        "mean. Counts are rounded and small ones hidden; rates are computed from rounded counts. Among many "
        "figures, about one in twenty 95 % intervals misses the true value by chance. Clinicians are not "
        "compared. Definitions, all figures and trends follow in the appendix; the recompute pack of the release "
        "computes the figures again from its counts."
    )


def _flow(report: ReleasedReport) -> Iterator[Block]:
    steps = [step for step in report.flow if not step.group] or list(report.flow)[:3]
    if steps:
        rows = tuple((step.title, _count(step.count)) for step in steps)
        yield Table("Who is counted", ("Step", "Clients"), rows, (5, 1))


def _count(value: int | None) -> str:
    return "not shown" if value is None else f"{value}"


def _results(report: ReleasedReport, figures: Sequence[Figure], before: dict[tuple[str, str], Figure]) -> Table:
    rows = tuple(
        (
            figure.title,
            figure.among,
            (Run(_percent(figure), strong=True),),
            _interval(figure),
            figure.bounds or "not reported",
            _percent(before.get((report.definition, figure.metric))),
        )
        for figure in figures
    )
    headings = ("Measure", "Of", "Rate", "95 % interval", "Worst to best case", "Previous release")
    return Table(report.title, headings, rows, (2.6, 3.4, 1.1, 1.6, 1.8, 1.4))


def _percent(figure: Figure | None) -> str:
    if figure is None:
        return "\N{EN DASH}"
    return "not shown" if figure.percent is None else f"{figure.percent:.0f} %"


def _interval(figure: Figure) -> str:
    return "" if figure.lower is None or figure.upper is None else f"{figure.lower:.0f} to {figure.upper:.0f} %"


def _rates(report: ReleasedReport) -> list[Figure]:
    return [figure for figure in report.figures if figure.is_rate]


def _by_measure(report: ReleasedReport, most: int) -> Iterator[Block]:
    """Lay out measures as rows, or figures where a definition has no measures."""
    groups = list(dict.fromkeys(figure.group for figure in report.figures))
    if groups == [""]:
        rows = tuple((figure.title, figure.among, figure.words) for figure in report.figures[:most])
        yield Table(report.title, ("Figure", "Of", "Result"), rows, (3, 3, 3))
        return
    titles = [title for title in dict.fromkeys(figure.title for figure in report.figures) if "," not in title]
    cells = {(figure.group, figure.title): figure for figure in report.figures}
    rows = tuple((group, *(_cell(cells.get((group, title))) for title in titles)) for group in groups[:most])
    yield Table(report.title, ("Measure", *titles), rows, (3, *(1.3 for _ in titles)))
    left = len(groups) - len(rows)
    if left:
        yield Paragraph(f"{count_words(left, 'more measure')} in the appendix.", "quiet")


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "not judged"
    if figure.hidden:
        return "not shown"
    if figure.value is not None:
        return figure.value
    return f"{figure.count} of {figure.of}"


def _forest(rates: Sequence[tuple[str, Figure]], title: str) -> Picture:
    drawn = rate_forest(rates)
    return _picture(drawn, f"{title}. {drawn.caption}")


def _picture(drawn: Drawn, alt: str) -> Picture:
    height = drawn.drawing.height / _PIXELS_PER_MM
    return Picture(drawn.svg(width=WIDTH / SCALE, height=height), alt, WIDTH)


def _appendix(read: ReadRelease) -> Iterator[Block]:
    yield Heading("Appendix A: the same clients by every definition")
    accepted = [(f"{_short(report, figure)}", figure) for report in read.reports for figure in _rates(report)
                if figure.title in _GOOD]  # fmt: skip
    yield Paragraph(
        "One cohort, assessed by each definition in this release, shows how far the result depends on the "
        "definition."
    )
    if accepted:
        yield _forest(accepted, "Every accepted definition of a good outcome")
    yield Heading("Appendix B: trends by release")
    yield from _trends(read)
    yield Heading("Appendix C: definitions, limits and sources")
    for report in read.reports:
        yield Heading(report.title, 3)
        yield Paragraph(f"{report.heading}. {_upper_first(report.first_rule)}, compared with {report.last_rule}.")
        yield Items(tuple((rule, "") for rule in (*report.rules, *report.sources)))
    yield Paragraph(
        f"Small numbers: {read.reports[0].small_numbers}. Counts are rounded first, and percentages, Wilson's "
        "95 % limits, and worst and best case are computed from them; clients of one clinician are taken as "
        "independent, since counts of clinicians are not released. Worst and best case: none, or all, of "
        "those without a known outcome (Manski 1990). Hidden counts: integer programming over all reports in "
        "the release cannot narrow any of them below the rule."
    )
    yield Heading("Appendix D: all figures")
    for report in read.reports:
        rows = tuple(
            (figure.group, figure.title, figure.among, figure.words, figure.bounds) for figure in report.figures
        )
        headings = ("Scale", "Figure", "Of", "Result", "Worst to best")
        if not any(row[0] for row in rows):
            rows, headings = tuple(row[1:] for row in rows), headings[1:]
        yield Heading(report.title, 3)
        yield Table(report.title, headings, rows)
    yield from _strata(read)
    yield from _benchmarks(read)


def _benchmarks(read: ReadRelease) -> Iterator[Block]:
    """Draw each rate that has benchmarks with them, and say where they are from."""
    if not read.benchmarks:
        return
    yield Heading(f"Appendix {'F' if strata_tables(read.stored) else 'E'}: benchmarks of the clinic's choice")
    yield Paragraph(
        "Figures published or set by others, from a file supplied by this clinic; mbc has not checked them. "
        "Different clients, measures and counting rules produce different rates: a difference is a reason to "
        "ask, not a verdict."
    )
    for report in read.reports:
        for figure in _rates(report):
            chosen = [
                each
                for each in read.benchmarks
                if (each.definition, each.measure) == (report.definition, figure.metric)
            ]
            if chosen:
                name = _short(report, figure)
                targets = [(each.name, each.figure) for each in chosen]
                drawn = rate_forest([(name, figure)], targets=targets)
                lines = "; ".join(each for each, _ in targets)
                yield _picture(drawn, f"{name}, with benchmarks: {lines}. {drawn.caption}")
                rows = tuple(
                    (
                        f"{each.figure:g} %",
                        each.population,
                        "a target" if each.n is None else f"{each.n}",
                        each.source,
                        day_words(each.read_on),
                    )
                    for each in chosen
                )
                headings = ("Benchmark", "Population", "Clients", "Source", "Read on")
                yield Table(f"Benchmarks of: {name}", headings, rows, (1.2, 2.4, 1.1, 3.6, 1.3))


def _strata(read: ReadRelease) -> Iterator[Block]:
    tables = strata_tables(read.stored)
    if not tables:
        return
    yield Heading("Appendix E: groups of clients")
    yield Paragraph(f"{read.reports[0].title}. {CAUTION} All figures of each group are in the workbook.")
    for each in tables:
        yield Table(each.title, each.headings, each.rows, (2, *(2.2 for _ in each.headings[1:])))


def _short(report: ReleasedReport, figure: Figure) -> str:
    group = figure.group.partition(": ")[2] or report.title
    return f"{figure.title}, {group}"


def _trends(read: ReadRelease) -> Iterator[Block]:
    shown = [*reversed(read.earlier), read.stored]
    if len(shown) == 1:
        yield Paragraph("This is the first release: there is no trend yet.")
        return
    by_release = {release.name: figures_of(release) for release in shown[-6:]}
    keys = [(report.definition, figure) for report in read.reports for figure in _rates(report)
            if figure.title in _GOOD or figure.metric in MAIN_RATES]  # fmt: skip
    titles = {report.definition: report for report in read.reports}
    rows = tuple(
        (
            _short(titles[definition], figure),
            *(_percent(figures.get((definition, figure.metric))) for figures in by_release.values()),
        )
        for definition, figure in keys
    )
    yield Table("Trends by release", ("Rate", *by_release), rows, (3.5, *(1.0 for _ in by_release)))
    yield Paragraph(
        "Periods do not overlap and no episode of care is counted twice, so releases can be compared.", "quiet"
    )
    yield from _funnel(read, by_release)


def _funnel(read: ReadRelease, by_release: dict[str, dict[tuple[str, str], Figure]]) -> Iterator[Block]:
    """Draw the first rate that enough releases have against its number of clients, within the limits of chance."""
    main = read.reports[0]
    for rate in _rates(main):
        known = {name: figures.get((main.definition, rate.metric)) for name, figures in by_release.items()}
        units = {
            name: wilson_interval(min(figure.count, figure.of), figure.of)
            for name, figure in known.items()
            if figure is not None and figure.count is not None and figure.of and figure.percent is not None
        }
        if rate.title in _GOOD and len(units) >= _LEAST_FOR_FUNNEL:
            drawn = funnel(units, unit="Clients in the denominator", title=f"{rate.title}, each release")
            yield _picture(drawn, f"Funnel plot of the releases: {rate.title}. {drawn.caption}")
            return


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
