"""``mbc twin``: a synthetic cohort with the columns and statistics of a de-identified one."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text


@click.command("twin")
@click.argument("cohort", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="The same cohort and seed give the same people.",
)
@click.option("--force", is_flag=True, help="Replace an existing twin in TARGET; nothing else is ever replaced.")
def command(*, cohort: Path, target: Path, seed: int, force: bool) -> None:
    """Write made-up people to TARGET who resemble those of COHORT, a folder of 'mbc deidentify'.

    For teaching, and for writing an analysis before access is granted: files, columns and types are the same.
    Nobody in TARGET exists. It is drawn from numbers that rest on at least 5 people each (or the cohort's own k),
    so a cohort of fewer than 40 people is refused. twin.json has how far the statistics differ, and what somebody
    could learn about those in the cohort.
    """
    from mbc.care.cohort.twin.twin_folder import make_twin  # noqa: PLC0415 - loaded when it is needed

    made = make_twin(cohort, target, seed=seed, replace=force)
    say = Console(highlight=False, soft_wrap=True).print
    say(Text(f"{made.twin.cohort.people.height} synthetic people: written to {target}."))
    for line in made.lines:
        say(Text(line))
