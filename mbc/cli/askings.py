"""What the commands about askings share: the clinic's settings, and where the box is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import Decorator

if TYPE_CHECKING:
    from mbc.box.box import Box
    from mbc.care.askings.settings import AskingSettings

settings_option: Decorator = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MBC_ASKING",
    show_envvar=True,
    metavar="FILE",
    help="What the clinic has decided about asking, as TOML: address, expiry, help text, mail.",
)
"""``--settings FILE``, handed to the command as ``settings_file``."""


def read_settings_of(settings_file: Path | None) -> AskingSettings:
    """Read the clinic's settings."""
    from mbc.care.askings.settings import read_settings  # noqa: PLC0415 - the command line stays quick

    return read_settings(settings_file)


def box_path(settings: AskingSettings, store_url: str) -> Path:
    """Find the box: where the settings say, else next to the record's file."""
    from mbc.errors import SettingsError  # noqa: PLC0415 - the command line stays quick
    from mbc.store.database.engine import address, file_of  # noqa: PLC0415

    if settings.box is not None:
        return Path(settings.box)
    record = file_of(address(store_url))
    if record is None:
        raise SettingsError('Say where the box of the askings is: box = "FILE" in the settings (--settings FILE).')
    return record.with_suffix(".box")


def open_box(settings: AskingSettings, store_url: str) -> Box:
    """Open the box of a record."""
    from mbc.box.box import Box  # noqa: PLC0415 - the command line stays quick

    return Box(box_path(settings, store_url))
