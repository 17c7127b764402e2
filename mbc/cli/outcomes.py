"""``mbc outcomes``: outcome rates with intervals and completeness; small numbers are suppressed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mbc.care import clinic_outcomes, clinic_report
from mbc.care.clinic.outcomes import OutcomeRow, Rate
from mbc.cli.options import as_option, instruments_option, store_option, view_of
from mbc.privacy.suppression import Preset
from mbc.store import Store

_DAY = click.DateTime(["%Y-%m-%d"])
_HIDDEN = "not shown"


@click.command("outcomes")
@store_option
@instruments_option
@as_option
@click.option(
    "--definition",
    metavar="NAME|FILE.toml",
    help="A published definition (nhs), or a file of your own. Without it: change by questionnaire.",
)
@click.option(
    "--cohort",
    type=click.Choice(["finished", "in-care", "started"]),
    default="finished",
    show_default=True,
    help="Whose care ended, was going on or began in the period; with --definition.",
)
@click.option(
    "--preset",
    type=click.Choice(["nhs5", "cms11"]),
    help="Small-number rule, instead of --k.",
)
@click.option("--from", "start", type=_DAY, help="First day of the period; by default a year before the last.")
@click.option("--to", "end", type=_DAY, help="Last day of the period; the last day on record by default.")
@click.option("--k", "k", type=click.IntRange(min=3), default=5, show_default=True, help="Smallest count shown.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Write the table here as well."
)
def command(  # noqa: PLR0913 - one argument for each option
    *,
    store_url: str,
    username: str | None,
    definition: str | None,
    cohort: str,
    preset: Preset | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
    k: int,
    csv: Path | None,
) -> None:
    """Report how many recovered, improved, were unchanged or deteriorated, by questionnaire.

    Each rate comes with the number it rests on, its 95 % interval and how complete the data are. Counts below K
    are not shown, and no client is ever named.

    With --definition the figures are those of a published definition, exact, with what the small-number rule lets
    be published of each.
    """
    if definition is not None:
        _report(store_url, username, definition, cohort, preset or k, start, end, csv)
        return
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        result = clinic_outcomes(
            store,
            start=None if start is None else start.date(),
            end=None if end is None else end.date(),
            k=preset or k,
        )
        if csv is not None:
            store.audit.record("export", format="outcomes, csv", file=csv.name, rows=result.to_frame().height)
    console = Console(highlight=False)
    for row in result.rows:
        _print_row(console, row)
    console.print(Text(result.caption))
    if any(not row.verified for row in result.rows):
        console.print(Text("Unverified: the norm or cutoff behind it was recalled, not read in its source."))
    if csv is not None:
        result.to_frame().write_csv(csv)
        console.print(Text(f"Written to {csv}."))


def _report(
    store_url: str,
    username: str | None,
    definition: str,
    cohort: str,
    small_numbers: int | Preset,
    start: dt.datetime | None,
    end: dt.datetime | None,
    csv: Path | None,
) -> None:
    if start is None or end is None:
        raise click.UsageError("A definition is reported for a period: give --from and --to.")
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        result = clinic_report(
            store,
            start=start.date(),
            end=end.date(),
            definition=definition,
            cohort=cohort,
            small_numbers="nhs5" if small_numbers == 5 else small_numbers,
        )
        if csv is not None:
            store.audit.record(
                "export", format=f"outcomes, {definition}, csv", file=csv.name, rows=len(result.metrics)
            )
    Console(highlight=False).print(Text(result.summary()))
    if csv is not None:
        result.to_frame().write_csv(csv)
        click.echo(f"Written to {csv}.")


def _print_row(console: Console, row: OutcomeRow) -> None:
    console.print(Text(f"{row.title} ({row.instrument})", style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(min_width=15)
    table.add_column(justify="right", min_width=9)
    table.add_column()
    for rate in row.rates:
        table.add_row(rate.category, *_rate_words(rate, row.paired))
    if not row.rates and row.paired is not None:
        table.add_row("first and later", str(row.paired), "")
    if row.recovery is not None:
        table.add_row("of those beyond", *_recovery_words(row.recovery))
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print(Padding(Text(_about(row)), (0, 0, 1, 2)))


def _rate_words(rate: Rate, n: int | None) -> tuple[str, str]:
    if rate.count is None or rate.estimate is None or rate.lower is None or rate.upper is None:
        return _HIDDEN, ""
    return f"{rate.count} of {n}", f"{rate.estimate:.0%} ({rate.lower:.0%} to {rate.upper:.0%})"


def _recovery_words(rate: Rate) -> tuple[str, str]:
    counted, words = _rate_words(rate, rate.n)
    return counted, f"{words} recovered, of those who began beyond the cutoff".strip()


def _about(row: OutcomeRow) -> str:
    parts = []
    if row.effect is not None and row.effect_lower is not None and row.effect_upper is not None:
        parts.append(f"Effect size d = {row.effect:.2f} ({row.effect_lower:.2f} to {row.effect_upper:.2f}).")
    if row.completeness is not None:
        parts.append(f"About {row.completeness} % of those with a first score have a later one.")
    if row.tipping_point_words is not None:
        parts.append(row.tipping_point_words)
    if row.coverage is not None:
        parts.append(f"About {row.coverage} % of those in care have a first score.")
    parts.append(f"Reliable change: {row.rule}.")
    parts.append(
        f"Cutoff: {row.cutoff}." if row.cutoff else "No cutoff is published, so nobody counts as recovered."
    )
    if not row.verified:
        parts.append("Unverified.")
    return " ".join(parts)
