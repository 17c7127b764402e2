"""By which names people may call this server: a page of another name that leads here gets nothing."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_WRONG = "This server does not accept that host name. Ask its administrator for the right address."


def install_hosts(server: Flask, names: Collection[str], *, open_endpoints: Collection[str]) -> None:
    """Refuse requests for any other host than these and this machine's own names; with no names, none is refused.

    Parameters
    ----------
    server : flask.Flask
        The server.
    names : collection of str
        As people type them, without port.
    open_endpoints : collection of str
        Answered by any name: a monitor asks by address.
    """
    allowed = {name.casefold() for name in names} | _LOCAL

    @server.before_request
    def check_host() -> ResponseReturnValue | None:
        if not names or request.endpoint in open_endpoints or host_name(request.host) in allowed:
            return None
        return Response(_WRONG, 400, mimetype="text/plain")


def host_name(host: str) -> str:
    """Give the name in a Host header, without its port.

    Examples
    --------
    >>> host_name("Clinic.example:8050"), host_name("[::1]:8050")
    ('clinic.example', '::1')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
