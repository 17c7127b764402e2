"""What somebody may do about their own account: see and end its sign-ins, change password and second factor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from mbc.errors import AccessDenied
from mbc.store.accounts.accounts import Accounts
from mbc.store.accounts.passkeys import Passkey
from mbc.store.accounts.sign_ins import MOST_FAILURES

_LOOKED_AT = 200  # lines of the trail


@dataclass(frozen=True, slots=True)
class PausedSignIns:
    """Guesses at a password, or a code, that paused signing in."""

    attempts: int  # at least: the trail notes the first, the fifth, then the tenth, hundredth ...
    places: int  # addresses and browsers
    last: datetime  # UTC; of the last line about them


class OwnAccount:
    """One user's own account.

    Parameters
    ----------
    accounts : Accounts
        Of the record, in the name of this user.
    username : str
        Whose it is.
    """

    def __init__(self, accounts: Accounts, username: str) -> None:
        self._accounts = accounts
        self._username = username

    @property
    def has_factor(self) -> bool:
        """Say whether there is a second factor."""
        return self._accounts.has_factor(self._username)

    @property
    def must_have_factor(self) -> bool:
        """Say whether the clinic requires a second factor of this role."""
        return self._accounts.requires_factor(self._accounts.active(self._username).role)

    def sign_ins(self, *, last: int = 20) -> pl.DataFrame:
        """List the latest sign-ins, refusals and sign-outs: at, action, origin, detail; newest first."""
        return self._accounts.sign_in_history(self._username, last=last)

    def last_sign_in(self) -> tuple[datetime, str] | None:
        """Give when, and from where, the account signed in before the present sign-in."""
        lines = self.sign_ins(last=200).filter(pl.col("action") == "sign-in")
        return None if lines.height < 2 else (lines["at"][1], lines["origin"][1])

    def paused_since_last_sign_in(self) -> PausedSignIns | None:
        """Say what paused signing in since the sign-in before the present one; None where nothing did."""
        lines = self.sign_ins(last=_LOOKED_AT)
        signed_in = lines.with_row_index("place").filter(pl.col("action") == "sign-in")["place"].to_list()
        begin, end = (signed_in[0] + 1 if signed_in else 0), (signed_in[1] if len(signed_in) > 1 else lines.height)
        refused = lines.slice(begin, end - begin).filter(pl.col("action") == "sign-in refused")
        attempts: dict[str, int] = {}
        for origin, detail in refused.select("origin", "detail").iter_rows():
            attempts[origin] = max(attempts.get(origin, 0), json.loads(detail or "{}").get("attempts", 1))
        paused = {origin: count for origin, count in attempts.items() if count >= MOST_FAILURES}
        if not paused:
            return None
        last = refused.filter(pl.col("origin").is_in(list(paused)))["at"].max()
        return PausedSignIns(sum(paused.values()), len(paused), last)  # pyright: ignore[reportArgumentType]

    def change_password(self, current: str, new: str, *, address: str = "") -> None:
        """Choose another password; every sign-in ends.

        Raises
        ------
        AccessDenied
            If the present password is wrong; mistakes count like those of a sign-in.
        SettingsError
            If the new one is not good enough.
        """
        self._require_password(current, address)
        self._accounts.choose_password(self._username, new)

    def sign_out_everywhere(self) -> None:
        """End every sign-in of this account, this one too."""
        self._accounts.end_all_sign_ins(self._username)

    def remove_factor(self, current: str, *, address: str = "") -> None:
        """Remove the second factor.

        Raises
        ------
        AccessDenied
            If the present password is wrong, or the clinic requires a second factor.
        """
        self._require_password(current, address)
        if self.must_have_factor:
            raise AccessDenied("The clinic requires a second factor for your role.")
        self._accounts.drop_factor(self._username)

    def passkeys(self) -> tuple[Passkey, ...]:
        """Give the passkeys of this account."""
        return self._accounts.passkeys(self._username)

    def require_password(self, current: str, *, address: str = "") -> None:
        """Make sure that whoever asks knows the present password.

        Raises
        ------
        AccessDenied
            If it is wrong; mistakes count like those of a sign-in.
        """
        self._require_password(current, address)

    def add_passkey(self, label: str, credential: str, public_key: str, *, uses: int) -> None:
        """Keep a passkey that was checked.

        Raises
        ------
        SettingsError
            If it has no name, or there are as many as there may be.
        Conflict
            If it is on record already.
        """
        self._accounts.add_passkey(self._username, label, credential, public_key, uses=uses)

    def remove_passkey(self, number: str, current: str, *, address: str = "") -> None:
        """Remove a passkey; every sign-in ends.

        Raises
        ------
        AccessDenied
            If the present password is wrong.
        NotInRecord
            If there is no such passkey.
        """
        self._require_password(current, address)
        self._accounts.remove_passkey(self._username, number)

    def _require_password(self, current: str, address: str) -> None:
        if not self._accounts.is_password(self._username, current, address=address):
            raise AccessDenied("Your current password is wrong.")
