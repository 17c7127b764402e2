"""Options that several commands share, so that they are called the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mbc.store import Store

DEFAULT_STORE = "sqlite:///clinic.db"

store_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--store",
    "store_url",
    envvar="MBC_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where the record is: sqlite:///FILE, sqlcipher:///FILE (encrypted) or postgresql://USER@HOST/DATABASE.",
)
"""``--store URL``, handed to the command as ``store_url``."""


as_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--as", "username", metavar="USER", help="Only what this account may see or do."
)
"""``--as USER``, handed to the command as ``username``."""


def view_of(full_store: Store, username: str | None) -> Store:
    """Give the view that ``--as`` asks for; in the audit trail its lines name who runs the command too."""
    return full_store if username is None else full_store.as_user(username)


models_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--models",
    "models_folder",
    type=click.Path(path_type=Path),
    envvar="MBC_MODELS",
    show_envvar=True,
    metavar="DIR",
    help="Folder with model files KEY.SCALE.json, used instead of the clinic's own courses.",
)
"""``--models DIR``, handed to the command as ``models_folder``."""


def _use_instruments(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        from mbc.instruments.own.folders import using  # noqa: PLC0415 - only when it is asked for

        ctx.with_resource(using(folder))


instruments_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--instruments",
    "own_folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=_use_instruments,
    help="Folder with definition files of your own. [MBC_INSTRUMENTS]",
)
"""``--instruments DIR``: in force while the command runs."""
