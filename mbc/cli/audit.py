"""``mbc audit``: who did what in a record, when and from where."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mbc.cli.options import as_option, store_option, view_of

if TYPE_CHECKING:
    import polars as pl

    from mbc.store import Store

_DAY = click.DateTime(["%Y-%m-%d"])
_NEWEST = 50
_FOR_PROGRAMS = ("account", "sealed", "sha256", "sign_in")  # digests: in the file, not on screen


@click.command("audit")
@store_option
@as_option
@click.option("--last", type=click.IntRange(min=1), help=f"Only the newest N lines. [{_NEWEST} on screen]")
@click.option("--from", "first", type=_DAY, help="From this date (UTC).")
@click.option("--to", "until", type=_DAY, help="Up to and including this date (UTC).")
@click.option("--who", metavar="USER", help="Only actions of this account.")
@click.option("--action", metavar="TEXT", help="Only lines of this kind, such as read, export, refused, sign-in.")
@click.option("--about", "subject", metavar="ID", help="Only lines about this client or account.")
@click.option("--break-glass", is_flag=True, help="Only emergency access (break-glass).")
@click.option("--include-safety", is_flag=True, help="Include the safety channel; needs the permission.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write all lines to this file: .csv or .jsonl."
)
@click.option("--force", is_flag=True, help="Replace existing files.")
def command(  # noqa: PLR0913 - an option each
    *,
    store_url: str,
    username: str | None,
    last: int | None,
    first: dt.datetime | None,
    until: dt.datetime | None,
    break_glass: bool,
    include_safety: bool,
    out: Path | None,
    force: bool,
    **named: str | None,
) -> None:
    """List the audit log: sign-ins, reads of clients, writes, exports, refusals, accounts. Times are UTC.

    Reading the log is logged too. Lines about the safety channel are left out unless requested.
    'mbc verify' checks that the log is complete.
    """
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    if break_glass and (any(named.values()) or last or first or until):
        raise click.UsageError("--break-glass lists all emergency access; leave out the other filters.")
    _check_out(out, force=force)
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if break_glass:
            lines = _opened(store, reasons=include_safety)
        else:
            lines = store.audit.entries(
                last=last or (None if out else _NEWEST),
                since=_midnight(first),
                until=_end_of(until),
                include_safety=include_safety,
                **named,
            )
        if store.user is None or break_glass:
            store.audit.record("audit read", lines=lines.height)
        if out is not None:
            _write(store, lines, out, force=force)
            return
    _show(lines, break_glass=break_glass)
    if not include_safety:
        click.echo(
            "Lines about the safety channel are left out; --include-safety shows them, with the permission."
        )


def _opened(store: Store, *, reasons: bool) -> pl.DataFrame:
    openings = store.break_glass_log()
    return openings if reasons else openings.drop("reason", "safety")


def _midnight(day: dt.datetime | None) -> dt.datetime | None:
    return None if day is None else day.replace(tzinfo=dt.UTC)


def _end_of(day: dt.datetime | None) -> dt.datetime | None:
    if day is None or day.date() == dt.date.max:
        return None
    return _midnight(day + dt.timedelta(days=1))


def _check_out(out: Path | None, *, force: bool) -> None:
    from mbc.exchange.files.output import check_target  # noqa: PLC0415

    if out is None:
        return
    if out.suffix.casefold() not in (".csv", ".jsonl"):
        raise click.UsageError(f"--out is '{out.name}'; the name must end in .csv or .jsonl.")
    check_target(out, folder=False, force=force)


def _write(store: Store, lines: pl.DataFrame, out: Path, *, force: bool) -> None:
    """Write the lines to a file that only its owner reads; in CSV no cell can become a formula."""
    import polars as pl  # noqa: PLC0415

    from mbc.exchange.files.formula_escape import escape_formulas  # noqa: PLC0415
    from mbc.exchange.files.output import write_text  # noqa: PLC0415

    kind = out.suffix.casefold().removeprefix(".")
    moments = pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    rows = lines.with_columns(moments)
    if kind == "csv":
        text = escape_formulas(rows).write_csv()
    else:
        text = "".join(json.dumps(_row(row), ensure_ascii=True) + "\n" for row in rows.iter_rows(named=True))
    store.audit.record("export", format=f"audit trail, {kind}", file=out.name, rows=lines.height)
    write_text(out, text, force=force)
    click.echo(f"{lines.height} lines written to {out}.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | ({"detail": json.loads(row["detail"] or "{}")} if "detail" in row else {})


def _show(lines: pl.DataFrame, *, break_glass: bool) -> None:
    """Print each line, and under it what it says beyond who, what, when and from where."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if lines.is_empty():
        console.print("No emergency access (break-glass) is on record." if break_glass else "No line matches.")
        return
    for row in lines.iter_rows(named=True):
        what, more = _opening(row) if break_glass else _action(row)
        about = row["client_id"] if break_glass else row["subject"]
        head = f"{row['at']:%Y-%m-%d %H:%M:%S}  {_quote(row['who'])}  {what}"
        head += (f"  {_quote(about)}" if about else "") + f"  from {_quote(row['origin'])}"
        console.print(Text(head), soft_wrap=True)
        if more:
            console.print(Text(f"    {_quote(more)}", style="dim"), soft_wrap=True)


def _action(row: dict[str, Any]) -> tuple[str, str]:
    details = {key: value for key, value in _row(row)["detail"].items() if value not in (None, [], {})}
    return row["action"], "; ".join(
        f"{key}: {_words(value)}" for key, value in details.items() if key not in _FOR_PROGRAMS
    )


def _opening(row: dict[str, Any]) -> tuple[str, str]:
    ended = row["closed_at"] or row["until"]
    until = "" if ended is None else f" until {ended:%H:%M}{', closed' if row['closed_at'] else ''}"
    apart = " with safety data" if row.get("safety") else ""
    return f"opened{apart}{until}", row.get("reason") or ""


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _quote(text: str) -> str:
    from mbc.exchange.files.messages import quote  # noqa: PLC0415

    return quote(text, longest=300)
