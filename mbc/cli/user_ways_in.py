"""Part of ``mbc user``: the ways in to an account, and who hears when signing in was paused."""

from __future__ import annotations

from datetime import datetime

import click

from mbc.cli.options import store_option
from mbc.errors import SettingsError

ROLES = ("clinician", "supervisor", "analyst", "researcher", "safety_lead", "administrator")


@click.command("second-factor")
@click.option(
    "--require", "roles", multiple=True, type=click.Choice(ROLES), help="Role; may be given several times."
)
@click.option("--require-none", is_flag=True, help="No role.")
@click.option(
    "--remove",
    "name",
    metavar="NAME",
    help="Remove the second factor of someone who lost their phone and recovery codes.",
)
@store_option
def second_factor(roles: tuple[str, ...], *, require_none: bool, name: str | None, store_url: str) -> None:
    """Say of which roles a second factor is required at each sign-in, or remove somebody's."""
    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.accounts.clinic_settings import factor_words  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts
        if name is not None:
            accounts.remove_factor(name)
            click.echo(f"Account '{name}' no longer has a second factor; it must sign in again.")
        if roles or require_none:
            accounts.require_factor(roles)
        required = accounts.factor_roles()
    click.echo(factor_words(required))


@click.command("second-person")
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@click.option("--none", "nobody", is_flag=True, help="No answer needs one.")
@store_option
def second_person(*, items: tuple[str, ...], nobody: bool, store_url: str) -> None:
    """Say which risk answers a second person looks at, or show them.

    ITEM is a questionnaire's key and item, such as phq9.i9, or its key for all of its items. Those that are not
    named need one person, as before.
    """
    from mbc.care.second_person import check_second_person  # noqa: PLC0415 - the command line stays quick
    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.accounts.clinic_settings import second_person_words  # noqa: PLC0415

    if items and nobody:
        raise click.UsageError("Name items, or give --none, not both.")
    try:
        check_second_person(items)
    except SettingsError as fault:
        raise click.UsageError(str(fault)) from None
    with Store.open(store_url) as store:
        if items or nobody:
            store.set_second_person_items(items)
        chosen = store.second_person_items()
    click.echo(second_person_words(chosen))


@click.command("notice")
@click.option("--to", "address", metavar="ADDRESS", help="Notify this address.")
@click.option("--none", "nobody", is_flag=True, help="Notify nobody.")
@store_option
def notice(*, address: str | None, nobody: bool, store_url: str) -> None:
    """Say who is written to when signing in was paused after wrong attempts, or show it.

    The message is sent by 'mbc serve --settings FILE', through the mail server of those settings.
    """
    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.accounts.clinic_settings import notice_words  # noqa: PLC0415

    if address is not None and nobody:
        raise click.UsageError("Give --to or --none, not both.")
    with Store.open(store_url) as store:
        if address is not None or nobody:
            store.accounts.set_notice_address(address)
        kept = store.accounts.notice_address()
    click.echo(notice_words(kept))


@click.command("bind")
@click.argument("name")
@click.argument("issuer")
@click.argument("subject")
@store_option
def bind(name: str, issuer: str, subject: str, store_url: str) -> None:
    """Let account NAME be signed in to through the account SUBJECT at the provider ISSUER.

    The provider is the clinic's own directory: see 'mbc serve --sign-in'.
    """
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.bind(name, issuer, subject)
    click.echo(f"Account '{name}' now signs in through {subject} at {issuer}.")


@click.command("unbind")
@click.argument("name")
@click.argument("issuer")
@store_option
def unbind(name: str, issuer: str, store_url: str) -> None:
    """Take the account at the provider ISSUER away from account NAME; whoever is signed in with it is out."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        store.accounts.unbind(name, issuer)
    click.echo(f"Account '{name}' no longer has an account at {issuer}.")


@click.command("passkeys")
@click.argument("name")
@click.option("--remove", is_flag=True, help="Remove all of them, for example if the device was lost.")
@store_option
def passkeys(name: str, *, remove: bool, store_url: str) -> None:
    """List the passkeys of account NAME."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        accounts = store.accounts
        username = accounts.require(name)
        if remove:
            accounts.remove_passkeys(username)
        kept = accounts.passkeys(username)
    for key in kept:
        used = moment(key.used_at) or "not used yet"
        click.echo(f"{key.label:<32}added {moment(key.added_at)}  last used {used}")
    if not kept:
        click.echo(f"Account '{username}' has no passkey.")


def moment(at: datetime | None) -> str:
    """Write a moment for the terminal."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
