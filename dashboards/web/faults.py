"""What happens when something breaks: one plain line in the log, and one more try for what only reads."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from dashboards.routes import Pages
from mbc.errors import StoreUnreachable

_LOG = logging.getLogger("mbc.server")
_ROOT = Path(__file__).resolve().parents[2]
_CALLBACKS = "/_dash-update-component"
_Result = TypeVar("_Result")


class PatientFlask(Flask):
    """Flask whose log names nobody, and which reads once more when the connection to the record was lost."""

    pages: Pages | None = None  # for the names that stand in the log instead of paths

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Run what stands before every page."""
        return _once_more(super().preprocess_request)

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the request."""
        return _once_more(super().dispatch_request)

    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """Write down a fault that nobody expected: what and where, and nothing that was on its way."""
        if exc_info[1] is not None:
            log_fault(exc_info[1], 500)


def log_fault(fault: BaseException, status: int) -> None:
    """Write one line about a fault, by names of pages and classes: messages may hold what is on record.

    With the log's debug switch, the traceback follows.
    """
    g.fault_reference = secrets.token_hex(3)
    cause = fault.__cause__
    original = getattr(cause, "orig", cause)
    _LOG.log(
        logging.ERROR if status == 500 else logging.WARNING,
        "request failed",
        exc_info=fault,
        extra={
            "status": status,
            "method": request.method,
            "page": _page(),
            "kind": type(fault).__name__,
            "cause": type(original).__name__ if original is not None else None,
            "sqlstate": getattr(original, "sqlstate", None),
            "place": _place(fault),
            "reference": g.fault_reference,
        },
    )


def fault_reference() -> str:
    """Give the reference under which the fault of this request stands in the log; empty where there is none."""
    return g.get("fault_reference", "")


def _once_more(call: Callable[[], _Result]) -> _Result:
    try:
        return call()
    except StoreUnreachable:  # the next connection may work: the old one was cut
        if request.method not in ("GET", "HEAD") and request.path != _CALLBACKS:
            raise
        return call()


def _page() -> str:
    """Name what was asked for; a path may name a client."""
    pages = getattr(current_app, "pages", None)
    page = pages.at(request.path) if isinstance(pages, Pages) else None
    if page is not None:
        return page.name
    rule = request.url_rule
    return "other" if rule is None or "<" in rule.rule else rule.rule


def _place(fault: BaseException) -> str:
    """Name the last line of our own code that the fault went through."""
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        path = Path(frame.filename)
        ours = path.is_relative_to(_ROOT) and "site-packages" not in path.parts
        if ours and path.name != "engine.py":  # where every fault of a database is put into words
            return f"{path.relative_to(_ROOT)}:{frame.lineno}"
    return "elsewhere"
