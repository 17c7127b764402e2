"""``mbc models``: the clinic's own models, as the record keeps them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from mbc.cli.options import instruments_option, store_option, use_definitions

if TYPE_CHECKING:
    from mbc.care import CohortModel
    from mbc.store import Store


@click.command("models")
@click.option("--fit", "doing", is_flag=True, help="Fit the models that are due, and store them in the record.")
@click.option("--all", "every", is_flag=True, help="With --fit: fit every model again.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Date given to the models. Default: today.")
@store_option
@instruments_option
def command(*, doing: bool, every: bool, as_of: dt.datetime | None, store_url: str) -> None:
    """Show which models were fitted to the clinic's own scores, when, and which are due.

    A model describes one scale for all clients together. It contains no client's own scores, and nothing from the
    safety channel. A running server fits due models by itself; without one, run 'mbc models --fit' after an import
    or each night.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed

    from mbc.care.forecast.kept_models import due_models, make_models  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    if every and not doing:
        raise click.UsageError("--all must be given with --fit.")
    today = dt.date.today() if as_of is None else as_of.date()  # noqa: DTZ011 - the day where the clinic is
    console = Console(stderr=True)
    with Store.open(store_url) as store:
        use_definitions(store)
        if not doing:
            _list(store, {(questionnaire.key, scale.key) for questionnaire, scale in due_models(store, today)})
            return
        made = 0
        with console.status("Learning from the clinic's scores"):
            for model, kept in make_models(store, today, every=every):
                made += kept
                click.echo(
                    _words(model)
                    if kept
                    else f"{_name(model)}: not stored, since a client was erased in the meantime"
                )
        click.echo(f"{made} fitted." if made else "No model is due.")


def _list(store: Store, due: set[tuple[str, str]]) -> None:
    from mbc.care.forecast.kept_models import read_model  # noqa: PLC0415 - loaded when it is needed

    listed: set[tuple[str, str]] = set()
    for kept in store.kept_models():
        dated = read_model(kept)
        if dated is not None:
            again = " (due)" if (kept.instrument, kept.scale) in due else ""
            click.echo(f"{_words(dated.model)}; {kept.made_on:%Y-%m-%d}{again}")
            listed.add((kept.instrument, kept.scale))
    for instrument, scale in sorted(due - listed):
        click.echo(f"{instrument}.{scale}: not fitted yet")
    if due:
        click.echo("Fit them: mbc models --fit")


def _words(model: CohortModel) -> str:
    clients = f"{model.n_clients:,} client" + ("" if model.n_clients == 1 else "s")
    return f"{_name(model)}: {f'learned from {clients}' if model.course else model.reason}"


def _name(model: CohortModel) -> str:
    return f"{model.instrument}.{model.scale}"
