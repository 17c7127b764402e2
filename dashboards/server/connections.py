"""How many connections are held, and for how long: slow and idle ones give way to visitors."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from dashboards.web.rate_limit import network_of

_ACCEPTED_AT_ONCE = 64
_QUIET_SECONDS = 1.0
_LOOP_SECONDS = 1.0  # how long the loop sleeps at most: the clock of every limit below


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process gives to its visitors.

    Browsers open up to six connections each. A connection that waits for its visitor (idle, or with half a
    request) is closed to make room; one whose request is being answered never is.
    """

    threads: int = 16  # at most half of them check passwords: see `dashboards.web.rate_limit`
    connections: int = 400
    connections_of_address: int = 80  # a clinic behind one router is one address; a proxy is not counted
    request_seconds: float = 20  # from the first byte of a request to its last
    idle_seconds: float = 30  # without a request, or without reading the answer
    header_bytes: int = 32_768
    body_bytes: int = 1_000_000  # the forms of the pages send a few hundred
    stop_seconds: float = 20  # for answers that are under way when the server stops


class Connection(HTTPChannel):
    """One visitor's connection, which knows since when it has been waiting for a whole request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.since: float | None = None  # when the first byte of the request came that is not whole yet
        super().__init__(*args, **kwargs)

    def received(self, data: bytes) -> bool:
        """Take in what came, and note when a request began."""
        taken = super().received(data)
        if self.request is None:
            self.since = None
        elif self.since is None:
            self.since = time.time()
        return taken

    @property
    def is_waiting(self) -> bool:
        """Whether nothing of this visitor's is being worked on."""
        return not self.requests and not self.will_close

    def is_overdue(self, now: float, limits: Limits) -> bool:
        """Whether the visitor was given time enough."""
        if not self.is_waiting:
            return False
        slow = self.since is not None and now - self.since > limits.request_seconds
        return slow or now - self.last_activity > limits.idle_seconds


class Server(TcpWSGIServer):
    """Waitress with limits that hold against slow, idle and many connections.

    Requests are read by one loop and handed to a thread when they are whole, so a slow sender holds no thread.
    """

    channel_class = Connection
    limits: Limits
    proxy: str | None
    _map: dict[int, Any]  # waitress sets it

    def handle_accept(self) -> None:
        """Accept a new connection, closing the one that has waited longest if there are too many."""
        for _ in range(_ACCEPTED_AT_ONCE):
            before = len(self._open)
            super().handle_accept()
            if len(self._open) == before:  # nobody else is waiting outside
                return
            self._make_room(next(reversed(self._open.values())))

    def maintenance(self, now: float) -> None:
        """Close what has taken too long."""
        for channel in list(self._open.values()):
            if channel.is_overdue(now, self.limits):
                channel.will_close = True

    def run_until(self, stopping: Callable[[], bool], *, beat: Callable[[], None] = lambda: None) -> None:
        """Serve until asked to stop, then finish what is under way.

        Parameters
        ----------
        stopping : callable
            Asked about once a second, and after `pull_trigger`.
        beat : callable
            Called as often, as a sign of life.
        """
        while not stopping():
            self._turn()
            beat()
        self._drain(beat)

    def _drain(self, beat: Callable[[], None]) -> None:
        self.handle_accept()  # who is at the door already
        self.accepting = False
        self.del_channel(self._map)
        cast("socket.socket", self.socket).close()
        until = time.time() + self.limits.stop_seconds
        while time.time() < until:
            for channel in list(self._open.values()):
                quiet = time.time() - channel.last_activity > _QUIET_SECONDS  # one that has just come may send yet
                if quiet and channel.is_waiting and not channel.total_outbufs_len:
                    channel.handle_close()
            if not self._open:
                break
            self._turn(0.1)
            beat()
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map, ignore_all=True)

    def _turn(self, seconds: float = _LOOP_SECONDS) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    @property
    def _open(self) -> dict[int, Connection]:
        return cast("Any", self).active_channels

    def _make_room(self, new: Connection) -> None:
        address = _address_of(new)
        everybody = list(self._open.values())
        neighbours = [channel for channel in everybody if _address_of(channel) == address]
        if len(everybody) > self.limits.connections:
            _close_longest_waiting(everybody, new)
        elif address != self.proxy and len(neighbours) > self.limits.connections_of_address:
            _close_longest_waiting(neighbours, new)


def make_server(application: Any, listening: socket.socket, limits: Limits, *, proxy: str | None = None) -> Server:
    """Put an application behind a socket that listens.

    Parameters
    ----------
    application : WSGI application
        What answers.
    listening : socket
        Where visitors come in; several processes may share it.
    limits : Limits
        What a visitor may take.
    proxy : str, optional
        Address of the proxy that ends https in front of us: only its word about the visitor's address is trusted.
    """
    trust = {} if proxy is None else _trusting(proxy)
    adjustments = Adjustments(
        sockets=[listening],
        threads=limits.threads,
        ident=None,
        connection_limit=limits.connections + 50,  # room for the loop's own, and for one more than is kept
        cleanup_interval=1,
        max_request_header_size=limits.header_bytes,
        max_request_body_size=limits.body_bytes,
        asyncore_use_poll=True,
        **trust,
    )
    place = (listening.family, listening.type, listening.proto, listening.getsockname())
    server = Server(application, {}, True, listening, adj=adjustments, bind_socket=False, sockinfo=place)  # noqa: FBT003
    server.limits, server.proxy = limits, proxy
    return server


def _close_longest_waiting(channels: list[Connection], new: Connection) -> None:
    waiting = [channel for channel in channels if channel.is_waiting and channel is not new]
    if waiting:
        min(waiting, key=lambda channel: channel.since or channel.last_activity).handle_close()


def _address_of(channel: Connection) -> str:
    """Name whose connection it is; all addresses of an IPv6 network belong to the same customer."""
    return network_of(str(channel.addr[0]))


def _trusting(proxy: str) -> dict[str, Any]:
    return {
        "trusted_proxy": proxy,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }
