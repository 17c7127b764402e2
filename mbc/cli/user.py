"""``mbc user``: who may sign in."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mbc.cli.options import store_option
from mbc.errors import SettingsError

if TYPE_CHECKING:
    from mbc.store import Role

_ROLES = ("clinician", "supervisor", "analyst", "researcher", "safety_lead", "administrator")

_from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


@click.group("user")
def command() -> None:
    """Say who may sign in to the dashboards, and as what.

    A password is asked for, or taken from MBC_PASSWORD or --password-stdin; never from the command line, where
    others on this machine could read it.
    """


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the account may see.")
@click.option("--clinician", "clinician_id", metavar="ID", help="Whose caseload: needed for role 'clinician'.")
@click.option("--display-name", metavar="TEXT", help="Add that clinician too, shown by this name.")
@click.option("--supervises", multiple=True, metavar="ID", help="For a supervisor; may be given several times.")
@click.option("--safety", is_flag=True, help="May read the safety channel of the clients in reach.")
@_from_stdin
@store_option
def add(
    name: str,
    *,
    role: Role,
    clinician_id: str | None,
    display_name: str | None,
    supervises: tuple[str, ...],
    safety: bool,
    password_stdin: bool,
    store_url: str,
) -> None:
    """Make an account called NAME."""
    from mbc.store import Clinician, Store  # noqa: PLC0415

    if display_name is not None and clinician_id is None:
        raise click.UsageError("--display-name names the clinician of --clinician ID; give both.")
    with Store.open(store_url) as store:
        password = _password(name, from_stdin=password_stdin)
        if display_name is not None and clinician_id is not None:
            with store.writing() as record:
                record.add(Clinician(clinician_id, display_name))
        user = store.accounts.add(
            name,
            password,
            role,
            clinician_id,
            permissions=("safety:read",) if safety else (),
            supervises=supervises,
        )
    click.echo(f"Account '{user.username}' can sign in as {user.role.replace('_', ' ')}.")


@command.command("list")
@store_option
def list_(store_url: str) -> None:
    """List the accounts."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts.table()
    if accounts.is_empty():
        click.echo("There is no account yet. Make one: mbc user add NAME --role clinician --clinician ID")
    for row in accounts.iter_rows(named=True):
        state = "" if row["active"] else "disabled"
        caseload = f"clinician {row['clinician_id']}" if row["clinician_id"] else ""
        click.echo(f"{row['username']:<24}{row['role']:<16}{caseload:<24}{state}".rstrip())


@command.command("disable")
@click.argument("name")
@store_option
def disable(name: str, store_url: str) -> None:
    """Stop account NAME from signing in; whoever is signed in with it is out at once."""
    _set_active(name, store_url, active=False)
    click.echo(f"Account '{name}' can no longer sign in.")


@command.command("enable")
@click.argument("name")
@store_option
def enable(name: str, store_url: str) -> None:
    """Let account NAME sign in again, also after too many wrong passwords."""
    _set_active(name, store_url, active=True)
    click.echo(f"Account '{name}' can sign in again.")


@command.command("password")
@click.argument("name")
@_from_stdin
@store_option
def password(name: str, *, password_stdin: bool, store_url: str) -> None:
    """Give account NAME another password."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts
        accounts.require(name)
        accounts.set_password(name, _password(name, from_stdin=password_stdin))
    click.echo(f"Account '{name}' has a new password; its earlier sign-ins have ended.")


def _set_active(name: str, store_url: str, *, active: bool) -> None:
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.set_active(name, active=active)


def _password(name: str, *, from_stdin: bool) -> str:
    """Get a password, good enough to be kept, by a way that other users of this machine cannot watch."""
    from mbc.store.access.password_rules import require_good  # noqa: PLC0415

    return require_good(_given_password(from_stdin=from_stdin), username=name)


def _given_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if "MBC_PASSWORD" in os.environ:
        return os.environ["MBC_PASSWORD"]
    if not sys.stdin.isatty():
        raise SettingsError(
            "A password is needed, and there is no terminal to ask on. Give it with --password-stdin or in "
            "MBC_PASSWORD."
        )
    return click.prompt("Password (at least 12 characters)", hide_input=True, confirmation_prompt=True, err=True)
