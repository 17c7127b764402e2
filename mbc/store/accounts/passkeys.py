"""Passkeys: keys of a device with which somebody signs in without a password (WebAuthn).

The record keeps public keys. Whether an answer was signed with one is checked before this is asked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from mbc.errors import Conflict, NotInRecord, SettingsError
from mbc.store.access.roles import User
from mbc.store.accounts import account_state as states
from mbc.store.accounts.provider_accounts import ProviderAccounts
from mbc.store.accounts.sign_ins import unknown_counters
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import check_text

MOST_PASSKEYS = 10  # of one account


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account."""

    passkey_id: str
    username: str
    credential: str  # base64url
    public_key: str  # base64url
    uses: int
    label: str
    added_at: datetime
    used_at: datetime | None


class Passkeys(ProviderAccounts):
    """Passkeys of accounts."""

    def passkeys(self, username: str) -> tuple[Passkey, ...]:
        """Give the passkeys of an account, the oldest first."""
        c = t.passkey.c
        query = select(*t.passkey.c).where(c.username == username).order_by(c.added_at, c.passkey_id)
        with engines.reading(self._engine) as connection:
            return tuple(Passkey(**row) for row in connection.execute(query).mappings())

    def passkey(self, credential: str) -> Passkey | None:
        """Find a passkey by the id that its device gives; None if it is not known, or its account is disabled."""
        c = t.passkey.c
        query = (
            select(*t.passkey.c)
            .join(t.account, t.account.c.username == c.username)
            .where(c.passkey_id == passkey_id(credential), t.account.c.active)
        )
        with engines.reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Passkey(**row)

    def add_passkey(self, username: str, label: str, credential: str, public_key: str, *, uses: int = 0) -> None:
        """Keep a passkey that was checked.

        Raises
        ------
        SettingsError
            If it has no name, or the account has as many as there may be.
        Conflict
            If it is on record already.
        """
        name = self.active(username).username
        label = check_text("name of the passkey", " ".join(label.split()))[:64]
        row = {
            "passkey_id": passkey_id(credential), "username": name, "credential": credential,
            "public_key": public_key, "uses": uses, "label": label, "added_at": self._clock(),
        }  # fmt: skip
        with engines.writing(self._engine) as connection:
            there = select(func.count()).select_from(t.passkey).where(t.passkey.c.username == name)
            if connection.execute(there).scalar_one() >= MOST_PASSKEYS:
                raise SettingsError(f"An account can have at most {MOST_PASSKEYS} passkeys. Remove one first.")
            try:
                connection.execute(insert(t.passkey), row)
            except IntegrityError:
                raise Conflict("This passkey is already registered.") from None
            self._write(connection, states.PASSKEY, name, who=name, label=label)

    def remove_passkey(self, username: str, number: str) -> None:
        """Remove one passkey at its owner's wish; every sign-in of the account ends.

        Raises
        ------
        NotInRecord
            If the account has no such passkey.
        """
        self._require_own(username)
        self._remove_passkeys(username, number)

    def remove_passkeys(self, username: str) -> None:
        """Remove every passkey of somebody who lost a device; every sign-in of the account ends.

        Raises
        ------
        NotInRecord
            If there is no such account, or it has none.
        """
        self._remove_passkeys(self.require(username), None)

    def sign_in_by_passkey(self, passkey: Passkey, *, uses: int, asked_at: datetime) -> User | None:
        """Sign in whoever answered with a passkey; an answer is taken once.

        Parameters
        ----------
        passkey : Passkey
            As `passkey` gave it; the answer was signed with it.
        uses : int
            As its device counts them now; 0 where it does not count.
        asked_at : datetime
            When the question was made that was answered: no answer to one from before the last sign-in is taken.

        Returns
        -------
        User or None
            None for an answer that was used before, from a copied device, or where the account is disabled.
        """
        c = t.passkey.c
        query = update(t.passkey).where(
            c.passkey_id == passkey.passkey_id,
            c.public_key == passkey.public_key,
            or_(c.used_at.is_(None), c.used_at < asked_at),
            or_(c.uses == 0, c.uses < uses),
        )
        account = self._row(passkey.username)
        with engines.writing(self._engine) as connection:
            taken = connection.execute(query.values(uses=uses, used_at=self._clock())).rowcount
        if not taken or account is None or not account["active"]:
            return None
        self._note("sign-in", passkey.username, who=passkey.username, by="passkey")
        return self.active(passkey.username)

    def refuse_passkey(self, address: str) -> None:
        """Write down that an answer was refused, as rarely as wrong passwords of nobody's are."""
        counters = unknown_counters(address)
        self._reserve(counters)
        self._refuse(None, counters, "passkey")

    def _remove_passkeys(self, name: str, number: str | None) -> None:
        c = t.passkey.c
        query = delete(t.passkey).where(c.username == name)
        with engines.writing(self._engine) as connection:
            gone = connection.execute(query if number is None else query.where(c.passkey_id == number)).rowcount
            if not gone:
                raise NotInRecord(f"Account '{name}' has no {'passkey' if number is None else 'such passkey'}.")
            self._change(connection, name)
            self._write(connection, states.NO_PASSKEY, name)


def passkey_id(credential: str) -> str:
    """Give the name by which a passkey is kept: the id that its device gives may be long."""
    return hashlib.sha256(credential.encode(errors="replace")).hexdigest()
