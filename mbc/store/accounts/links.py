"""One-time links: how somebody chooses a password of their own without anybody else ever knowing one.

A link is kept in the audit log as a digest of its secret part. It is valid for three days, and until a password
was given, another link was made or the account was disabled, whichever comes first.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from mbc.errors import AccessDenied, NotInRecord
from mbc.store.accounts import account_state as states
from mbc.store.accounts.grants import AccessRequest, Grants
from mbc.store.accounts.passwords import hash_of
from mbc.store.audit.hash_chain import parse_details
from mbc.store.audit.log import lock_log
from mbc.store.audit.recent_events import fingerprint
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t

LINK_MADE = "link made"
LINK_FOR = timedelta(days=3)
_VOID = "That link is not valid: it was used, replaced, or is older than three days. Ask for another."


class Links(Grants):
    """One-time links of accounts."""

    def make_link(self, username: str) -> str | AccessRequest:
        """Make a link with which somebody chooses their password, once. Earlier links of theirs are void.

        Returns
        -------
        str or AccessRequest
            The secret part of the link: shown now and never again. For an administrator, where the account reaches
            the safety channel or other accounts: what somebody else has to confirm, who then gets the link.

        Raises
        ------
        NotInRecord
            If there is no such account.
        AccessDenied
            If the account is disabled, or an administrator's own.
        """
        name = self.require(username)
        if not self._state(name).active:
            raise AccessDenied(f"Account '{name}' is disabled. Enable it first.")
        if self._asks and name == self._scope.who:
            raise AccessDenied("Change your own password under 'My account'.")
        if self._asks and self._is_guarded(name):
            return self._request("password link", name)
        return self._make_link(name)

    def link_account(self, token: str) -> str | None:
        """Give the account that a link is for; None if it is not valid, or no longer."""
        with engines.reading(self._engine) as connection:
            return _account_of(connection, token, self._clock())

    def use_link(self, token: str, password: str) -> str:
        """Give an account the password that its owner chose, by a link, which is used up by it.

        Raises
        ------
        NotInRecord
            If the link is not valid, or no longer.
        SettingsError
            If the password is not good enough; the link stays valid.
        """
        expected = self.link_account(token)
        if expected is None:
            raise NotInRecord(_VOID)
        hashed = hash_of(password, username=expected)
        with engines.writing(self._engine) as connection:
            lock_log(connection)  # two uses at the same moment: the second meets a link that is used up
            name = _account_of(connection, token, self._clock())
            if name is None or name != expected:
                raise NotInRecord(_VOID)
            # whoever had the account before, or made it, may have added a passkey
            connection.execute(delete(t.passkey).where(t.passkey.c.username == name))
            self._change(connection, name, password_hash=hashed, failures=0, locked_until=None)
            self._write(connection, states.PASSWORD, name, who=name, by="one-time link")
        return name

    def _make_link(self, name: str) -> str:
        token = secrets.token_urlsafe(32)
        self._note(LINK_MADE, name, sign_in=fingerprint(token))
        return token


def _account_of(connection: Connection, token: str, now: datetime) -> str | None:
    c = t.audit.c
    kinds = (LINK_MADE, states.PASSWORD, states.DISABLED, states.ENABLED)
    query = select(c.at, c.action, c.subject, c.detail).where(c.action.in_(kinds), c.at > now - LINK_FOR)
    valid: dict[str, str] = {}  # account -> digest of its latest link
    for row in connection.execute(query.order_by(c.sequence)):
        if row.subject is None:
            continue
        if row.action == LINK_MADE:
            valid[row.subject] = str(parse_details(row.detail).get("sign_in"))
        elif row.action != states.ENABLED:
            valid.pop(row.subject, None)
    named = next((name for name, digest in valid.items() if digest == fingerprint(token)), None)
    if named is None:
        return None
    active = connection.execute(select(t.account.c.active).where(t.account.c.username == named)).scalar()
    return named if active else None
