"""``mbc user``: who may sign in."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from mbc.cli.options import store_option
from mbc.cli.user_ways_in import (
    ROLES,
    bind,
    moment,
    notice,
    passkeys,
    second_factor,
    second_person,
    unbind,
)
from mbc.errors import SettingsError

if TYPE_CHECKING:
    from mbc.store import Permission, Role

_from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


@click.group("user")
def command() -> None:
    """Say who may sign in to the dashboards, and as what.

    A password is asked for, or taken from MBC_PASSWORD or --password-stdin; never from the command line, where
    others on this machine could read it. With MBC_LEAKED_PASSWORDS, one that is known to have leaked is refused.
    """


for _part in (second_factor, second_person, passkeys, bind, unbind, notice):
    command.add_command(_part)


@command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the account may see.")
@click.option(
    "--clinician",
    "clinician_id",
    metavar="ID",
    help="Clinician whose caseload it is: required for role 'clinician'.",
)
@click.option("--display-name", metavar="TEXT", help="Also add that clinician, with this display name.")
@click.option("--supervises", multiple=True, metavar="ID", help="For a supervisor; may be given several times.")
@click.option("--safety", is_flag=True, help="May read the safety channel of the clients it has access to.")
@click.option(
    "--link", "by_link", is_flag=True, help="Do not ask for a password: print a one-time link to choose one."
)
@_from_stdin
@store_option
def add(  # noqa: PLR0913 - an option each
    name: str,
    *,
    role: Role,
    clinician_id: str | None,
    display_name: str | None,
    supervises: tuple[str, ...],
    safety: bool,
    by_link: bool,
    password_stdin: bool,
    store_url: str,
) -> None:
    """Make an account called NAME."""
    from mbc.store import Clinician, Store  # noqa: PLC0415

    if display_name is not None and clinician_id is None:
        raise click.UsageError("--display-name names the clinician of --clinician ID; give both.")
    _check_leaked_passwords()
    with Store.open(store_url) as store:
        password = None if by_link else _password(name, from_stdin=password_stdin)
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
        token = str(store.accounts.make_link(user.username)) if by_link else None
    click.echo(f"Account '{user.username}' can sign in as {user.role.replace('_', ' ')}.")
    if token is not None:
        _print_link(user.username, token)


@command.command("list")
@store_option
def list_(store_url: str) -> None:
    """List the accounts: role, caseload, permissions on top of the role, whom a supervisor supervises, state."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts.table()
    if accounts.is_empty():
        click.echo("There is no account yet. Create one: mbc user add NAME --role clinician --clinician ID")
    for row in accounts.iter_rows(named=True):
        caseload = f"clinician {row['clinician_id']}" if row["clinician_id"] else ""
        parts = [
            ", ".join(row["permissions"]),
            f"supervises {', '.join(row['supervises'])}" if row["supervises"] else "",
            "" if row["active"] else "disabled",
        ]
        about = "; ".join(filter(None, parts))
        click.echo(f"{row['username']:<24}{row['role']:<16}{caseload:<24}{about}".rstrip())


@command.command("show")
@click.argument("name")
@store_option
def show(name: str, store_url: str) -> None:
    """Show what account NAME may do, since when, and who gave it."""
    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.accounts.accounts import ways_in_words  # noqa: PLC0415

    with Store.open(store_url) as store:
        account = store.accounts.describe(name)
        ways_in = ways_in_words(store.accounts, account.username)
    role = account.role.replace("_", " ")
    click.echo(f"{account.username}: {role}{'' if account.active else ', disabled'}")
    click.echo(f"  caseload        {account.clinician_id or 'none'}")
    click.echo(f"  by its role     {', '.join(account.role_permissions) or 'nothing beyond the role'}")
    click.echo(f"  granted         {', '.join(account.permissions) or 'nothing'}")
    if account.role == "supervisor":
        click.echo(f"  supervises      {', '.join(account.supervises) or 'nobody'}")
    click.echo(f"  ways in         {ways_in}")
    click.echo(f"  last sign-in    {moment(account.last_sign_in) or 'never'}")
    reviewed = f"{moment(account.reviewed_at)} by {account.reviewed_by}" if account.reviewed_at else "never"
    click.echo(f"  reviewed        {reviewed}")
    for change in account.changes:
        click.echo(
            f"  {moment(change.at)}  {change.action}  {change.about}  by {change.who}".replace("    ", "  ")
        )


@command.command("grant")
@click.argument("name")
@click.argument("permission")
@store_option
def grant(name: str, permission: Permission, store_url: str) -> None:
    """Grant account NAME a PERMISSION on top of its role: safety:read, demographics:read, clinicians:compare."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.grant(name, permission)
    click.echo(f"Account '{name}' now has the permission {permission}; it must sign in again.")


@command.command("revoke")
@click.argument("name")
@click.argument("permission")
@store_option
def revoke(name: str, permission: str, store_url: str) -> None:
    """Withdraw a PERMISSION from account NAME; whoever is signed in with it is out at once."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.withdraw(name, permission)
    click.echo(f"Account '{name}' no longer has the permission {permission}.")


@command.command("supervise")
@click.argument("name")
@click.argument("clinician_ids", metavar="CLINICIAN...", nargs=-1, required=True)
@store_option
def supervise(name: str, clinician_ids: tuple[str, ...], store_url: str) -> None:
    """Let supervisor NAME see the clients of more clinicians."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.supervise(name, clinician_ids)
    click.echo(f"Account '{name}' now supervises {', '.join(clinician_ids)}.")


@command.command("unsupervise")
@click.argument("name")
@click.argument("clinician_ids", metavar="CLINICIAN...", nargs=-1, required=True)
@store_option
def unsupervise(name: str, clinician_ids: tuple[str, ...], store_url: str) -> None:
    """End the supervision of some clinicians by supervisor NAME."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.unsupervise(name, clinician_ids)
    click.echo(f"Account '{name}' no longer supervises {', '.join(clinician_ids)}.")


@command.command("review")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@store_option
def review(names: tuple[str, ...], store_url: str) -> None:
    """List the accounts by the day of their last access review, or write down that each NAME was reviewed.

    A review means: somebody looked at what the account may do ('mbc user show NAME') and found it right. The
    accounts that were never reviewed, or longest ago, come first.
    """
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts
        for name in [accounts.require(name) for name in names]:
            accounts.review(name)
        table = accounts.table().sort("reviewed_at", "username", nulls_last=False)
    for row in table.iter_rows(named=True):
        if names and row["username"] not in {name.strip().casefold() for name in names}:
            continue
        when = f"{row['reviewed_at']:%Y-%m-%d} by {row['reviewed_by']}" if row["reviewed_at"] else "never reviewed"
        granted = ", ".join([*row["permissions"], *(f"supervises {name}" for name in row["supervises"])])
        seen = f"{row['last_sign_in']:%Y-%m-%d}" if row["last_sign_in"] else "never"
        state = "" if row["active"] else "  disabled"
        click.echo(
            f"{row['username']:<24}{row['role']:<16}{when:<34}last sign-in {seen}  {granted}{state}".rstrip()
        )


@command.command("link")
@click.argument("name")
@store_option
def link(name: str, store_url: str) -> None:
    """Make a link with which the owner of account NAME chooses a password, once, within three days."""
    from mbc.store import Store  # noqa: PLC0415

    _check_leaked_passwords()
    with Store.open(store_url) as store:
        made = store.accounts.make_link(name)
    _print_link(name, str(made))


@command.command("requests")
@store_option
def requests(store_url: str) -> None:
    """List what administrators asked for and somebody else has to confirm."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        waiting = store.accounts.requests()
    if not waiting:
        click.echo("No request is pending.")
    for request in waiting:
        asked = f"asked for by {request.asked_by} on {request.asked_at:%Y-%m-%d}"
        click.echo(f"{request.number}  {request.about}: {request.words}; {asked}")


@command.command("confirm")
@click.argument("number")
@store_option
def confirm(number: str, store_url: str) -> None:
    """Confirm the request NUMBER of 'mbc user requests'."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        confirmed = store.accounts.confirm(number)
    click.echo(f"Confirmed for {confirmed.request.about}: {confirmed.request.words}.")
    if confirmed.link is not None:
        _print_link(confirmed.request.username, confirmed.link)


@command.command("decline")
@click.argument("number")
@store_option
def decline(number: str, store_url: str) -> None:
    """Decline the request NUMBER of 'mbc user requests'."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.decline(number)
    click.echo("Declined. Nothing was changed.")


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

    _check_leaked_passwords()
    with Store.open(store_url) as store:
        accounts = store.accounts
        accounts.require(name)
        accounts.set_password(name, _password(name, from_stdin=password_stdin))
    click.echo(f"Account '{name}' has a new password; its earlier sign-ins have ended.")


def _print_link(name: str, token: str) -> None:
    click.echo(f"For '{name}' alone, once, within three days; put the address of your server in front:")
    click.echo(f"  /new-password/{token}")


def _set_active(name: str, store_url: str, *, active: bool) -> None:
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.set_active(name, active=active)


def _check_leaked_passwords() -> None:
    """Refuse a file of leaked passwords that cannot be used, before a password is asked for."""
    from mbc.store.access.leaked_passwords import check_leaked_passwords  # noqa: PLC0415

    check_leaked_passwords()


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
