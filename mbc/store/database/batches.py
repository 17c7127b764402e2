"""How a stream of any length is handled a part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
BATCH = 2000  # enough for the driver's bulk ways; few enough for one IN (...) on either database


def batches(things: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Cut a stream into lists.

    Examples
    --------
    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    stream = iter(things)
    while batch := list(islice(stream, size)):
        yield batch
