"""Options that several commands share, so that they are called the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT_STORE = "sqlite:///clinic.db"

store_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--store",
    "store_url",
    envvar="MBC_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where the record is: sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
)
"""``--store URL``, handed to the command as ``store_url``."""


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
