"""Where the key of an encrypted record comes from: never from an argument of a command, never from an address.

In this order: handed in by the calling program, ``MBC_STORE_KEY``, the file that ``MBC_STORE_KEY_FILE`` names, the
system's keyring, and a question at the terminal.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mbc.distribution import install_hint
from mbc.errors import SettingsError
from mbc.store.access.password_rules import normal, require_good

VARIABLE = "MBC_STORE_KEY"
FILE_VARIABLE = "MBC_STORE_KEY_FILE"
BACKUP_VARIABLE = "MBC_BACKUP_KEY"
TYPED = "that was typed"
_SERVICE = "mbc record"  # under which the system's keyring keeps it
_LONGEST_FILE = 8192
Pause = Callable[[], AbstractContextManager[None]]
around_question: ContextVar[Pause] = ContextVar("around_question", default=nullcontext)  # stills a bar that moves
_asked: dict[Path, Passphrase] = {}  # what was typed, so that a program asks once for one record


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A key as people keep it, and where it was found. It is never part of what is printed."""

    text: str = field(repr=False)
    origin: str


def given(text: str | None) -> Passphrase | None:
    """Take a passphrase that the calling program hands in."""
    return None if text is None else Passphrase(normal(text), "that was given")


def find(path: Path) -> Passphrase | None:
    """Look for the key of a record where it can be had without asking.

    Raises
    ------
    SettingsError
        If a place is named that holds no key, or that others may read.
    """
    return _in_environment(VARIABLE) or _in_file() or _asked.get(path.resolve()) or _in_keyring(path)


def for_backup() -> Passphrase | None:
    """Look for a key that is meant for backups alone (``MBC_BACKUP_KEY``)."""
    return _in_environment(BACKUP_VARIABLE)


def ask(called: str, *, again: bool = False) -> Passphrase:
    """Ask for a key at the terminal.

    Parameters
    ----------
    called : str
        What it opens, for the question: "record clinic.db".
    again : bool
        Whether the last one did not open it.

    Raises
    ------
    SettingsError
        If there is no terminal.
    """
    question = f"{'Wrong key. ' if again else ''}Key of the {called}: "
    text = _typed(question, f"The {called} is encrypted: its key is required")
    return Passphrase(normal(text), TYPED)


def keep(path: Path, passphrase: Passphrase) -> None:
    """Keep a key that fits until the program ends, so that it need not be typed again."""
    _asked[path.resolve()] = passphrase


def forget(path: Path) -> None:
    """Drop a key that was kept until the program ends."""
    _asked.pop(path.resolve(), None)


def new(path: Path, passphrase: Passphrase | None = None, *, what: str = "record") -> Passphrase:
    """Choose the key of something new: as strong as an account's password, and typed twice when it is typed.

    Parameters
    ----------
    path : Path
        The file that it will open.
    passphrase : Passphrase, optional
        Found already; it is held to the same strength.
    what : str
        What the file is, for the question.

    Raises
    ------
    SettingsError
        If it is too weak, if the two differ, or if there is no terminal to ask on.
    """
    if passphrase is None:
        needed = f"A key for the {what} {path.name} is required"
        text = _typed(f"New key of the {what} {path.name} (at least 12 characters): ", needed)
        if normal(text) != normal(_typed("Repeat the key: ", needed)):
            raise SettingsError("The two keys differ. Nothing was changed; run this again.")
        passphrase = Passphrase(text, TYPED)
    try:
        good = require_good(passphrase.text, username=path.stem)
    except SettingsError as fault:
        raise SettingsError(str(fault).replace("The password", "The key")) from None
    return Passphrase(good, passphrase.origin)


def remember(path: Path, passphrase: Passphrase) -> None:
    """Put a key into the system's keyring.

    Raises
    ------
    SettingsError
        If this machine has none.
    """
    _keyring("kept", lambda ring: ring.set_password(_SERVICE, str(path.resolve()), passphrase.text))


def forget_for_good(path: Path) -> bool:
    """Take a key out of the system's keyring; says whether there was one."""
    if _in_keyring(path) is None:
        return False
    _keyring("removed", lambda ring: ring.delete_password(_SERVICE, str(path.resolve())))
    return True


def is_remembered(path: Path) -> bool:
    """Say whether the system's keyring holds the key of a record."""
    return _in_keyring(path) is not None


def _in_environment(name: str) -> Passphrase | None:
    text = os.environ.get(name)
    return Passphrase(normal(text), f"in {name}") if text else None


def _in_file() -> Passphrase | None:
    name = os.environ.get(FILE_VARIABLE)
    if not name:
        return None
    path = Path(name)
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(
                f"The key file {path} can be read by others, so it is not secret. Repair: chmod 600 '{path}'"
            )
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(_LONGEST_FILE).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise SettingsError(f"The key file {path} ({FILE_VARIABLE}) cannot be read: {why}.") from None
    if not text:
        raise SettingsError(f"The key file {path} ({FILE_VARIABLE}) is empty.")
    return Passphrase(normal(text), f"in the file {path}")


def _in_keyring(path: Path) -> Passphrase | None:
    try:
        import keyring  # noqa: PLC0415 - an extra of the package, and slow to load
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    try:
        text = keyring.get_password(_SERVICE, str(path.resolve()))
    except (KeyringError, RuntimeError, OSError):  # none on this machine, or locked: the next place is asked
        return None
    return Passphrase(normal(text), "in the system's keyring") if text else None


def _keyring(done: str, use: Callable[[Any], None]) -> None:
    try:
        import keyring  # noqa: PLC0415 - an extra of the package, and slow to load
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise SettingsError(
            f"The system's keyring needs 'keyring'. Install it: {install_hint('encrypted')}"
        ) from None
    try:
        use(keyring)
    except (KeyringError, RuntimeError, OSError) as fault:
        raise SettingsError(
            f"The key was not {done}: the keyring of this machine reported {type(fault).__name__}. Keep the key "
            f"in a password manager and type it, or name a file that only you can read in {FILE_VARIABLE}."
        ) from None


def _typed(question: str, needed: str) -> str:
    if not sys.stdin.isatty():
        raise SettingsError(
            f"{needed}, and there is no terminal to ask on. Give it in {VARIABLE}, in a file that only you can "
            f"read ({FILE_VARIABLE}), or keep it in the system's keyring ('mbc key remember')."
        )
    with around_question.get()():
        text = getpass.getpass(question)
    if not text:
        raise SettingsError("No key was given. Nothing was changed.")
    return text
