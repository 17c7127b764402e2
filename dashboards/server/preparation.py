"""What must be known before the first process serves: that the record opens, its key, and the key of the cookies.

The process that starts the workers copies itself, which is safe only as long as it runs no threads; what reads the
record starts some when it is loaded. So there it is done by a child, which hands over what it learned.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.settings import Settings
from dashboards.web.rate_limit import RateLimits
from mbc.errors import MbcError, SettingsError

if TYPE_CHECKING:
    from dash import Dash


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the record's processes need, in plain values."""

    secret_key: str = field(repr=False)
    passphrase: tuple[str, str] | None = field(default=None, repr=False)  # its text, and where it was found
    warnings: tuple[str, ...] = ()  # for whoever starts the server


def prepare(store_url: str) -> Prepared:
    """Open the record once, and find both keys; asks for the record's at the terminal.

    Raises
    ------
    StoreError, WrongKey, SettingsError
        If the record cannot be opened, a key is missing, or the file of leaked passwords cannot be used.
    """
    # loaded here: see above
    from dashboards.web.secret_key import key_of_environment, secret_key  # noqa: PLC0415
    from mbc import sqlite_library  # noqa: PLC0415
    from mbc.care.scoring.recorded_definitions import changed_definitions  # noqa: PLC0415
    from mbc.exchange.own_definitions import definitions_of  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.access.leaked_passwords import check_leaked_passwords  # noqa: PLC0415
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415
    from mbc.store.database.addresses import address, file_of, is_encrypted, tls_caution  # noqa: PLC0415

    check_leaked_passwords()
    with Store.open(store_url) as store, definitions_of(store):  # a key is made only for a record that exists
        warnings = tuple(changed_definitions(store))
        if store.url.startswith("sqlite") and (note := sqlite_library.caution()):
            warnings += (note,)
        if note := tls_caution(address(store_url)):
            warnings += (note,)
    place = address(store_url)
    path = file_of(place)
    passphrase = keys.find(path) if path is not None and is_encrypted(place) else None
    return Prepared(
        secret_key(store_url, given=key_of_environment()),
        None if passphrase is None else (passphrase.text, passphrase.origin),
        warnings,
    )


def prepare_aside(store_url: str) -> Prepared:
    """Prepare in a child process: nothing that is loaded for it stays in this one. Not on Windows.

    Raises
    ------
    StoreError, WrongKey, SettingsError
        As `prepare` does.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(store_url, reading, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        raise SettingsError("The server was stopped before it had opened the record.")
    result: Prepared | MbcError = pickle.loads(answer)  # noqa: S301 - our own child's
    if isinstance(result, MbcError):
        raise result
    return result


@contextmanager
def open_prepared(
    store_url: str, settings: Settings, rates: RateLimits, passphrase: tuple[str, str] | None
) -> Iterator[Dash]:
    """Make the application in the process that serves it."""
    from dashboards.app import open_app  # noqa: PLC0415 - see above
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415
    from mbc.store.database.addresses import address, file_of  # noqa: PLC0415

    path = file_of(address(store_url))
    if passphrase is not None and path is not None:
        keys.keep(path, keys.Passphrase(*passphrase))
    with open_app(store_url, settings, rates) as app:
        gc.collect()
        gc.freeze()  # what is loaded by now stays: Python need not search it for cycles at every page
        try:
            yield app
        finally:
            gc.unfreeze()


def _answer(store_url: str, reading: int, writing: int) -> None:
    """Be the child: write the answer, and end without running what the parent has set up for its own end."""
    os.close(reading)
    status = 1
    try:
        try:
            answer = pickle.dumps(prepare(store_url))
        except MbcError as fault:
            answer = pickle.dumps(fault)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)
