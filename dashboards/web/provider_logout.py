"""The clinic's provider says that somebody's session there is over (OpenID Connect Back-Channel Logout 1.0).

It sends a signed token, by itself and without a cookie. What the token proves counts, and nothing else; the answer
never says whether anybody here was meant.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, request

from dashboards.web.provider import LONGEST_CLAIM, Provider, ProviderRefused, ProviderUnreachable, provider
from dashboards.web.visitor import sign_out_by_provider

_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TYPES = frozenset({"jwt", "logout+jwt"})  # of tokens; what has none was made before it was named
_LONGEST_TOKEN = 16_384
_LEEWAY = 60  # seconds that two clocks may differ
_OLDEST = 600  # seconds; the record remembers for much longer which tokens were taken
_REFUSED = "The logout token is not valid."
_AWAY = "The provider's keys are out of reach. Try again in a minute."
_NEVER_KEPT = {"Cache-Control": "no-store"}
_LOG = logging.getLogger("mbc.server")


@dataclass(frozen=True, slots=True)
class ProviderLogout:
    """What a logout token proves."""

    token_id: str
    subject: str | None
    session: str | None


def take_logout() -> Response:
    """End the sign-ins that the provider says are over: 200, or 400 for what proves nothing."""
    known = provider()
    if known is None:
        abort(404)
    try:
        _end_sign_ins(known)
    except (ProviderRefused, ProviderUnreachable) as fault:
        away = isinstance(fault, ProviderUnreachable)
        # of the fault only which check failed, or a class: nothing that was sent
        _LOG.warning("sign-out by provider failed", extra={"kind": type(fault).__name__, "cause": str(fault)})
        return Response(_AWAY if away else _REFUSED, 503 if away else 400, _NEVER_KEPT, mimetype="text/plain")
    return Response(status=200, headers=_NEVER_KEPT, mimetype="text/plain")


def _end_sign_ins(known: Provider) -> None:
    settings = known.settings
    header, claims = known.read_signed(_sent_token())
    logout = read_logout(header, claims, issuer=settings.issuer, client_id=settings.client_id, now=time.time())
    if not sign_out_by_provider(settings.issuer, logout.subject, logout.session, token_id=logout.token_id):
        raise ProviderRefused("sent before")


def read_logout(
    header: dict[str, Any], claims: dict[str, Any], *, issuer: str, client_id: str, now: float
) -> ProviderLogout:
    """Check what a token with a valid signature says.

    Parameters
    ----------
    header, claims : dict
        Of the token.
    issuer, client_id : str
        Whose token it must be, and for whom.
    now : float
        Seconds since the epoch.

    Raises
    ------
    ProviderRefused
        Naming the check that failed.

    Examples
    --------
    >>> claims = {"iss": "https://id.example", "aud": "mbc", "iat": 1000, "exp": 1120, "jti": "n1", "sub": "u-17",
    ...           "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}
    >>> read_logout({"typ": "logout+jwt"}, claims, issuer="https://id.example", client_id="mbc", now=1010)
    ProviderLogout(token_id='n1', subject='u-17', session=None)
    """
    events, audience = claims.get("events"), claims.get("aud")
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    checks = {
        "type": str(header.get("typ", "JWT")).casefold().removeprefix("application/") in _TYPES,
        "issuer": claims.get("iss") == issuer,
        "audience": audience in (client_id, [client_id]),
        "issued": now - _OLDEST <= issued <= now + _LEEWAY,
        "expires": max(issued, now - _LEEWAY) < expires,
        "event": isinstance(events, dict) and isinstance(events.get(_EVENT), dict),
        "nonce": "nonce" not in claims,
    }
    for name, holds in checks.items():
        if not holds:
            raise ProviderRefused(name)
    token_id, subject, session = (_text(claims, name) for name in ("jti", "sub", "sid"))
    if token_id is None or (subject is None and session is None):
        raise ProviderRefused("number" if token_id is None else "subject")
    return ProviderLogout(token_id, subject, session)


def _sent_token() -> str:
    tokens = request.form.getlist("logout_token")
    if len(tokens) != 1 or len(tokens[0]) > _LONGEST_TOKEN or not tokens[0].isascii():
        raise ProviderRefused("form")
    return tokens[0]


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProviderRefused(name)
    return float(value)


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and (not isinstance(value, str) or not 0 < len(value) <= LONGEST_CLAIM):
        raise ProviderRefused(name)
    return value
