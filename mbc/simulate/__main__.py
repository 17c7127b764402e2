"""``python -m mbc.simulate FOLDER``: write a synthetic clinic as CSV files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from mbc.errors import MbcError
from mbc.simulate.synthetic import CLIENTS, CLINICIANS, SEED, START, WEEKS, clinic


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=SEED, show_default=True, help="Another seed is another clinic.")
@click.option("--clients", default=CLIENTS, show_default=True, help="How many clients.")
@click.option("--clinicians", default=CLINICIANS, show_default=True, help="How many clinicians.")
@click.option("--weeks", default=WEEKS, show_default=True, help="Length of the record.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=str(START),
    show_default=True,
    help="First day; a Monday.",
)
@click.option("--stories/--no-stories", default=True, show_default=True, help="With the demo's storied clients.")
def main(
    *, folder: Path, seed: int, clients: int, clinicians: int, weeks: int, start: datetime, stories: bool
) -> None:
    """Write a synthetic clinic into FOLDER: one CSV per table, a README, the truth and checksums."""
    try:
        made = clinic(
            seed=seed, clients=clients, clinicians=clinicians, start=start.date(), weeks=weeks, stories=stories
        )
    except MbcError as refused:
        raise click.UsageError(str(refused)) from None
    made.write(folder)
    sheets = sum(frame.height for frame in made.administrations.values())
    click.echo(
        f"{folder}: {made.clients.height} clients, {made.sessions.height} appointments, {sheets} questionnaires."
    )


if __name__ == "__main__":
    main(prog_name="python -m mbc.simulate")
