"""Sign-ins through the clinic's own directory: whose account at the provider belongs to which account here.

A sign-in is matched by the subject that an administrator has named for an account, or, where the clinic has chosen
so, by a user name that the provider vouches for. Nothing is guessed, and no account is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from mbc.errors import Conflict, NotInRecord, SettingsError
from mbc.store.access.roles import User
from mbc.store.accounts import account_state as states
from mbc.store.accounts.account_rows import NOBODY
from mbc.store.accounts.grants import AccessRequest
from mbc.store.accounts.notices import Notices
from mbc.store.accounts.sign_ins import unknown_counters
from mbc.store.audit.log import append
from mbc.store.audit.recent_events import PROVIDER_SIGN_OUT, fingerprint
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

_LONGEST = 255  # of a subject, as OpenID Connect has it


class ProviderAccounts(Notices):
    """Accounts at the clinic's provider."""

    def provider_accounts(self, username: str) -> tuple[tuple[str, str], ...]:
        """Give the accounts at a provider, as issuer and subject, that an account here was given."""
        c = t.provider_account.c
        query = select(c.issuer, c.subject).where(c.username == self.require(username)).order_by(c.issuer)
        with engines.reading(self._engine) as connection:
            return tuple((row.issuer, row.subject) for row in connection.execute(query))

    def bind(self, username: str, issuer: str, subject: str) -> AccessRequest | None:
        """Let an account be signed in to by one account at a provider.

        For an administrator it is a request where the account reaches the safety channel or other accounts.

        Returns
        -------
        AccessRequest or None
            What somebody else has to confirm; None when it is done.

        Raises
        ------
        NotInRecord
            If there is no such account here.
        SettingsError
            If issuer or subject cannot be one.
        Conflict
            If the subject belongs to an account already, or the account has one at this provider.
        """
        name, values = self.require(username), (_plain(issuer, "issuer"), _plain(subject, "subject"))
        self._require_unbound(name, *values)
        if self._asks and (name == self._scope.who or self._is_guarded(name)):
            return self._request("provider account", name, values)
        self._bind(name, values)
        return None

    def unbind(self, username: str, issuer: str) -> None:
        """Take an account at a provider away; whoever is signed in with the account is out at once.

        Raises
        ------
        NotInRecord
            If the account has none there.
        """
        name, c = self.require(username), t.provider_account.c
        with engines.writing(self._engine) as connection:
            gone = connection.execute(
                delete(t.provider_account).where(c.username == name, c.issuer == issuer.strip())
            )
            if not gone.rowcount:
                raise NotInRecord(f"Account '{name}' has no account at {quote(issuer)}.")
            self._change(connection, name)
            self._write(connection, states.UNBOUND, name)

    def sign_in_by_provider(
        self, issuer: str, subject: str, *, named: str | None = None, address: str = "", complete: bool = False
    ) -> User | None:
        """Find who is signed in by an account at the provider, which has just been proved.

        Parameters
        ----------
        issuer, subject : str
            As the provider's token has them.
        named : str, optional
            A user name that the provider vouches for, where the clinic matches by it. An account that was given
            another subject there is not matched by name.
        address : str
            Where from.
        complete : bool
            The clinic leaves the second factor to the provider.

        Returns
        -------
        User or None
            None if no active account belongs to it.
        """
        name = self._matched(issuer, subject, named)
        account = None if name is None else self._row(name)
        if account is None or not account["active"]:
            counters = unknown_counters(address)
            self._reserve(counters)
            self._refuse(
                None if account is None else name, counters,
                "account at the provider not known here" if account is None else "disabled",
            )  # fmt: skip
            return None
        if complete or not self.has_factor(account["username"]):
            self._note("sign-in", account["username"], who=account["username"], by="provider")
        return self.active(account["username"])

    def provider_state(self, issuer: str, subject: str, session: str | None) -> dict[str, str]:
        """Give what the provider has ended until now that a sign-in depends on; it holds for as long as this does.

        Parameters
        ----------
        issuer, subject : str
            As the provider's token had them.
        session : str or None
            The provider's own session, where the token named it.

        Returns
        -------
        dict
            Of the provider's account and session, as digests, the last message about each; for
            `has_provider_ended`.
        """
        by_session = _digest("session", issuer, session) if session else _digest("no session", issuer, subject)
        return self._recent.provider_messages((_digest("subject", issuer, subject), by_session))

    def has_provider_ended(self, state: Mapping[str, str]) -> bool:
        """Say whether the provider has ended a sign-in since `provider_state` was asked."""
        return self._recent.provider_messages(state) != state

    def sign_out_by_provider(self, issuer: str, *, subject: str | None, session: str | None, message: str) -> bool:
        """End the sign-ins that the provider says are over.

        With a session, those that began in it, and those of the subject of which no session is known; with a
        subject alone, every sign-in by it, and every sign-in of the account that it was given to.

        Parameters
        ----------
        issuer : str
            Who says so.
        subject, session : str or None
            As the provider's token has them; one of them is there.
        message : str
            The token's own number: each is taken once.

        Returns
        -------
        bool
            False if this message was taken before; nothing was done then.
        """
        number = _digest("message", issuer, message)
        if self._recent.has_message(number):
            return False
        if session is None:
            ended = [_digest("subject", issuer, subject)]
        else:
            ended = [_digest("session", issuer, session)]
            ended += [] if subject is None else [_digest("no session", issuer, subject)]
        name = None if subject is None else self._matched(issuer, subject, None)
        line = self._audit.line(PROVIDER_SIGN_OUT, subject=name, message=number, ended=ended)
        with engines.writing(self._engine) as connection:
            if name is not None and session is None:
                self._change(connection, name)
            append(connection, [replace(line, who=NOBODY)])
        return True

    def _matched(self, issuer: str, subject: str, named: str | None) -> str | None:
        c = t.provider_account.c
        name = None if named is None else named.strip().casefold()
        with engines.reading(self._engine) as connection:
            bound = connection.execute(select(c.username).where(c.issuer == issuer, c.subject == subject)).scalar()
            if bound is not None or name is None:
                return bound
            other = connection.execute(select(c.subject).where(c.issuer == issuer, c.username == name)).first()
        return name if other is None else None

    def _require_unbound(self, name: str, issuer: str, subject: str) -> None:
        c = t.provider_account.c
        with engines.reading(self._engine) as connection:
            taken = connection.execute(select(c.username).where(c.issuer == issuer, c.subject == subject)).scalar()
            has = connection.execute(select(c.subject).where(c.issuer == issuer, c.username == name)).scalar()
        if taken is not None:
            raise Conflict(f"That provider account already belongs to '{taken}'.")
        if has is not None:
            raise Conflict(f"Account '{name}' already has an account at this provider. Remove it first.")

    def _bind(self, name: str, values: tuple[str, ...], **detail: str) -> None:
        issuer, subject = values
        self._require_unbound(name, issuer, subject)
        with engines.writing(self._engine) as connection:
            row = {"issuer": issuer, "subject": subject, "username": name}
            try:
                connection.execute(insert(t.provider_account), row)
            except IntegrityError:
                raise Conflict("Somebody else has just linked that provider account.") from None
            self._change(connection, name)
            self._write(connection, states.BOUND, name, **detail)


def _digest(kind: str, issuer: str, value: str | None) -> str:
    return fingerprint(json.dumps([kind, issuer, value]))


def _plain(text: str, what: str) -> str:
    plain = text.strip()
    if not plain or not plain.isprintable() or not plain.isascii() or " " in plain or len(plain) > _LONGEST:
        raise SettingsError(f"The {what} is 1 to {_LONGEST} plain characters without spaces; got {quote(text)}.")
    return plain
