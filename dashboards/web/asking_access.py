"""What the pages have for asking clients: the clinic's settings, the box, and collecting when a page is opened."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app, has_app_context

from dashboards.web.visitor import fixed_day, signed_in_user, unscoped_store
from mbc.box.box import Box
from mbc.care.askings.clear_box import clearing
from mbc.care.askings.collect import collect
from mbc.care.askings.settings import AskingSettings
from mbc.errors import SettingsError
from mbc.exchange.own_definitions import definitions_of
from mbc.store import Store

_KEY = "mbc_askings"
_LOG = logging.getLogger("mbc.askings")
_WAIT_SECONDS = 0.5  # how long a page waits for what is collected at most
_PAUSE_SECONDS = 3.0
UNREACHABLE = "Answers cannot be collected at the moment: the answer box cannot be reached."


class AskingAccess:
    """The clinic's settings about asking, and its box; opened when it is first needed.

    Parameters
    ----------
    settings : AskingSettings
        They name the box.
    wait_seconds : float
        How long a page waits for collecting.
    clock : callable
        Seconds that only grow; tests turn it.
    """

    def __init__(
        self,
        settings: AskingSettings,
        *,
        wait_seconds: float = _WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._wait = wait_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._box: Box | None = None
        self._running: threading.Thread | None = None
        self._ended = float("-inf")
        self._fault = False

    def box(self) -> Box:
        """Give the box.

        Raises
        ------
        MbcError
            If it cannot be opened.
        """
        with self._lock:
            if self._box is None:
                self._box = Box(Path(str(self.settings.box)))
            return self._box

    def collect(self, store: Store, *, day: dt.date | None = None) -> str:
        """Collect what has been answered, and wait for it a moment; a fault is put into words, never raised.

        Parameters
        ----------
        store : Store
            The record, as the operator has it.
        day : date, optional
            The day that answers are dated by; see `mbc.care.askings.collect.collect`.
        """
        with self._lock:
            running = self._running
            if running is None or not running.is_alive():
                if self._clock() - self._ended < _PAUSE_SECONDS:
                    return UNREACHABLE if self._fault else ""
                running = threading.Thread(target=self._collect, args=(store, day), daemon=True)
                self._running = running
                running.start()
        running.join(self._wait)
        return UNREACHABLE if self._fault else ""

    def close(self) -> None:
        """Give the box back, after what is being collected."""
        running, self._running = self._running, None
        if running is not None:
            running.join(10)
        if self._box is not None:
            self._box.close()
            self._box = None

    def _collect(self, store: Store, day: dt.date | None) -> None:
        fault = False
        try:
            with definitions_of(store):
                collect(store, self.box(), day=day)
        except Exception as error:  # noqa: BLE001 - a page is shown whatever happens to the box
            fault = True
            _LOG.warning("not collected", extra={"kind": type(error).__name__})
        finally:
            self._fault, self._ended = fault, self._clock()


def set_askings(extensions: dict[str, object], settings: AskingSettings | None) -> None:
    """Store what asking needs within reach of requests; None: this server asks nobody."""
    if settings is not None:
        extensions[_KEY] = AskingAccess(settings)


def close_askings(extensions: dict[str, object]) -> None:
    """Give the box back."""
    access = extensions.pop(_KEY, None)
    if isinstance(access, AskingAccess):
        access.close()


def asking_access() -> AskingAccess | None:
    """Give what asking needs; None where this server asks nobody."""
    access = current_app.extensions.get(_KEY) if has_app_context() else None
    return access if isinstance(access, AskingAccess) else None


def collect_first() -> str:
    """Collect before a page is read; gives words about the box when it could not be reached."""
    access = asking_access()
    if access is None:
        return ""
    return access.collect(unscoped_store(), day=fixed_day())


@contextmanager
def clearing_of_box(client_id: str) -> Generator[None]:
    """Take what is a client's out of the box when the block, which erases the client, has ended well.

    Raises
    ------
    MbcError
        If the box cannot be opened; or if this server asks nobody, and something may be in a box all the same.
    """
    access, store = asking_access(), unscoped_store()
    if not signed_in_user().has_permission("clients:erase"):
        yield  # refuses
        return
    if access is not None:
        with clearing(store, access.box(), client_id):
            yield
        return
    if store.askings(client_id)["collected_at"].null_count() > 0:
        raise SettingsError(
            "The client was sent questions to answer on their own device, and this server does not know where "
            "the answer box is. Erase with the command on the record's machine: mbc erase --settings FILE"
        )
    yield
