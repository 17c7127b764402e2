"""``mbc start``: one person's own record, made at the first start and opened in the browser."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.askings import settings_of_pages
from mbc.cli.browser import open_browser
from mbc.cli.options import models_option
from mbc.cli.own_record import VARIABLE, OpenMark, OwnRecord
from mbc.cli.serve import end_cleanly, require_pages, start_questionnaire
from mbc.errors import SettingsError

if TYPE_CHECKING:
    from socket import socket

    from mbc.store import Store

_HOST, _PORT = "127.0.0.1", 8060  # not the demo's: both may be open
_ASKING = "asking.toml"  # the practice's settings about asking clients, if it has any
_CLINICIAN = "K01"
_BUSY_SECONDS = 3
_TRIES = 3
_DISK = "Turn on the encryption of this computer's disk (FileVault, BitLocker, LUKS), or run: mbc encrypt"


@click.command("start")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=VARIABLE,
    show_envvar=True,
    metavar="DIR",
    help="Folder of the record [this system's folder for your data].",
)
@click.option("--name", metavar="NAME", help="Your user name, for the first start; asked for if not given.")
@click.option(
    "--encrypted/--plain",
    default=None,
    help="Whether the new record is encrypted [yes, where this computer can remember the key].",
)
@click.option(
    "--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 chooses a free one."
)
@click.option("--browser/--no-browser", default=True, help="Open the browser (the default), or not.")
@click.option("--where", is_flag=True, help="Only print the address of the record.")
@models_option
def command(
    *,
    folder: Path | None,
    name: str | None,
    encrypted: bool | None,
    port: int,
    browser: bool,
    where: bool,
    models_folder: Path | None,
) -> None:
    """Open your own record in the browser; Ctrl-C stops it. The next day, the same command opens it again.

    For one person with one computer. The first start asks for a user name and a password, makes the record in this
    system's folder for your data and says where that is. Nobody but this computer can reach the pages.

    The other commands use this record too when neither --store nor MBC_STORE names one and there is no clinic.db
    in the current folder: 'mbc backup FOLDER' copies it to a stick.

    With a file asking.toml in that folder, clients can answer on this computer: see 'mbc serve --settings'.
    """
    record = OwnRecord.at(folder)
    if where:
        click.echo(record.address())
        return
    require_pages()
    end_cleanly()
    record.make_folder()
    mark = OpenMark(record)
    if not mark.take():
        _open_again(mark.address(), browser=browser)
        return
    try:
        _open(record, mark, port, name=name, encrypted=encrypted, browser=browser, models=models_folder)
    finally:
        mark.give_back()


def _open_again(address: str, *, browser: bool) -> None:
    """Lead to the pages of a record that is open already."""
    if not address:
        raise SettingsError("Your record is being opened by another 'mbc start'. Wait until that one is ready.")
    opened = browser and open_browser(address)
    click.echo(f"Your record is already open at {address}{'; the browser shows it.' if opened else ''}")


def _open(
    record: OwnRecord,
    mark: OpenMark,
    port: int,
    *,
    name: str | None,
    encrypted: bool | None,
    browser: bool,
    models: Path | None,
) -> None:
    from dashboards.server.run import listen  # noqa: PLC0415 - the pages are loaded only when they are served

    listening = listen(_HOST, port)
    try:
        username = _account(record, name, encrypted=encrypted)
        _serve(record, mark, listening, username, browser=browser, models=models)
    finally:
        listening.close()


def _serve(
    record: OwnRecord, mark: OpenMark, listening: socket, username: str, *, browser: bool, models: Path | None
) -> None:
    from dashboards.server import preparation  # noqa: PLC0415 - as above
    from dashboards.server.log import set_up_log  # noqa: PLC0415
    from dashboards.server.run import Serving, serve  # noqa: PLC0415
    from dashboards.settings import Settings  # noqa: PLC0415
    from dashboards.web.rate_limit import RateLimits  # noqa: PLC0415

    url, port = record.address(), listening.getsockname()[1]
    asking = record.folder / _ASKING if (record.folder / _ASKING).exists() else None
    prepared = preparation.prepare(url)
    for warning in prepared.warnings:
        click.secho(warning, fg="yellow", err=True)
    settings = Settings(
        secret_key=prepared.secret_key,
        port=port,
        hosts=frozenset({"localhost"}),
        models=models,
        personal=True,
        asking=settings_of_pages(asking, url),
    )

    def ready(address: str) -> None:
        mark.write(address)
        opened = browser and open_browser(address)
        click.echo(f"Your record: {record.file}")
        click.echo(f"Open at {address}{', in your browser' if opened else ''}. Sign in as {username}.")
        click.echo("Ctrl-C in this window stops it. To open it again: mbc start")
        sys.stdout.flush()  # read by programs that wait for it

    set_up_log("text")
    opening = partial(preparation.open_prepared, url, settings, RateLimits(), prepared.passphrase)
    with ExitStack() as companions:
        if asking is not None:
            for line in start_questionnaire(companions, url, asking, _HOST, port + 1):
                click.echo(line)
        serve(Serving(opening, listening), ready=ready)


def _account(record: OwnRecord, name: str | None, *, encrypted: bool | None) -> str:
    """Give whose record it is; makes the record and the account where there is none."""
    from mbc.store import Store  # noqa: PLC0415 - quick help texts

    if record.exists():
        with Store.open(record.address(), busy_seconds=_BUSY_SECONDS) as store:
            accounts = store.accounts.table()
            clinicians = accounts.filter(role="clinician")
            if not clinicians.is_empty():
                return str(clinicians["username"][0])
            username, password = _ask(record, name)
            return _add_account(store, username, password)
    username, password = _ask(record, name)
    key = _key(record.file, password, encrypted=encrypted)
    with Store.create(record.address(encrypted=key is not None), key=key) as store:
        return _add_account(store, username, password)


def _add_account(store: Store, username: str, password: str) -> str:
    from mbc.store import Clinician  # noqa: PLC0415

    with store.writing() as record:
        record.add(Clinician(_CLINICIAN, username))
    user = store.accounts.add(username, password, "clinician", _CLINICIAN, permissions=("safety:read",))
    return user.username


def _ask(record: OwnRecord, name: str | None) -> tuple[str, str]:
    """Ask for a user name and a password, each until it is accepted."""
    from mbc.store.access.leaked_passwords import check_leaked_passwords  # noqa: PLC0415

    check_leaked_passwords()
    given = os.environ.get("MBC_PASSWORD")
    if not _is_terminal() and (name is None or given is None):
        raise SettingsError(
            "The first start asks for a user name and a password, and there is no terminal to ask on. Run "
            "'mbc start' in a terminal, or give --name NAME, and the password in MBC_PASSWORD."
        )
    click.echo(f"This is the first start. Your record will be kept in {record.folder}")
    click.echo("To look at a clinic with invented people first: mbc demo --open, in another window.\n")
    username = _checked_name(name) if name is not None else _asked_name()
    password = _checked_password(given, username) if given is not None else _asked_password(username)
    return username, password


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _asked_name() -> str:
    for _ in range(_TRIES):
        try:
            return _checked_name(click.prompt("Choose a user name (for example: ann)", err=True))
        except SettingsError as fault:
            click.secho(str(fault), fg="yellow", err=True)
    raise SettingsError("No user name was chosen. Nothing was created; run this again.")


def _asked_password(username: str) -> str:
    for _ in range(_TRIES):
        text = click.prompt(
            "Choose a password (at least 12 characters; a few unrelated words)",
            hide_input=True,
            confirmation_prompt="Repeat the password",
            err=True,
        )
        try:
            return _checked_password(text, username)
        except SettingsError as fault:
            click.secho(str(fault), fg="yellow", err=True)
    raise SettingsError("No password was chosen. Nothing was created; run this again.")


def _checked_name(name: str) -> str:
    from mbc.store.accounts.account_rows import account_name  # noqa: PLC0415

    return account_name(name)


def _checked_password(text: str, username: str) -> str:
    """Hold a password to the rules of a sign-in and of a record's key: it may become both."""
    from mbc.store.access.password_rules import require_good  # noqa: PLC0415

    require_good(text, username="clinic")
    return require_good(text, username=username)


def _key(file: Path, password: str, *, encrypted: bool | None) -> str | None:
    """Decide whether the new record is encrypted: its key is then the password, which this computer remembers."""
    if encrypted is False:
        click.echo(f"\nThe record is not encrypted. {_DISK}")
        return None
    remembered = _remember(file, password)
    if not remembered and not encrypted:
        click.echo(f"\nThe record is not encrypted: this computer has no place to remember a key. {_DISK}")
        return None
    click.echo(
        "\nThe record is encrypted, and its key is the password that you chose. "
        + ("This computer remembers it. " if remembered else "It is asked for at every start. ")
        + "You need it on another computer and to open a backup: keep it on paper, in a safe place. Nobody can "
        "open the record without it. Changing your sign-in password does not change it; 'mbc key change' does."
    )
    return password


def _remember(file: Path, password: str) -> bool:
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415

    try:
        keys.remember(file, keys.Passphrase(password, keys.TYPED))
    except SettingsError:
        return False
    return keys.is_remembered(file)
