"""What is read of everybody, kept for as long as the record that it was read from stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from mbc.store import Store

T = TypeVar("T")


class KeptResults:
    """Results by what was asked for, of one state of the care channel; safe to share between threads.

    Parameters
    ----------
    store : Store
        The record, all of it. Who may be shown what is made of a result is for the caller to ask.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._state = ""
        self._results: dict[Hashable, Any] = {}

    def give(self, asked: Hashable, read: Callable[[], T]) -> T:
        """Give a result; read where it is not kept, or was read before something was written."""
        state = self._store.care_revision()
        with self._lock:
            if state != self._state:
                self._state, self._results = state, {}
            if asked in self._results:
                return self._results[asked]
        made = read()
        with self._lock:
            if state == self._state:
                self._results[asked] = made
        return made
