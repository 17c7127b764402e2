"""``mbc deidentify``: a de-identified cohort for research."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from mbc.care import deidentified_cohort
from mbc.care.cohort.files import write_cohort
from mbc.cli.options import as_option, store_option, view_of
from mbc.store import Store


@click.command("deidentify")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@store_option
@as_option
@click.option(
    "--k",
    "k",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="Merge categories with fewer people.",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the re-identification key (study id and client id) to this file.",
)
def command(*, folder: Path, store_url: str, username: str | None, k: int, key: Path | None) -> None:
    """Write the record to FOLDER with random study ids and days instead of dates.

    No names, no ids of the clinic, no dates, no free text, no safety data. FOLDER must be new or empty.
    """
    if key is not None and username is not None:
        raise click.UsageError("--key names people, so it is for the operator alone: leave --as out.")
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        cohort, study_ids = deidentified_cohort(store, k=k)
        rows = {name: table.height for name, table in cohort.tables().items()}
        store.audit.record("export", format="cohort", file=folder.name, rows=rows, key=key is not None)
    write_cohort(cohort, folder, study_ids=None if key is None else study_ids, key=key)
    say = Console(highlight=False).print
    say(Text(f"{cohort.people.height} people, {cohort.scores.height} scores: written to {folder}."))
    if cohort.withheld:
        held = ", ".join(cohort.withheld)
        say(Text(f"Item answers of {held} are left out (one item concerns safety); the scores are there."))
    if key is not None:
        say(Text(f"The key is in {key}, readable by you only. Whoever has both can name people."))
