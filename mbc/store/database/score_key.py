"""The secret that digests of kept scores are keyed with: kept outside the record, where its editor has it not."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from sqlalchemy import Engine

from mbc.store.database import addresses, sqlcipher

_PERSON = b"mbc kept scores"
_VARIABLE = "MBC_SECRET_KEY"


class ScoreKey:
    """The secret of one open record: made when scores are first kept, and read once.

    Beside a file it is a file; of an encrypted record it follows from the record's key; for a server it follows
    from ``MBC_SECRET_KEY``, or is kept among this user's files. Where there is none, kept scores do not count.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._key: bytes | None = None

    def read(self) -> bytes | None:
        """Give the secret; None where no scores were kept from here."""
        if self._key is None:
            self._key = self._derived() or self._stored()
        return self._key

    def make(self) -> bytes | None:
        """Give the secret, made now where there is none; None where it can be kept nowhere."""
        path = self._path()
        if self.read() is None and path is None:
            self._key = secrets.token_bytes(32)  # a record in memory ends with this process
        elif self.read() is None and path is not None:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                return self.read()
            except OSError:
                return None
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
        return self.read()

    def _derived(self) -> bytes | None:
        raw = sqlcipher.key_of(self._engine)
        if raw is None and addresses.file_of(self._engine.url) is None and self._engine.dialect.name != "sqlite":
            raw = os.environ.get(_VARIABLE)
        return None if not raw else hashlib.blake2b(raw.encode(), digest_size=32, person=_PERSON).digest()

    def _stored(self) -> bytes | None:
        path = self._path()
        try:
            return None if path is None else bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return None

    def _path(self) -> Path | None:
        record = addresses.file_of(self._engine.url)
        if record is not None:
            return record.with_name(f"{record.name}.scores-key")
        if self._engine.dialect.name == "sqlite":
            return None
        from platformdirs import user_state_path  # noqa: PLC0415 - for servers only

        named = hashlib.sha256(addresses.display_address(self._engine.url).encode()).hexdigest()[:32]
        return user_state_path("mbc") / "scores-keys" / named
