"""Passkeys (WebAuthn): added under *My account*, and a way to sign in without a password.

Each question is random, answered within five minutes, and once: the session keeps when it was made, and the record
takes no answer to a question from before the passkey's last use.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from flask import current_app, jsonify, request, session
from flask.typing import ResponseReturnValue

from dashboards.web.hosts import host_name
from dashboards.web.visitor import Visitor, find_passkey, refuse_passkey, sign_in_by_passkey
from mbc.distribution import install_hint
from mbc.errors import AccessDenied
from mbc.store.accounts.passkeys import Passkey

_ASKED = "passkey"  # in the session: what for, the random part, and when
_PATIENCE = dt.timedelta(minutes=5)
_LONGEST = 20_000
_NAME = "mbc"
_NOT_TAKEN = "The passkey was not added: the browser's response was not valid. Try again."


@dataclass(frozen=True, slots=True)
class PasskeyWords:
    """Whether passkeys can be used at this address, and why not."""

    usable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a device made."""

    credential: str
    public_key: str
    uses: int


def passkey_words() -> PasskeyWords:
    """Say whether passkeys can be used here: browsers have them over https, or on this machine, by a name."""
    if find_spec("webauthn") is None:
        return PasskeyWords(usable=False, reason=f"Passkeys need 'webauthn': {install_hint('sign-in')}")
    host = host_name(request.host)
    if host == "localhost":
        return PasskeyWords(usable=True)
    if request.scheme != "https":
        return PasskeyWords(usable=False, reason="Passkeys need https at this address.")
    if host.replace(".", "").isdecimal() or ":" in host:
        return PasskeyWords(usable=False, reason="Passkeys need an address with a name, not with numbers.")
    return PasskeyWords(usable=True)


def ask_passkey() -> ResponseReturnValue:
    """Ask the browser for any passkey that it has for this address; names nobody."""
    if not passkey_words().usable:
        return jsonify(problem="Passkeys cannot be used at this address."), 404
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415 - an extra
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

    options = generate_authentication_options(
        rp_id=host_name(request.host), user_verification=UserVerificationRequirement.REQUIRED
    )
    _keep("sign-in", options.challenge)
    return current_app.response_class(options_to_json(options), mimetype="application/json")


def visitor_by_passkey() -> Visitor | None:
    """Give who is signed in by the answer to the question; None where it is refused."""
    asked = _take("sign-in")
    answer = _answer(request.form.get("answer", ""))
    passkey = None if answer is None else find_passkey(str(answer["id"]))
    uses = None if asked is None or answer is None or passkey is None else _verified(answer, asked[0], passkey)
    visitor = None
    if asked is not None and passkey is not None and uses is not None:
        visitor = sign_in_by_passkey(passkey, uses=uses, asked_at=asked[1])
    if visitor is None:
        refuse_passkey()
    return visitor


def ask_new_passkey(username: str, known: tuple[Passkey, ...]) -> ResponseReturnValue:
    """Ask the browser to make a passkey for an account."""
    from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415 - an extra
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415
    from webauthn.helpers.structs import (  # noqa: PLC0415
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=host_name(request.host),
        rp_name=_NAME,  # names the program, and nothing of the clinic
        user_id=hashlib.sha256(f"mbc passkey {username}".encode()).digest(),
        user_name=username,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential)) for key in known
        ],
    )
    _keep("add", options.challenge)
    return current_app.response_class(options_to_json(options), mimetype="application/json")


def new_passkey(sent: str) -> NewPasskey:
    """Check what the browser made.

    Raises
    ------
    AccessDenied
        If it does not fit the question, or nothing was asked a moment ago.
    """
    from webauthn import verify_registration_response  # noqa: PLC0415 - an extra
    from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    asked, answer = _take("add"), _answer(sent)
    if asked is None or answer is None:
        raise AccessDenied(_NOT_TAKEN)
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=asked[0],
            expected_rp_id=host_name(request.host),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise AccessDenied(_NOT_TAKEN) from None
    return NewPasskey(
        bytes_to_base64url(verified.credential_id),
        bytes_to_base64url(verified.credential_public_key),
        verified.sign_count,
    )


def _verified(answer: dict[str, Any], challenge: bytes, passkey: Passkey) -> int | None:
    """Give how often the device has used the passkey, if the answer is signed with it; else None."""
    from webauthn import verify_authentication_response  # noqa: PLC0415 - an extra
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=host_name(request.host),
            expected_origin=_origin(),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.uses,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return verified.new_sign_count


def _keep(purpose: str, challenge: bytes) -> None:
    session[_ASKED] = [purpose, challenge.hex(), dt.datetime.now(dt.UTC).isoformat()]


def _take(purpose: str) -> tuple[bytes, dt.datetime] | None:
    """Give the question that this session was asked a moment ago, once."""
    kept = session.pop(_ASKED, None)
    if not (isinstance(kept, list) and len(kept) == 3 and kept[0] == purpose):
        return None
    asked_at = dt.datetime.fromisoformat(kept[2])
    fresh = dt.timedelta(0) <= dt.datetime.now(dt.UTC) - asked_at <= _PATIENCE
    return (bytes.fromhex(kept[1]), asked_at) if fresh else None


def _answer(sent: str) -> dict[str, Any] | None:
    if not sent or len(sent) > _LONGEST:
        return None
    try:
        answer = json.loads(sent)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("id"), str) else None


def _origin() -> str:
    return f"{request.scheme}://{request.host}"
