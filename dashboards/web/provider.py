"""The way in through the clinic's own directory (OpenID Connect): sent there, and back with a proof.

Authlib keeps state, nonce and the secret of PKCE in the session and compares them; issuer, audience, times and
signature of the token are checked, and only asymmetric signatures are taken. How the provider ends a sign-in by
itself: see `provider_logout`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app, redirect, session
from flask.typing import ResponseReturnValue

from dashboards.provider_settings import ProviderSettings
from dashboards.web.rate_limit import PROVIDER_BACK as BACK
from dashboards.web.visitor import Visitor, sign_in_by_provider
from mbc.errors import MbcError

if TYPE_CHECKING:
    from authlib.integrations.flask_client import FlaskOAuth2App

_NAME = "mbc_provider"
_SECONDS = 10  # the provider may be slow; a visitor is not to hold a thread for longer
_SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
LONGEST_CLAIM = 255
_KEYS_KEPT = 10  # seconds, at least: who sends tokens of unknown keys cannot make the provider busy


class ProviderRefused(MbcError):
    """The provider's answer proves nothing."""


class ProviderUnreachable(MbcError):
    """The provider does not answer."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who the provider says somebody is."""

    subject: str
    named: str | None  # a user name that it vouches for, where the clinic matches by it
    session: str | None  # the provider's own session, where it names it


class Provider:
    """The clinic's provider, as one server asks it."""

    def __init__(self, server: Flask, settings: ProviderSettings) -> None:
        from authlib.integrations.flask_client import OAuth  # noqa: PLC0415 - an extra

        self.settings = settings
        self._keys_asked_at = float("-inf")
        registry = OAuth(server)
        self._client = cast(
            "FlaskOAuth2App",
            registry.register(
                "provider",
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
                client_kwargs={
                    "scope": "openid" if settings.match == "subject" else "openid email profile",
                    "code_challenge_method": "S256",
                    "default_timeout": _SECONDS,
                },
            ),
        )

    def send_there(self) -> ResponseReturnValue:
        """Send a visitor to the provider, who will send them back."""
        _forget_earlier()
        self._metadata()
        extra = {"acr_values": " ".join(self.settings.acr)} if self.settings.acr else {}
        with _asking():
            return self._client.authorize_redirect(self.settings.link(BACK), **extra)

    def take_back(self) -> Proof:
        """Check what a visitor brings back.

        Raises
        ------
        ProviderRefused
            If it does not prove who they are.
        ProviderUnreachable
            If the provider does not answer.
        """
        metadata = self._metadata()
        with _asking():
            token: dict[str, Any] = self._client.authorize_access_token(
                claims_options={
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                    "nonce": {"essential": True},
                },
                leeway=60,
            )
        claims: dict[str, Any] = dict(token.get("userinfo") or {})
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or len(subject) > LONGEST_CLAIM:
            raise ProviderRefused("no subject")
        if self.settings.acr and claims.get("acr") not in self.settings.acr:
            raise ProviderRefused("acr")
        if (
            self.settings.match != "subject"
            and self.settings.match not in claims
            and "userinfo_endpoint" in metadata
        ):
            claims |= self._more(token, subject)
        session = claims.get("sid")
        known_session = isinstance(session, str) and 0 < len(session) <= LONGEST_CLAIM
        return Proof(subject, vouched_name(self.settings, claims), session if known_session else None)

    def read_signed(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check the signature of a token that the provider sent by itself; gives its header and claims, unchecked.

        Raises
        ------
        ProviderRefused
            If it was not signed with a key of the provider's.
        ProviderUnreachable
            If the keys are not known yet, and the provider does not answer.
        """
        from joserfc import jwt  # noqa: PLC0415 - an extra
        from joserfc.errors import InvalidKeyIdError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415
        from joserfc.jws import JWSRegistry  # noqa: PLC0415

        algorithms = self._metadata()["id_token_signing_alg_values_supported"]
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        with _asking():
            try:
                read = jwt.decode(token, KeySet.import_key_set(self._client.fetch_jwk_set()), registry=registry)
            except InvalidKeyIdError:  # signed with a key that is newer than those known here
                read = jwt.decode(token, KeySet.import_key_set(self._newer_keys()), registry=registry)
        return dict(read.header), dict(read.claims)

    def leave_address(self) -> str | None:
        """Give where somebody signs out at the provider too; None if it has no such page."""
        from authlib.common.urls import add_params_to_uri  # noqa: PLC0415 - an extra

        end = self._metadata().get("end_session_endpoint")
        if not isinstance(end, str):
            return None
        back = {"client_id": self.settings.client_id, "post_logout_redirect_uri": self.settings.link("/sign-in")}
        return str(add_params_to_uri(end, list(back.items())))

    def _more(self, token: dict[str, Any], subject: str) -> dict[str, Any]:
        """Ask for what is not in the token; only about the very same subject."""
        with _asking():
            more = dict(self._client.userinfo(token=token))
        if more.get("sub") != subject:
            raise ProviderRefused("userinfo of somebody else")
        return {name: more[name] for name in ("email", "email_verified", "preferred_username") if name in more}

    def _newer_keys(self) -> Any:
        if time.monotonic() < self._keys_asked_at + _KEYS_KEPT:
            raise ProviderRefused("key")
        self._keys_asked_at = time.monotonic()
        return self._client.fetch_jwk_set(force=True)

    def _metadata(self) -> dict[str, Any]:
        with _asking():
            metadata: dict[str, Any] = self._client.load_server_metadata()
        if metadata.get("issuer") != self.settings.issuer:
            raise ProviderRefused("issuer of the provider's description")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in _SIGNATURES]
        return metadata


class _asking:  # noqa: N801 - a context, used like a function
    """Put what the library raises into two kinds: refused, and out of reach."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if fault is None or isinstance(fault, MbcError) or not isinstance(fault, Exception):
            return
        import requests  # noqa: PLC0415 - an extra

        if isinstance(fault, requests.RequestException):
            raise ProviderUnreachable(type(fault).__name__) from None
        raise ProviderRefused(type(fault).__name__) from None


def vouched_name(settings: ProviderSettings, claims: dict[str, Any]) -> str | None:
    """Give the user name that the provider vouches for; None where the clinic matches by subject alone.

    A mail address counts only where the provider says that it verified it.
    """
    if settings.match == "subject":
        return None
    if settings.match == "email" and claims.get("email_verified") is not True:
        return None
    name = claims.get(settings.match)
    return name if isinstance(name, str) and 0 < len(name) <= LONGEST_CLAIM else None


def install_provider(server: Flask, settings: ProviderSettings | None) -> None:
    """Let the server know the clinic's provider, if there is one."""
    server.extensions[_NAME] = None if settings is None else Provider(server, settings)


def provider() -> Provider | None:
    """Give the clinic's provider; None where there is none."""
    return current_app.extensions.get(_NAME)


def provider_names() -> tuple[str, str] | None:
    """Give the provider's issuer, and its name on pages; None where there is no provider."""
    known = provider()
    return None if known is None else (known.settings.issuer, known.settings.name)


def visitor_by_provider(known: Provider) -> Visitor | None:
    """Give who is signed in by what the provider says; None if no active account belongs to it.

    Raises
    ------
    ProviderRefused, ProviderUnreachable
        If it proves nothing.
    """
    proof = known.take_back()
    return sign_in_by_provider(
        known.settings.issuer,
        proof.subject,
        named=proof.named,
        session_there=proof.session,
        complete=known.settings.second_factor == "provider",
    )


def leave_provider() -> ResponseReturnValue:
    """Send somebody who has signed out here to the provider's own page for it."""
    known = provider()
    try:
        address = None if known is None else known.leave_address()
    except MbcError:
        address = None
    return redirect(address or "/sign-in", 303)


def _forget_earlier() -> None:
    """Only the last attempt of a browser counts: earlier ones would fill its cookie."""
    for name in [name for name in session if name.startswith("_state_")]:
        session.pop(name)
