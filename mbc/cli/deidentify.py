"""``mbc deidentify``: a de-identified cohort for research."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from mbc.care.cohort.files import write_cohort
from mbc.care.cohort.other_formats import COHORT_FORMATS, CohortFormat
from mbc.care.cohort.prepare import prepare_cohort
from mbc.care.cohort.profiles import PROFILES, profile_named, read_profile
from mbc.care.cohort.risk_report import CohortRisk
from mbc.care.words import count
from mbc.cli.options import as_option, store_option, view_of
from mbc.store import Store

_FEW = 20  # people; a convention of ours, not a rule of a law


def _warn_of_few(people: str) -> str:
    return (
        f"A cohort of {people} protects nobody: anyone who knows that a person was a client can find them from a "
        "few scores or dates. Share it only with those who may read the record."
    )


@click.command("deidentify")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@store_option
@as_option
@click.option(
    "--profile",
    "profile_name",
    type=click.Choice([*PROFILES, "expert"]),
    default="days",
    show_default=True,
    help="Level of detail. coarse: at least 5 people look alike, or nothing is written.",
)
@click.option(
    "--settings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own profile, a TOML file; with --profile expert.",
)
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
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(COHORT_FORMATS),
    help="Also write each table in this format, besides CSV; may be repeated.",
)
def command(
    *,
    folder: Path,
    store_url: str,
    username: str | None,
    profile_name: str,
    settings: Path | None,
    k: int,
    key: Path | None,
    formats: tuple[CohortFormat, ...],
) -> None:
    """Write the record to FOLDER with random study ids and days instead of dates.

    No names, no ids of the clinic, no dates, no free text, no safety data. FOLDER must be new or empty. How easily
    people can still be recognised is measured, and written to risk.json.
    """
    if (profile_name == "expert") != (settings is not None):
        raise click.UsageError("--profile expert and --settings FILE belong together.")
    profile = profile_named(profile_name) if settings is None else read_profile(settings)
    if key is not None and username is not None:
        raise click.UsageError("--key identifies people, so it is for the operator only: leave out --as.")
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        prepared = prepare_cohort(store, profile=profile, k=k)
        cohort, risk, study_ids = prepared.cohort, prepared.risk, prepared.study_ids
        rows = {name: table.height for name, table in cohort.tables().items()}
        store.audit.record("export", format="cohort", file=folder.name, rows=rows, key=key is not None)
    write_cohort(cohort, folder, risk=risk, study_ids=None if key is None else study_ids, key=key, formats=formats)
    say = Console(highlight=False).print
    people, scores = count(cohort.people.height, "person", "people"), count(cohort.scores.height, "score")
    say(Text(f"{people}, {scores}: written to {folder}."))
    if cohort.people.height < _FEW:
        click.secho(_warn_of_few(people), fg="yellow", err=True)
    if risk.left_out:
        left_out = count(risk.left_out, "person was", "people were")
        say(Text(f"{left_out} left out because too few look like them."))
    say(Text(_recognised(risk)))
    if cohort.withheld:
        held = ", ".join(cohort.withheld)
        say(Text(f"Item answers of {held} are left out (one item concerns safety); the scores are there."))
    if key is not None:
        say(Text(f"The key is in {key}, readable only by you. Anyone who has both can identify people."))


def _recognised(risk: CohortRisk) -> str:
    """Say how many people can be recognised, and what to do about it."""
    measured = risk.measured
    by = ", ".join(risk.quasi_identifiers) or "no column"
    unique = count(measured.unique, "is unique", "are unique")
    text = f"By {by}: the smallest group of people who look alike has {measured.k}; {unique}."
    if risk.asked_k is None and measured.unique:
        text += (
            " Anyone who knows these details of a person can recognise them. --profile coarse makes groups of "
            "people who look alike."
        )
    return f"{text} risk.json shows what a partner, a receptionist and others could find out."
