"""Write files completely or not at all, never over something else, readable by their owner only."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mbc.errors import SettingsError
from mbc.exchange.files.messages import quote

OWNER_ONLY_FILE, OWNER_ONLY_FOLDER = 0o600, 0o700
MANIFEST = "export.json"
"""Lies in every folder that an export wrote; only such a folder may be replaced."""


def write_text(path: Path, text: str, *, force: bool = False) -> None:
    """Write a text file, completely or not at all.

    Raises
    ------
    SettingsError
        When it exists already and ``force`` is not set, or cannot be written.
    """
    with new_file(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def new_file(path: Path, *, force: bool = False) -> Generator[Path]:
    """Yield a temporary path in the same folder; it is renamed to the file when the block succeeds.

    Raises
    ------
    SettingsError
        As in `write_text`.
    """
    if path.is_dir():
        raise SettingsError(f"'{quote(path, longest=200)}' is a folder; name a file.")
    refuse_existing(path, force=force)
    temporary = _temporary_name(path)
    try:
        with explain_errors(path):
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY_FILE)
            os.close(descriptor)
            yield temporary
            _flush(temporary)
            refuse_existing(path, force=force)  # nobody else wrote it meanwhile
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, force: bool = False) -> Generator[Path]:
    """Do the same with a folder; it may replace only what an export wrote.

    Raises
    ------
    SettingsError
        When something exists that may not be replaced, or the folder cannot be written.
    """
    _refuse_folder(path, force=force)
    temporary = _temporary_name(path)
    try:
        with explain_errors(path):
            temporary.mkdir(mode=OWNER_ONLY_FOLDER)
            yield temporary
            for file in temporary.rglob("*"):
                file.chmod(OWNER_ONLY_FOLDER if file.is_dir() else OWNER_ONLY_FILE)
                if file.is_file():
                    _flush(file)
            _refuse_folder(path, force=force)
            _install(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_target(path: Path, *, folder: bool, force: bool) -> None:
    """Refuse a path that is taken, before anything is read for it.

    Raises
    ------
    SettingsError
        As in `new_file` and `new_folder`.
    """
    if folder:
        _refuse_folder(path, force=force)
    elif path.is_dir():
        raise SettingsError(f"'{quote(path, longest=200)}' is a folder; name a file.")
    else:
        refuse_existing(path, force=force)


@contextmanager
def explain_errors(path: Path) -> Generator[None]:
    """Turn errors of the operating system into a message that names the path."""
    try:
        yield
    except OSError as fault:
        raise SettingsError(
            f"'{quote(path, longest=200)}' cannot be written: {fault.strerror or fault}."
        ) from fault


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise SettingsError where a file is there and not to be replaced."""
    if path.exists() and not force:
        raise SettingsError(
            f"'{quote(path, longest=200)}' already exists. Choose another name, or replace it with --force."
        )


def _refuse_folder(path: Path, *, force: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir():
        raise SettingsError(f"'{quote(path, longest=200)}' is a file; name a folder.")
    if not (path / MANIFEST).is_file():
        raise SettingsError(
            f"'{quote(path, longest=200)}' contains files not written by an export. Name a new or empty folder."
        )
    if not force:
        raise SettingsError(
            f"'{quote(path, longest=200)}' already contains an export. Choose another folder, or replace it with "
            "--force."
        )


def _install(made: Path, path: Path) -> None:
    if not path.exists():
        made.rename(path)
        return
    old = _temporary_name(path)
    path.rename(old)
    try:
        made.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _temporary_name(path: Path) -> Path:
    path = path.absolute()
    return path.parent / f".{path.name}.{secrets.token_hex(4)}"


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
