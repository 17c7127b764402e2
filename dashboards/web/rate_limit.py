"""How often one visitor may ask, and try to sign in: a limit that all processes of a server share."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import mmap
import secrets
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, g, request, session
from flask.typing import ResponseReturnValue

_HASHING = ("/sign-in", "/new-password/")
PROVIDER = "/sign-in/provider"  # addresses that ask the clinic's provider, which may be slow
PROVIDER_BACK = f"{PROVIDER}/back"
PROVIDER_LOGOUT = f"{PROVIDER}/logout"
_SLOTS = 16_384
_SLOT = struct.Struct("dd")  # what is left, and when that was
TOO_MANY = "Too many requests came from this address. Wait a minute, then try again."


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may come at once, and how much afterwards.

    Parameters
    ----------
    burst : float
        Requests at once.
    per_second : float
        Requests afterwards, in the long run.
    """

    burst: float
    per_second: float


REQUESTS = Rate(burst=400, per_second=40)  # a first page is about 40 requests, most of them for scripts
_CHECKED_AT_ONCE = 2  # passwords, in each process: each takes 64 MB and a core
_WAITING = 6  # for that; further ones are asked to come back, so that threads are left for everybody else
PROVIDER_ASKED = Rate(burst=60, per_second=1 / 2)  # there, back, and out again
PROVIDER_LOGOUTS = Rate(burst=100, per_second=1)  # all of them come from the provider's address
_LOGOUTS_AT_ONCE, _LOGOUTS_WAITING = 2, 4  # most take a moment, and many a provider asks only once
_ASKING = 3  # requests of each process that wait for the provider: threads are left for everybody else
SIGN_INS = Rate(burst=20, per_second=1 / 6)  # a clinic behind one router, at nine in the morning


class RateLimits:
    """What every visitor has left, in memory that worker processes share when they are started.

    Two visitors may fall on the same of 16,384 places, by chance that nobody can steer: then they share a limit.

    Parameters
    ----------
    clock : callable
        Seconds; tests turn it.

    Examples
    --------
    >>> limits = RateLimits(clock=lambda: 0.0)
    >>> [limits.allows("ann", Rate(burst=2, per_second=1)) for _ in range(3)]
    [True, True, False]
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memory = mmap.mmap(-1, _SLOTS * _SLOT.size)
        self._salt = secrets.token_bytes(16)

    def allows(self, who: str, rate: Rate) -> bool:
        """Count one request of somebody's, and say whether it may be answered."""
        digest = hashlib.blake2b(f"{rate} {who}".encode(), key=self._salt, digest_size=8).digest()
        place = int.from_bytes(digest) % _SLOTS * _SLOT.size
        left, since = _SLOT.unpack_from(self._memory, place)  # all zero: never used
        now = self._clock()
        gained = (now - since) * rate.per_second if since else rate.burst
        left = min(rate.burst, left + max(0.0, gained)) if math.isfinite(left) else rate.burst
        allowed = left >= 1
        # two processes may write at the same moment: one request goes uncounted, and nobody waits for a lock
        _SLOT.pack_into(self._memory, place, left - 1 if allowed else left, now or 1e-9)
        return allowed


class _Queue:
    """A few requests of each process at a time, and a few more that wait; further ones are asked to come back."""

    def __init__(self, at_once: int, *, waiting: int = 0) -> None:
        self._places = threading.Semaphore(at_once + waiting)
        self._turns = threading.Semaphore(at_once)

    def enter(self) -> bool:
        """Wait for a turn; False where too many wait already."""
        if not self._places.acquire(blocking=False):
            return False
        self._turns.acquire()
        return True

    def leave(self) -> None:
        """Let the next one in."""
        self._turns.release()
        self._places.release()


def install_rate_limits(server: Flask, limits: RateLimits) -> None:
    """Refuse what comes too often, before anything else is done for it.

    A signed-in visitor is counted by their sign-in, everybody else by their address. Few passwords are checked
    at a time, and few requests wait for the clinic's provider.
    """
    passwords, asking = _Queue(_CHECKED_AT_ONCE, waiting=_WAITING), _Queue(_ASKING)
    logouts = _Queue(_LOGOUTS_AT_ONCE, waiting=_LOGOUTS_WAITING)

    def slow_work() -> tuple[Rate, _Queue] | None:
        posted = request.method == "POST"
        if posted and request.path == PROVIDER_LOGOUT:
            return PROVIDER_LOGOUTS, logouts
        if posted and request.path.startswith(_HASHING):
            return SIGN_INS, passwords
        return (PROVIDER_ASKED, asking) if request.path.startswith(PROVIDER) else None

    @server.before_request
    def count() -> ResponseReturnValue | None:
        address, work = network_of(request.remote_addr or ""), slow_work()
        if work is not None:
            rate, queue = work
            if not limits.allows(address, rate) or not queue.enter():
                return _too_many()
            g.queue = queue
            return None
        sign_in = session.get("sid")
        who = f"sign-in {sign_in}" if sign_in else address
        return None if limits.allows(who, REQUESTS) else _too_many()

    @server.teardown_request
    def release(_: BaseException | None) -> None:
        queue = g.pop("queue", None)
        if queue is not None:
            queue.leave()


def network_of(address: str) -> str:
    """Give the address that limits count by: IPv4 as it is, IPv6 without its last 64 bits.

    Examples
    --------
    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2")
    ('192.0.2.7', '2001:db8::')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False).network_address)


def _too_many() -> Response:
    return Response(TOO_MANY, 429, {"Retry-After": "60"}, mimetype="text/plain")
