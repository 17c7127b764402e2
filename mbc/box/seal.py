"""How an answer is sealed: anybody can put it into the box, only the holder of the private key can read it.

Sealed boxes of libsodium (X25519, XSalsa20-Poly1305): [1]_ each has a key of its own that is thrown away, so the
program that sealed an answer cannot open it again. What is sealed is padded, so that its length says nothing.

.. [1] https://doc.libsodium.org/public-key_cryptography/sealed_boxes
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox

from mbc.errors import MbcError

_BLOCK = 256  # bytes: an answer, a blank and the mark of the end all have this length
SCORES_BYTES = 4096  # what `lock_scores` takes, and the length it always gives, apart from nonce and mark
_VISIT, _SCORES = b"mbc visit", b"mbc own scores"  # what a secret is used for: each use has a key of its own


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The clinic's keys: the public one goes into the box, the private one stays with the record."""

    public: bytes
    private: bytes = field(repr=False)

    @classmethod
    def new(cls) -> KeyPair:
        """Make a pair of keys."""
        private = PrivateKey.generate()
        return cls(bytes(private.public_key), bytes(private))


def seal(public: bytes, content: dict[str, Any]) -> bytes:
    """Seal a content for the holder of the private key.

    Examples
    --------
    >>> keys = KeyPair.new()
    >>> short, long = seal(keys.public, {"value": 1}), seal(keys.public, {"value": None, "place": 12})
    >>> len(short) == len(long), unseal(keys, short)
    (True, {'value': 1})
    """
    return SealedBox(PublicKey(public)).encrypt(_padded(content))


def unseal(keys: KeyPair, sealed: bytes) -> dict[str, Any]:
    """Open what was sealed.

    Raises
    ------
    MbcError
        If it was sealed for another key, or was altered.
    """
    try:
        return json.loads(SealedBox(PrivateKey(keys.private)).decrypt(sealed))
    except (CryptoError, ValueError, TypeError):
        raise MbcError(
            "A sealed answer cannot be opened: it was altered, or encrypted for another record."
        ) from None


def lock(secret: str, content: dict[str, Any]) -> bytes:
    """Encrypt a content with a secret that is kept nowhere: whoever has the secret can read it again."""
    return bytes(SecretBox(_key_of(secret, _VISIT)).encrypt(_padded(content)))


def unlock(secret: str, locked: bytes) -> dict[str, Any]:
    """Read what `lock` encrypted; nothing where the secret is another.

    Examples
    --------
    >>> unlock("s", lock("s", {"0": 3})), unlock("t", lock("s", {"0": 3}))
    ({'0': 3}, {})
    """
    try:
        return json.loads(SecretBox(_key_of(secret, _VISIT)).decrypt(locked))
    except (CryptoError, ValueError):
        return {}


def lock_scores(secret: str, text: str = "") -> bytes:
    """Encrypt the earlier scores that a client is shown; with or without any, the result has the same length.

    Parameters
    ----------
    secret : str
        The token of a link, or the secret of a visit; kept nowhere.
    text : str
        At most `SCORES_BYTES` bytes of UTF-8; "" where there is nothing to show.

    Raises
    ------
    MbcError
        If the text is longer.

    Examples
    --------
    >>> len(lock_scores("s")) == len(lock_scores("s", "[3, 4, 5]")), unlock_scores("s", lock_scores("s", "[3]"))
    (True, '[3]')
    """
    content = text.encode()
    if len(content) > SCORES_BYTES:
        raise MbcError(f"{len(content)} bytes of earlier scores; the limit is {SCORES_BYTES}. Show fewer of them.")
    return bytes(SecretBox(_key_of(secret, _SCORES)).encrypt(content.ljust(SCORES_BYTES)))


def unlock_scores(secret: str, locked: bytes) -> str:
    """Read what `lock_scores` encrypted; "" where there is nothing, or the secret is another.

    Examples
    --------
    >>> unlock_scores("t", lock_scores("s", "[3]")), unlock_scores("s", lock_scores("s"))
    ('', '')
    """
    try:
        return SecretBox(_key_of(secret, _SCORES)).decrypt(locked).decode().rstrip(" ")
    except (CryptoError, ValueError):
        return ""


def _key_of(secret: str, use: bytes) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=use).digest()


def _padded(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % _BLOCK)
