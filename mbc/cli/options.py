"""Options that several commands share, so that they are called the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
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
