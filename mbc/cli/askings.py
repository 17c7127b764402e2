"""What the commands about askings share: the clinic's settings, and where the box is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import Decorator

if TYPE_CHECKING:
    from mbc.box.box import Box
    from mbc.care.askings.settings import AskingSettings
    from mbc.store import Store

_STOP_SECONDS = 10
# what a process needs that may know nothing of the record
_PASSED_ON = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "PYTHONWARNINGS"}
)

settings_option: Decorator = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MBC_ASKING",
    show_envvar=True,
    metavar="FILE",
    help="The clinic's settings for questions by link, as TOML: address, expiry, help text, mail.",
)
"""``--settings FILE``, handed to the command as ``settings_file``."""


def read_settings_of(settings_file: Path | None) -> AskingSettings:
    """Read the clinic's settings."""
    from mbc.care.askings.settings import read_settings  # noqa: PLC0415 - the command line stays quick

    return read_settings(settings_file)


def box_path(settings: AskingSettings, store_url: str) -> Path:
    """Find the box: where the settings say, else next to the record's file."""
    from mbc.errors import SettingsError  # noqa: PLC0415 - the command line stays quick
    from mbc.store.database.addresses import address, file_of  # noqa: PLC0415

    if settings.box is not None:
        return Path(settings.box)
    record = file_of(address(store_url))
    if record is None:
        raise SettingsError('Say where the answer box is: box = "FILE" in the settings (--settings FILE).')
    return record.with_suffix(".box")


def settings_of_pages(settings_file: Path | None, store_url: str) -> AskingSettings | None:
    """Read the settings for the pages, with the place of the box; None where there is no file."""
    if settings_file is None:
        return None
    settings = read_settings_of(settings_file)
    return settings.model_copy(update={"box": str(box_path(settings, store_url))})


def open_box(settings: AskingSettings, store_url: str) -> Box:
    """Open the box of a record."""
    from mbc.box.box import Box  # noqa: PLC0415 - the command line stays quick

    return Box(box_path(settings, store_url))


without_box_option: Decorator = click.option(
    "--without-box", is_flag=True, help="The answer box no longer exists: erase anyway."
)
"""``--without-box``: erase although the box cannot be cleared."""


@contextmanager
def clearing_of_box(
    store: Store, client_id: str, settings_file: Path | None, *, without_box: bool
) -> Generator[None]:
    """Clear the box of what is a client's, once the block has erased them.

    Raises
    ------
    SettingsError
        Before anything is erased: if the box is not found, and something of the client may be in it.
    """
    from mbc.box.box import Box  # noqa: PLC0415 - the command line stays quick
    from mbc.care.askings.clear_box import clearing  # noqa: PLC0415

    path = None if without_box else _box_with(store, client_id, settings_file)
    if path is None:
        yield
        return
    with closing(Box(path)) as box, clearing(store, box, client_id):
        yield


def _box_with(store: Store, client_id: str, settings_file: Path | None) -> Path | None:
    from mbc.errors import SettingsError  # noqa: PLC0415 - the command line stays quick

    try:
        path = box_path(read_settings_of(settings_file), store.url)
        if path.is_file():
            return path
    except SettingsError:
        if settings_file is not None:
            raise
    if store.askings(client_id)["collected_at"].null_count() == 0:
        return None
    raise SettingsError(
        f"{client_id} was sent questions to answer on their own device, but the answer box was not found. Name "
        "the settings that say where it is: --settings FILE. If it no longer exists: --without-box"
    )


with_parent_option: Decorator = click.option("--with-parent", is_flag=True, hidden=True)
"""``--with-parent``: end when the program ends that started this one, however that happens."""


def end_with_parent() -> None:
    """End this process when nobody holds the other end of its input any more."""

    def wait() -> None:
        while os.read(0, 1024):  # not by sys.stdin: a thread that holds its lock would stop Python from ending
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def companion(arguments: Sequence[str], *, has_record: bool) -> Generator[str]:
    """Run another mbc command as long as the block lasts; gives the first line that it prints.

    Parameters
    ----------
    arguments : sequence of str
        Of the command; it takes ``--with-parent``.
    has_record : bool
        Whether it gets this program's environment, which may lead to the record; else only what any program needs.
    """
    environment = dict(os.environ)
    if not has_record:
        environment = {name: value for name, value in environment.items() if name in _PASSED_ON}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "mbc", *arguments, "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C is for this program, which then ends that one
    )
    try:
        yield process.stdout.readline() if process.stdout else ""
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
