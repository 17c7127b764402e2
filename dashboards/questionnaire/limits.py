"""How often one address may ask, and try codes: memory of this process alone."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_MOST_ADDRESSES = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may come at once, and how much a second afterwards."""

    burst: float
    per_second: float


REQUESTS = Rate(burst=300, per_second=60)  # a waiting room behind one router
WRONG_CODES = Rate(burst=10, per_second=1 / 30)  # of one address; there are 27**8 codes


class Limits:
    """What is left to each address.

    Examples
    --------
    >>> limits = Limits(clock=lambda: 0.0)
    >>> [limits.take("a", Rate(burst=2, per_second=1)) for _ in range(3)]
    [True, True, False]
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[tuple[str, Rate], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, who: str, rate: Rate) -> bool:
        """Count one, and say whether it was still allowed."""
        with self._lock:
            left = self._of(who, rate)
            self._left[who, rate] = (left - 1 if left >= 1 else left, self._clock())
            return left >= 1

    def is_spent(self, who: str, rate: Rate) -> bool:
        """Say whether nothing is left, without counting."""
        with self._lock:
            return self._of(who, rate) < 1

    def _of(self, who: str, rate: Rate) -> float:
        if len(self._left) > _MOST_ADDRESSES:
            self._left.clear()
        left, since = self._left.get((who, rate), (rate.burst, self._clock()))
        return min(rate.burst, left + (self._clock() - since) * rate.per_second)


def network(address: str) -> str:
    """Give what counts as one address: an IPv6 network of 64 bits is one customer's.

    Examples
    --------
    >>> network("192.0.2.7"), network("2001:db8::1:2")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network(f"{parsed}/64", strict=False))
