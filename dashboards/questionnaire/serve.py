"""How the questionnaire is served, in a process of its own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waitress.server import create_server

from dashboards.questionnaire.app import create_app
from mbc.box.box import Box
from mbc.errors import SettingsError

_THREADS = 8


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and where."""

    box: Path
    host: str = "127.0.0.1"
    port: int = 8051
    proxy: str | None = None  # ends https in front of us; only its word about the visitor's address is trusted


def serve(serving: Serving, *, ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Raises
    ------
    SettingsError
        If the address cannot be had.
    MbcError
        If the box cannot be opened.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it would report every busy moment
    with closing(Box(serving.box)) as box:
        listening = _listen(serving.host, serving.port)
        server = create_server(
            create_app(box, https=serving.proxy is not None),
            sockets=[listening],
            threads=_THREADS,
            ident=None,
            max_request_header_size=16_384,
            max_request_body_size=16_384,
            channel_timeout=30,
            connection_limit=500,
            **_trusting(serving.proxy),
        )
        ready(f"http://{serving.host}:{listening.getsockname()[1]}")
        try:
            server.run()
        finally:
            server.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(256)
    except OSError as fault:
        raise SettingsError(
            f"The questionnaire cannot be served at {host}, port {port}: {fault.strerror}."
        ) from None
    return listening


def _trusting(proxy: str | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }
