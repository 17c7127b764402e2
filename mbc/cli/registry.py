"""``mbc registry``: record folders of many clinics, checked before they are reported together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.program import end_cleanly_when_stopped

if TYPE_CHECKING:
    from mbc.outcomes.engines import Engine


@click.group("registry")
def command() -> None:
    """Check record folders of many clinics; 'mbc outcomes FOLDER...' reports them together."""


@command.command("check")
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER...",
)
@click.option(
    "--engine",
    type=click.Choice(["polars", "duckdb", "spark"]),
    default="polars",
    show_default=True,
    help="Engine that reads and counts the rows.",
)
def check(*, folders: tuple[Path, ...], engine: Engine) -> None:
    """Check the FOLDERs, one per clinic, as 'mbc export FOLDER --format parquet' writes them.

    Columns and their types, keys, references between tables, days, item orders, answers out of range, definitions
    of the clinics' own. Each fault is named with its file, the number of rows, and the first of them; with faults
    the status is 1.
    """
    from mbc.errors import ImportRefused  # noqa: PLC0415 - loaded when it is needed
    from mbc.outcomes import check_folders  # noqa: PLC0415

    if engine == "duckdb":
        end_cleanly_when_stopped()
    made = check_folders(folders, engine)
    for folder in made.folders:
        rows = ", ".join(f"{name} {count}" for name, count in folder.rows.items())
        click.echo(f"{folder.clinic}: {rows or 'no table'}.")
    for note in made.notes:
        click.echo(f"Note: {note}")
    if made.faults:
        several = f"{len(made.faults)} faults. Correct them"
        which = "1 fault. Correct it" if len(made.faults) == 1 else several
        raise ImportRefused(f"{which} at the clinic and export again.", made.faults)
    click.echo(f"No faults in {len(made.folders)} folders." if len(made.folders) > 1 else "No faults.")


@command.command("layout")
def layout() -> None:
    """Print which tables and columns a folder has, as Markdown."""
    from mbc.outcomes.registry.layout import layout_table  # noqa: PLC0415 - loaded when it is needed

    click.echo(layout_table())
