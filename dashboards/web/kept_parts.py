"""Parts of pages kept as the JSON that the browser gets, so that a page opened again is not worked out again.

A part is found by a key that holds everything that decides on it: who sees it through which view of the record,
the state of what is on record, the models, the day. What belongs to one request alone (the token of forms, a view
that was chosen) is not kept: it takes the place of a blank that only this process knows.
"""

from __future__ import annotations

import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any, cast

from dash.development.base_component import Component
from flask import Flask, Response, current_app, g, has_request_context, request
from plotly.io.json import to_json_plotly

from dashboards.web.callback_check import PATH

_KEPT, _WAITING = "mbc_kept_parts", "kept_parts"
_MOST_BYTES = 32_000_000  # compressed: about a thousand pages
_LONGEST_WAIT = 1.0  # seconds until a text is made although another is still being made
_SECRET = secrets.token_hex(16)  # no text on record can be one of our blanks


class KeptParts:
    """Texts by key, the least lately used let go first.

    Parameters
    ----------
    most_bytes : int
        Of all texts together, compressed.

    Examples
    --------
    >>> parts = KeptParts()
    >>> parts.give("a", lambda: "text"), parts.give("a", lambda: "another")
    ('text', 'text')
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._lock = Lock()
        self._turn = Lock()
        self._most = most_bytes
        self._size = 0
        self._texts: OrderedDict[Hashable, bytes] = OrderedDict()

    def give(self, key: Hashable, make: Callable[[], str], *, keep: Callable[[], bool] = lambda: True) -> str:
        """Give the text of a key; made where it is not kept, and kept from then on if ``keep`` says so then.

        Texts are made one at a time: the threads of a process share its processor, so four pages that were made
        at once would all be ready only when the last of them is. Nobody waits longer than a second.
        """
        kept = self._find(key)
        if kept is not None:
            return kept
        own_turn = self._turn.acquire(timeout=_LONGEST_WAIT)
        try:
            kept = self._find(key)  # somebody else may have made it meanwhile
            if kept is not None:
                return kept
            text = make()
            if keep():
                self._keep(key, text)
            return text
        finally:
            if own_turn:
                self._turn.release()

    def _keep(self, key: Hashable, text: str) -> None:
        packed = zlib.compress(text.encode(), level=1)
        with self._lock:
            self._size += len(packed) - len(self._texts.pop(key, b""))
            self._texts[key] = packed
            while self._size > self._most:
                self._size -= len(self._texts.popitem(last=False)[1])

    def _find(self, key: Hashable) -> str | None:
        with self._lock:
            kept = self._texts.get(key)
            if kept is not None:
                self._texts.move_to_end(key)
        return None if kept is None else zlib.decompress(kept).decode()


def blank(name: str) -> str:
    """Give the text that stands in a kept part for what belongs to one request."""
    return f"{_SECRET}-{name}"


def kept_part(
    key: Hashable,
    make: Callable[[], Component],
    blanks: Mapping[str, str | Component],
    *,
    keep: Callable[[], bool] = lambda: True,
) -> str:
    """Give what stands for a part in the layout of a page, until the answer is sent.

    Parameters
    ----------
    key : hashable
        Everything that decides on the part.
    make : callable
        Lays the part out, with each `blank` where its content goes; called where the part is not kept.
    blanks : mapping
        What goes there in the answer to this request, by name.
    keep : callable
        Says, once the part is laid out, whether it may be kept.
    """
    kept: KeptParts = current_app.extensions.setdefault(_KEPT, KeptParts())
    text = kept.give(key, lambda: _json(make()), keep=keep)
    for name, content in blanks.items():
        text = text.replace(f'"{blank(name)}"', _json(content))
    mark = secrets.token_hex(16)
    g.setdefault(_WAITING, {})[mark] = text
    return mark


def can_keep() -> bool:
    """Whether the answer to this request is JSON, in which kept parts find their place."""
    return has_request_context() and request.method == "POST" and request.path == PATH


def install_kept_parts(server: Flask) -> None:
    """Put kept parts into the answers of callbacks."""

    @server.after_request
    def fill(answer: Response) -> Response:
        waiting = cast("dict[str, str]", g.pop(_WAITING, {}))
        if waiting:
            text = answer.get_data(as_text=True)
            for mark, part in waiting.items():
                text = text.replace(f'"{mark}"', part)
            answer.set_data(text)
        return answer


def _json(content: Any) -> str:
    return str(to_json_plotly(content))
