"""``mbc release``: publish the outcomes of a quarter or year once, and read what was published."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.options import as_option, store_option, view_of
from mbc.privacy.small_numbers.presets import Preset


@click.group("release")
def command() -> None:
    """Publish outcomes with small numbers hidden: once for each period, then frozen."""


@command.command("make")
@click.argument("name")
@click.option(
    "--definition",
    "definitions",
    multiple=True,
    metavar="NAME|FILE.toml",
    help="Definitions to publish; nhs and jacobson-truax by default.",
)
@click.option("--preset", type=click.Choice(["nhs5", "cms11"]), default="nhs5", show_default=True, help="Rule.")
@click.option("--k", "k", type=click.IntRange(min=5), help="Your own smallest count, instead of --preset.")
@click.option(
    "--by",
    "by",
    multiple=True,
    metavar="FIELD",
    help="Also publish the first definition for each code of a demographic field, such as age_band; may be "
    "repeated.",
)
@store_option
def make(
    *,
    name: str,
    definitions: tuple[str, ...],
    preset: Preset,
    k: int | None,
    by: tuple[str, ...],
    store_url: str,
) -> None:
    """Publish the period NAME: a quarter such as 2026-Q3, or a year.

    The figures are frozen. A period is never published again; what was entered late is counted in the next one.
    """
    from mbc.care.clinic.releases import DEFINITIONS, make_release  # noqa: PLC0415 - quick help texts
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, None)
        made = make_release(store, name, definitions=definitions or DEFINITIONS, small_numbers=k or preset, by=by)
    click.echo(f"Released {made.name}: {made.start} to {made.end}, sha256 {made.sha256}.")
    click.echo(f"Late entries of earlier periods counted here: {made.content['late_entries']}.")


@command.command("list")
@as_option
@store_option
def list_(*, username: str | None, store_url: str) -> None:
    """List what was published."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        kept = view_of(full_store, username).releases()
    if not kept:
        click.echo("No release has been published yet. The operator publishes a period: mbc release make 2026-Q3")
    for release in kept:
        definitions = ", ".join(report["definition"] for report in release.content["reports"])
        click.echo(
            f"{release.name:<10}{release.start} to {release.end}  made {release.made_at:%Y-%m-%d}  {definitions}"
        )


@command.command("show")
@click.argument("name")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Also write the figures to this file."
)
@as_option
@store_option
def show(*, name: str, csv: Path | None, username: str | None, store_url: str) -> None:
    """Show the figures of a release."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        release = store.release(name)
        if csv is not None:
            store.audit.record("export", format="release, csv", file=csv.name, release=name)
    click.echo(f"Release {release.name}, {release.start} to {release.end}, made {release.made_at:%Y-%m-%d}.")
    click.echo(f"{release.content['replaces']} Late entries counted here: {release.content['late_entries']}.")
    for report in (*release.content["reports"], *release.content.get("strata", ())):
        click.echo(f"\n{report['title']}: {report['heading'][0].lower()}{report['heading'][1:]}.")
        click.echo(f"First and last: {report['first']}; {report['last']}.")
        click.echo(report["headline"])
        group = None
        for figure in report["figures"]:
            if figure["group"] != group:
                group = figure["group"]
                click.echo(f"  {group}" if group else "")
            click.echo(f"    {figure['title']}: {figure['words']}")
    click.echo(f"\nSmall numbers: {release.content['reports'][0]['small_numbers']}. sha256 {release.sha256}")
    if csv is not None:
        from mbc.care.clinic.releases import release_table  # noqa: PLC0415
        from mbc.exchange.files.output import write_text  # noqa: PLC0415

        write_text(csv, release_table(release).write_csv(), force=True)
        click.echo(f"Written to {csv}.")
