"""How the pages are served: one process, or several behind one address, until somebody stops them."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from dashboards.server.connections import Limits, make_server
from mbc.errors import SettingsError

_LOG = logging.getLogger("mbc.server")
_WHY = {
    errno.EADDRINUSE: "another program is using it. Choose another: --port 8051",
    errno.EACCES: "this user may not use it. Choose one above 1023: --port 8050",
    errno.EADDRNOTAVAIL: "this machine does not have that address. Try --host 127.0.0.1",
}

if TYPE_CHECKING:
    from dash import Dash

OpenApp = Callable[[], AbstractContextManager["Dash"]]


@dataclass(frozen=True, slots=True)
class Serving:
    """How an application is served.

    Parameters
    ----------
    open_app : callable
        Makes the application, in the process that serves it, and takes it down at the end.
    listening : socket
        As `listen` makes it.
    proxy : str, optional
        Address of the proxy that ends https in front of us: only its word about the visitor's address is trusted.
    limits : Limits
        What a visitor may take.
    """

    open_app: OpenApp
    listening: socket.socket
    proxy: str | None = None
    limits: Limits = field(default_factory=Limits)


def serve(serving: Serving, *, workers: int = 1, ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted; answers that are under way are finished first.

    Parameters
    ----------
    serving : Serving
        What is served, and where.
    workers : int
        How many processes; each has the application to itself. More than one needs Linux or macOS.
    ready : callable
        Called with the address once the server answers.

    Raises
    ------
    SettingsError
        If this system has no worker processes.
    StoreError
        If the record cannot be opened.
    """
    address = _address(serving.listening)
    announce = ready or (lambda _: None)
    if workers > 1:
        require_workers(workers)
        from dashboards.server.workers import run_workers  # noqa: PLC0415 - gunicorn does not run on Windows

        run_workers(serving, workers, ready=lambda: announce(address))
        return
    from dashboards.server.model_timer import making_models  # noqa: PLC0415 - see `dashboards.server.preparation`
    from dashboards.server.notice_timer import sending_notices  # noqa: PLC0415

    with serving.open_app() as app:
        server = make_server(app.server, serving.listening, serving.limits, proxy=serving.proxy)
        with making_models(app), sending_notices(app), _Stop() as stop:
            stop.wakes(server.pull_trigger)
            announce(address)
            _LOG.info("serving", extra={"workers": 1})
            server.run_until(stop.asked)
    _LOG.info("stopped")


def require_workers(workers: int) -> None:
    """Refuse several processes where there is no manager for them.

    Raises
    ------
    SettingsError
        On Windows, or where gunicorn is not installed.
    """
    if workers == 1:
        return
    if sys.platform == "win32" or find_spec("gunicorn") is None:
        raise SettingsError(
            f"--workers {workers} needs Linux or macOS, and gunicorn. Leave out --workers to run a single process."
        )


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address; port 0 takes any free one.

    Raises
    ------
    SettingsError
        If it is not possible to listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as fault:
        why = "there is no such host." if isinstance(fault, socket.gaierror) else _WHY.get(fault.errno or 0)
        raise SettingsError(f"Cannot listen on {host}, port {port}: {why or fault.strerror}") from None


class _Stop:
    """Whether somebody asked this process to stop, by Ctrl-C or SIGTERM; a second Ctrl-C stops it at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._wake: Callable[[], None] = lambda: None
        self._before: dict[int, Any] = {}

    def asked(self) -> bool:
        return self._asked.is_set()

    def wakes(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: object) -> None:
        if self._asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked.set()
        self._wake()


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - compared
    return f"http://{shown}:{port}"
