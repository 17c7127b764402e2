"""Options shared by several commands, so that they have the same name everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mbc.care.forecast.clinic_models import CohortModels, Fits
    from mbc.store import Store

DEFAULT_FILE = "clinic.db"
DEFAULT_STORE = f"sqlite:///{DEFAULT_FILE}"
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _default_store() -> str:
    """Take the record in the current folder; where there is none, that of ``mbc start``, and say so."""
    if Path(DEFAULT_FILE).exists():
        return DEFAULT_STORE
    from mbc.cli.own_record import OwnRecord  # noqa: PLC0415 - only when no record is named

    own = OwnRecord.at(None)
    if not own.exists():
        return DEFAULT_STORE
    click.echo(f"Using your own record (mbc start): {own.file}", err=True)
    return own.address()


store_option: Decorator = click.option(
    "--store",
    "store_url",
    envvar="MBC_STORE",
    default=_default_store,
    show_default=f"{DEFAULT_STORE}, else the record of 'mbc start'",
    show_envvar=True,
    metavar="URL",
    help="Address of the record: sqlite:///FILE, sqlcipher:///FILE (encrypted) or "
    "postgresql://USER@HOST/DATABASE.",
)
"""``--store URL``, handed to the command as ``store_url``."""


new_store_option: Decorator = click.option(
    "--store",
    "store_url",
    envvar="MBC_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Address of the new record: sqlite:///FILE, sqlcipher:///FILE (encrypted) or "
    "postgresql://USER@HOST/DATABASE.",
)
"""``--store URL`` of a record that is to be made."""


as_option: Decorator = click.option(
    "--as", "username", metavar="USER", help="Act as this account, with its permissions only."
)
"""``--as USER``, handed to the command as ``username``."""


def instrument_option(name: str, help: str, *, metavar: str = "KEY", multiple: bool = True) -> Decorator:  # noqa: A002 - click's word
    """Make ``-i, --instrument KEY``, handed to the command as ``name``."""
    return click.option("-i", "--instrument", name, multiple=multiple, metavar=metavar, help=help)


force_option: Decorator = click.option("--force", is_flag=True, help="Replace existing files.")
"""``--force``."""


def view_of(full_store: Store, username: str | None) -> Store:
    """Return the view that ``--as`` asks for; its lines in the audit log also name who ran the command.

    Definitions that the record brings along are known while the command runs.
    """
    store = full_store if username is None else full_store.as_user(username)
    use_definitions(store)
    return store


def use_definitions(store: Store) -> None:
    """Use the definitions that a record brings along while the command runs; warn where others go before them."""
    from mbc.care.scoring.recorded_definitions import changed_definitions  # noqa: PLC0415 - quick help texts
    from mbc.exchange.own_definitions import definitions_of  # noqa: PLC0415

    click.get_current_context().with_resource(definitions_of(store))
    for warning in changed_definitions(store):
        click.secho(warning, fg="yellow", err=True)


models_option: Decorator = click.option(
    "--models",
    "models_folder",
    type=click.Path(path_type=Path),
    envvar="MBC_MODELS",
    show_envvar=True,
    metavar="DIR",
    help="Folder with model files KEY.SCALE.json, used instead of models of the clinic's own data.",
)
"""``--models DIR``, handed to the command as ``models_folder``."""


def cohort_models(store: Store, folder: Path | None = None, *, fits: Fits = "by command") -> CohortModels:
    """Give the models of a clinic; model files of ``--models DIR`` go before its own.

    Parameters
    ----------
    store : Store
        The record of the clinic.
    folder : Path, optional
        What ``--models`` names.
    fits : {"by command", "when asked for"}
        Whether a model that the record does not keep stays away until ``mbc models --fit`` makes it, or is fitted
        when a command needs it.
    """
    from mbc.care import CohortModels  # noqa: PLC0415 - the command line stays quick
    from mbc.care.forecast.model_files import read_models  # noqa: PLC0415

    return CohortModels(store, read_models(folder), fits=fits)


def _use_instruments(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        from mbc.instruments.own.folders import using  # noqa: PLC0415 - only when it is asked for

        ctx.with_resource(using(folder))


instruments_option: Decorator = click.option(
    "--instruments",
    "own_folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=_use_instruments,
    help="Folder with definition files of your own. [MBC_INSTRUMENTS]",
)
"""``--instruments DIR``: applies while the command runs."""
