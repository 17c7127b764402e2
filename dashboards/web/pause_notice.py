"""What somebody is told at their next sign-in after guesses at their password had paused it."""

from __future__ import annotations

from flask import session

from mbc.care.words import day_words
from mbc.store.accounts.own_account import PausedSignIns

_NOTICE = "paused"  # in the session, until the account's own page is opened


def keep_notice(paused: PausedSignIns | None) -> None:
    """Keep the words for the pages of this sign-in."""
    if paused is not None:
        session[_NOTICE] = notice_words(paused)


def notice(path: str | None = None, *, account_page: str = "/account") -> str:
    """Give the words that every page shows; empty where there are none, and once the account's page was opened."""
    if path == account_page:
        session.pop(_NOTICE, None)
    return str(session.get(_NOTICE, ""))


def notice_words(paused: PausedSignIns) -> str:
    """Say how often, where and when; no address, since others may look at the screen.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> notice_words(PausedSignIns(12, 2, datetime(2026, 3, 2, 14, 5, tzinfo=UTC)))
    'Signing in to your account was paused after at least 12 wrong attempts at 2 places, the last noted on 2 Mar 2026, 14:05 UTC. If that was not you, change your password and speak with your administrator.'
    """  # noqa: E501 - one sentence
    where = "one place" if paused.places == 1 else f"{paused.places} places"
    when = f"{day_words(paused.last.date())}, {paused.last:%H:%M} UTC"
    return (
        f"Signing in to your account was paused after at least {paused.attempts} wrong attempts at {where}, the "
        f"last noted on {when}. If that was not you, change your password and speak with your administrator."
    )
