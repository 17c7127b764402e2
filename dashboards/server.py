"""How the application is put behind a server fit for a clinic: waitress, one process, several threads."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from dash import Dash
from waitress.server import create_server

from dashboards.warm_up import start_warm_up
from mbc.errors import SettingsError

_THREADS = 8
_WHY = {
    errno.EADDRINUSE: "another program is using it. Choose another: --port 8051",
    errno.EACCES: "this user may not use it. Choose one above 1023: --port 8050",
    errno.EADDRNOTAVAIL: "this machine does not have that address. Try --host 127.0.0.1",
}


def serve(
    app: Dash, *, host: str, port: int, https_proxy: str | None = None, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    app : Dash
        The application.
    host, port : str, int
        Where to listen; port 0 takes any free one.
    https_proxy : str, optional
        Address of the proxy that ends https in front of us: only its word about the visitor's address is trusted.
    ready : callable
        Called with the address once the server answers.

    Raises
    ------
    SettingsError
        If it is not possible to listen there.
    """
    listening = _listen(host, port)
    trust = {} if https_proxy is None else _trusting(https_proxy)
    server = create_server(app.server, sockets=[listening], threads=_THREADS, ident=None, **trust)
    start_warm_up(app)
    if ready is not None:
        ready(f"http://{_display_host(host)}:{listening.getsockname()[1]}")
    try:
        server.run()
    except KeyboardInterrupt:  # waitress itself ends quietly; this is the moment before and after
        pass
    finally:
        server.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as fault:
        why = "there is no such host." if isinstance(fault, socket.gaierror) else _WHY.get(fault.errno or 0)
        raise SettingsError(f"Cannot listen on {host}, port {port}: {why or fault.strerror}") from None


def _trusting(proxy: str) -> dict[str, Any]:
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }


def _display_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if ":" in host else host  # noqa: S104 - compared
