"""Confirming what an administrator asked for: it is done, whatever kind of request it was."""

from __future__ import annotations

from dataclasses import dataclass

from mbc.store.accounts.grants import CONFIRMED, AccessRequest
from mbc.store.accounts.links import Links
from mbc.store.accounts.passwords import NO_PASSWORD
from mbc.store.accounts.provider_accounts import ProviderAccounts


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A request that was confirmed."""

    request: AccessRequest
    link: str | None  # the secret part of a one-time link that came of it, for whoever confirmed to pass on


class Confirmations(Links, ProviderAccounts):
    """Requests that somebody else confirms."""

    def confirm(self, number: str) -> Confirmed:
        """Confirm what somebody else asked for: it is done.

        Raises
        ------
        NotInRecord
            If no such request waits.
        AccessDenied
            If it was asked for by this very user, or is about their own account.
        """
        request = self._decide(number, CONFIRMED)
        detail = {"request": number, "asked_by": request.asked_by}
        match request.kind:
            case "permission":
                self._grant(request.username, request.values[0], **detail)
            case "supervision":
                self._supervise(request.username, request.values, **detail)
            case "enable":
                self._activate(request.username, active=True, **detail)
            case "second factor removal":
                self._remove_factor(request.username, **detail)
            case "provider account":
                self._bind(request.username, request.values, **detail)
                return Confirmed(request, None)
            case "second factor rule":
                self._require_factor(request.values, **detail)
                return Confirmed(request, None)
            case _:
                return Confirmed(request, self._make_link(request.username))
        waits = request.kind == "enable" and self._state(request.username).password_hash == NO_PASSWORD
        return Confirmed(request, self._make_link(request.username) if waits else None)
