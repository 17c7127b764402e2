"""``mbc study``: the same question asked at several clinics, and their published answers pooled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mbc.cli.options import instruments_option, store_option, view_of
from mbc.cli.program import end_cleanly_when_stopped

if TYPE_CHECKING:
    from mbc.models.effects.heterogeneity import Estimator
    from mbc.outcomes.study.pool import PooledRate
    from mbc.outcomes.study.specification import Study

_spec = click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("study")
def command() -> None:
    """Ask the same of several clinics, and pool what they publish: no row leaves a clinic."""


@command.command("check")
@_spec
def check(spec: Path) -> None:
    """Check the specification SPEC, and say what it asks for."""
    from mbc.outcomes import read_study  # noqa: PLC0415 - quick help texts

    _print_study(read_study(spec))


@command.command("run")
@_spec
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--result",
    "result_folder",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new folder for the result.",
)
@click.option(
    "--engine",
    type=click.Choice(["polars", "duckdb"]),
    help="Engine used for FOLDER; polars by default.",
)
@store_option
@instruments_option
def run(
    *,
    spec: Path,
    folder: Path | None,
    result_folder: Path,
    engine: Literal["polars", "duckdb"] | None,
    store_url: str,
) -> None:
    """Answer the specification SPEC from a record, or from a FOLDER that mbc export wrote.

    The result holds what may be published: rounded counts, small ones hidden, and what follows from them. A record
    answers a specification once, for its operator, and the audit log says so.
    """
    from mbc.outcomes import read_study  # noqa: PLC0415 - quick help texts

    study = read_study(spec)
    if folder is not None:
        _run_on_folder(study, folder, engine or "polars", result_folder)
    elif engine is not None:
        raise click.UsageError("--engine is for a folder: mbc study run SPEC FOLDER --engine duckdb --result DIR")
    else:
        from mbc.care.clinic.studies import run_study  # noqa: PLC0415
        from mbc.store import Store  # noqa: PLC0415

        with Store.open(store_url) as full_store:
            run_study(view_of(full_store, None), study, result_folder)
    click.echo(f"{study.specification.name} {study.specification.version}, digest {study.digest}.")
    click.echo(f"Written to {result_folder}: read figures.csv before you send the folder.")


def _run_on_folder(study: Study, folder: Path, engine: Literal["polars", "duckdb"], result_folder: Path) -> None:
    from mbc.exchange.files.output import check_target  # noqa: PLC0415 - loaded when it is needed
    from mbc.outcomes import read_folders  # noqa: PLC0415
    from mbc.outcomes.study.result import study_result, write_result  # noqa: PLC0415

    study.require_over()
    if engine == "duckdb":
        end_cleanly_when_stopped()
    check_target(result_folder, folder=True, force=False)
    write_result(study_result(study, read_folders([folder], engine)), result_folder)


@command.command("pool")
@_spec
@click.argument(
    "results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="RESULT..."
)
@click.option(
    "--estimator",
    type=click.Choice(["reml", "paule-mandel"]),
    default="reml",
    show_default=True,
    help="Estimator of the variance between clinics.",
)
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table to this file."
)
def pool(*, spec: Path, results: tuple[Path, ...], estimator: Estimator, csv: Path | None) -> None:
    """Pool the RESULTs of several clinics for the specification SPEC; a folder's name is the clinic's.

    Each rate that two clinics or more publish is pooled by random effects. Results of another specification are
    refused.
    """
    from mbc.errors import SettingsError  # noqa: PLC0415 - quick help texts
    from mbc.exchange.files.output import write_text  # noqa: PLC0415
    from mbc.outcomes import pool_results, read_result, read_study  # noqa: PLC0415

    study = read_study(spec)
    names = [path.absolute().name if path.is_dir() else path.absolute().parent.name for path in results]
    if len(set(names)) < len(names):
        raise SettingsError("Two results have the same name: a folder is named after its clinic. Rename one.")
    made = pool_results(
        study, {name: read_result(path) for name, path in zip(names, results, strict=True)}, estimator=estimator
    )
    click.echo(f"{study.specification.question}\n{study.heading}. {len(names)} clinics: {', '.join(names)}.")
    for note in made.notes:
        click.echo(f"Note: {note}")
    heading = None
    for rate in made.rates:
        if (rate.definition, rate.group) != heading:
            heading = (rate.definition, rate.group)
            click.echo(f"\n{rate.definition}{f', {rate.group}' if rate.group else ''}")
        click.echo(f"  {_words(rate)}")
    click.echo(
        "\nProportion in a typical clinic with 95 % limits (Hartung and Knapp), from rounded counts; in brackets, "
        "the range expected for another clinic. Clinics that hide a count are missing, so pooled rates are "
        "weighted towards larger clinics."
    )
    if csv is not None:
        write_text(csv, made.to_frame().write_csv(), force=True)
        click.echo(f"Written to {csv}.")


def _words(rate: PooledRate) -> str:
    made = rate.pooled
    if made is None:
        return (
            f"{rate.title}: not pooled, published by {len(rate.clinics)} of {len(rate.clinics) + len(rate.hidden)}"
        )
    words = f"{rate.title}: {100 * made.estimate:.0f} % ({100 * made.lower:.0f} to {100 * made.upper:.0f} %)"
    if made.prediction_lower is not None and made.prediction_upper is not None:
        words += f" [{100 * made.prediction_lower:.0f} to {100 * made.prediction_upper:.0f} %]"
    words += f", I2 {made.i2:.0f} % ({made.i2_lower:.0f} to {made.i2_upper:.0f}), {len(rate.clinics)} clinics"
    return words + (f"; hidden, or nobody, at {len(rate.hidden)}" if rate.hidden else "")


def _print_study(study: Study) -> None:
    asked = study.specification
    click.echo(f"{asked.name} {asked.version}: {asked.question}")
    click.echo(f"{study.heading}.")
    for each in study.settings:
        click.echo(f"  {each.title} ({each.rules})")
    click.echo(f"Counts under {asked.smallest_count} are hidden, others rounded to multiples of it.")
    click.echo(f"Digest {study.digest}")
