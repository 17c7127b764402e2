"""``mbc validate``: how well the expected course forecasts new clients."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.text import Text

from mbc.cli.options import cohort_models, instrument_option, instruments_option, store_option
from mbc.cli.validate_tables import print_validation
from mbc.errors import MbcError

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class _Measure:
    """What the scores are scores of."""

    name: str
    higher_is_better: bool
    score_range: tuple[float, float] | None
    reliable_change: float | None
    cutoff: float | None = None


def _wide(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    times: dict[str, float] = {}
    for value in values:
        name, sign, at = value.rpartition("=")
        try:
            times[name] = float(at)
        except ValueError:
            sign = ""
        if not sign or not name or not math.isfinite(times[name]):
            raise click.BadParameter(f"'{value}' is not COLUMN=TIME, such as bdi.2m=2.", ctx, param)
    return times


@click.command("validate")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@instrument_option(
    "key", "Questionnaire that gives range, direction and reliable change.", metavar="KEY[.SCALE]", multiple=False
)
@click.option("--client", metavar="COLUMN", help="Client id column. [client_id, id, ...]")
@click.option(
    "--time", metavar="COLUMN", help="Time column: numbers, or dates as YYYY-MM-DD. [days, week, date, ...]"
)
@click.option("--score", metavar="COLUMN", help="Score column. [the only other column of numbers]")
@click.option(
    "--wide",
    metavar="COLUMN=TIME",
    multiple=True,
    callback=_wide,
    help="Score column of a file with one row per client; may be repeated.",
)
@click.option("--better", type=click.Choice(["lower", "higher"]), help="Which scores are better.")
@click.option(
    "--range",
    "score_range",
    type=float,
    nargs=2,
    metavar="LOW HIGH",
    help="Lowest and highest score of the scale.",
)
@click.option(
    "--reliable-change", type=float, metavar="POINTS", help="A change of at least this much is reliable."
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    metavar="FILE2",
    help="Train on FILE and forecast the clients of FILE2.",
)
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Number of cross-validation folds."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed for assigning folds."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the tables here as CSV.",
)
@click.option(
    "--save-model", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Train on all clients and write the model to FILE.",
)  # fmt: skip
@click.option("--ledger", is_flag=True, help="Only how well the record's signals have predicted outcomes.")
@store_option
@instruments_option
def command(  # noqa: PLR0913 - one keyword for each option
    *, file: Path | None, key: str | None, client: str | None, time: str | None, score: str | None,
    wide: dict[str, float], better: Better | None, score_range: tuple[float, float] | None,
    reliable_change: float | None, held_out: Path | None, folds: int, seed: int, out: Path | None,
    save_model: Path | None, ledger: bool, store_url: str,
) -> None:  # fmt: skip
    """Forecast clients session by session from what was known then, and compare with what came.

    FILE holds one row per score (client, time, score), or one row per client with --wide. Without FILE the scores
    of --instrument are read from the record, and with them what its signals turned out to be worth; --ledger shows
    that alone. Clients are split, never rows: nobody is forecast by a model that has seen them. Only figures about
    groups are shown.
    """
    if ledger:
        if file is not None or key is not None:
            raise click.UsageError("--ledger reads the signals of the record: leave FILE and --instrument out.")
        _print_ledger(_console(), store_url)
        return
    from mbc.models import expected_course, prospective_validation  # noqa: PLC0415 - statistics load when they run

    _require_writable(out, save_model)
    measure = _measure(key, better, score_range, reliable_change, named=score)
    console = _console()
    if file is None:
        if held_out is not None:
            raise click.UsageError("--held-out FILE2 needs a FILE to learn from.")
        frame, unit, others = _from_record(store_url, key), "weeks", None
    else:
        frame, unit, others = _from_files(
            console, file, held_out, client=client, time=time, score=score, wide=wide
        )
    columns = {"outcome": "score", "time": "time", "client": "client"}
    about: dict[str, Any] = {
        "higher_is_better": measure.higher_is_better,
        "score_range": measure.score_range,
        "reliable_change": measure.reliable_change,
    }
    with _progress(console) as progress:
        validation = prospective_validation(
            frame, **columns, **about, held_out=others, folds=folds, seed=seed, progress=progress
        )
    print_validation(console, validation, measure.name)
    if file is None:
        _print_ledger(console, store_url)
    if out is not None:
        _write(console, validation, out)
    if save_model is not None:
        extra = {"cutoff": measure.cutoff, "measure": measure.name, "time_unit": unit}
        learned = expected_course(frame, **columns, **about, **extra, seed=seed)
        learned.save(save_model)
        console.print(Text(f"Model {learned.version} written to {save_model}:"))
        console.print(Text(learned.card.text()), soft_wrap=True)


def _require_writable(folder: Path | None, model: Path | None) -> None:
    """Refuse places that cannot be written before anything is computed."""
    if model is not None and not (model.parent.is_dir() and os.access(model.parent, os.W_OK)):
        raise MbcError(f"{model} cannot be written: there is no such folder, or you may not write in it.")
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise _not_written(folder, fault) from None
    if not os.access(folder, os.W_OK):
        raise _not_written(folder, PermissionError("you may not write in it"))


def _not_written(folder: Path, fault: OSError) -> MbcError:
    why = fault.strerror or fault
    return MbcError(f"{folder} cannot be written to: {why}. Choose a folder you may write in.")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=130)


def _print_ledger(console: Console, store_url: str) -> None:
    """Print what the signals on record turned out to be worth."""
    from mbc.care.signals.report import signal_report  # noqa: PLC0415
    from mbc.cli.signals import print_report  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        print_report(console, signal_report(store, cohort=cohort_models(store)))


def _measure(
    key: str | None,
    better: Better | None,
    score_range: tuple[float, float] | None,
    reliable_change: float | None,
    *,
    named: str | None,
) -> _Measure:
    if key is None:
        if better is None:
            raise click.UsageError(
                "Say which scores are better: --better lower or --better higher (or --instrument)."
            )
        return _Measure(named or "the score", better == "higher", score_range or None, reliable_change)
    from mbc.care.course.noise import noise_of  # noqa: PLC0415
    from mbc.care.forecast.signals import healthy_line  # noqa: PLC0415
    from mbc.cli.instruments import find  # noqa: PLC0415

    instrument = find(key.partition(".")[0])
    scale = instrument.scale(key.partition(".")[2] or None)
    noise = noise_of(instrument, scale)
    points = noise.threshold if noise is not None else None
    higher = scale.higher_is_better if better is None else better == "higher"
    return _Measure(
        f"{instrument.name}, {scale.key}",
        higher,
        score_range or (float(scale.range[0]), float(scale.range[1])),
        reliable_change if reliable_change is not None else points,
        healthy_line(scale) if scale.higher_is_better == higher else None,
    )


def _from_files(console: Console, file: Path, held_out: Path | None, **columns: Any) -> tuple[Any, str, Any]:
    from mbc.exchange.score_table import read_scores  # noqa: PLC0415

    table = read_scores(file, **columns)
    others = None if held_out is None else read_scores(held_out, **columns)
    if others is not None and held_out is not None and others.time_unit != table.time_unit:
        raise MbcError(
            f"Times are {table.time_unit} in {file.name} and {others.time_unit} in {held_out.name}: a model of "
            "one does not apply to the other. Give both files one time column, or name it with --time."
        )
    for note in (*table.notes, *(() if others is None else others.notes)):
        console.print(Text("Note: ", style="yellow").append(note, style="default"))
    return table.frame, table.time_unit, None if others is None else others.frame


def _from_record(store_url: str, key: str | None) -> Any:
    if key is None:
        raise click.UsageError("Name a FILE, or an --instrument to read from the record.")
    from mbc.care.forecast.training_scores import followed_scores  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    name, _, scale = key.partition(".")
    with Store.open(store_url) as store:
        return followed_scores(store, name, scale or None)


def _write(console: Console, validation: Any, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("errors", "coverage", "chances", "flags"):
            getattr(validation, name).write_csv(folder / f"{name}.csv")
    except OSError as fault:
        raise _not_written(folder, fault) from None
    console.print(Text(f"errors.csv, coverage.csv, chances.csv and flags.csv written to {folder}."))


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("Forecasting"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Forecasting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
