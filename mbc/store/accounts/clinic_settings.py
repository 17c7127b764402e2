"""What the clinic has decided for everybody: a row for each setting, and a line of the audit log for each change.

The words for what holds are here too, so that pages and commands say the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from mbc.errors import SettingsError
from mbc.store.access.roles import ROLES
from mbc.store.audit.log import Audit, append
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

SETTING_CHANGED = "setting changed"
_LONGEST_ADDRESS = 254


def read_setting(connection: Connection, name: str) -> Any:
    """Give what the clinic has decided; None where it has decided nothing."""
    value = connection.execute(select(t.setting.c.value).where(t.setting.c.name == name)).scalar()
    return None if value is None else json.loads(value)


def write_setting(connection: Connection, audit: Audit, name: str, value: Any, **detail: str) -> None:
    """Keep a decision of the clinic, with its line in the audit log, inside a transaction that writes."""
    text = json.dumps(value)
    connection.execute(delete(t.setting).where(t.setting.c.name == name))
    connection.execute(insert(t.setting), {"name": name, "value": text})
    append(connection, [audit.line(SETTING_CHANGED, name=name, value=text, **detail)])


def factor_words(roles: Collection[str]) -> str:
    """Say of which roles a second factor is required.

    Examples
    --------
    >>> factor_words(["safety_lead", "clinician"]), factor_words([])
    ('A second factor is required for: clinician, safety lead.', 'No role requires a second factor.')
    """
    named = [role.replace("_", " ") for role in ROLES if role in roles]
    return (
        f"A second factor is required for: {', '.join(named)}." if named else "No role requires a second factor."
    )


def retention_words(years: int | None) -> str:
    """Say how long records are kept.

    Examples
    --------
    >>> retention_words(10)
    'Records are kept for 10 years after the last contact. Nothing is erased automatically.'
    """
    if years is None:
        return "The clinic has not set how long records are kept. Nothing is erased automatically."
    kept = "1 year" if years == 1 else f"{years} years"
    return f"Records are kept for {kept} after the last contact. Nothing is erased automatically."


def notice_words(address: str | None) -> str:
    """Say who is written to when signing in was paused.

    Examples
    --------
    >>> notice_words(None)
    'Nobody is written to when signing in was paused after wrong attempts.'
    """
    whom = "Nobody is" if address is None else f"{address} is"
    return f"{whom} written to when signing in was paused after wrong attempts."


def signal_words(cooldown_days: int, follow_sessions: int) -> str:
    """Say what the clinic's rules for signals are.

    Examples
    --------
    >>> signal_words(28, 1)
    'An answered signal is paused for 28 days; what followed is assessed after 1 session.'
    """
    days = "1 day" if cooldown_days == 1 else f"{cooldown_days} days"
    sessions = "1 session" if follow_sessions == 1 else f"{follow_sessions} sessions"
    return f"An answered signal is paused for {days}; what followed is assessed after {sessions}."


def second_person_words(items: Collection[str]) -> str:
    """Say which risk answers a second person looks at.

    Examples
    --------
    >>> second_person_words(["phq9.i9", "hits"]), second_person_words([])
    ('A second person reviews: hits, phq9.i9.', 'No answer needs a second person.')
    """
    return f"A second person reviews: {', '.join(sorted(items))}." if items else "No answer needs a second person."


def require_address(address: str) -> str:
    """Write a mail address as it is kept, or refuse it.

    Raises
    ------
    SettingsError
        If it is not one plain address.
    """
    plain = address.strip()
    name, at, domain = plain.rpartition("@")
    odd = not plain.isprintable() or any(sign in plain for sign in ' ,;:<>"()[]\\')
    if not (name and at and domain) or odd or "@" in name or len(plain) > _LONGEST_ADDRESS:
        raise SettingsError(f"One mail address is needed, such as office@example.org; got {quote(address)}.")
    return plain
