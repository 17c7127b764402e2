"""What every form of a page has in common: a token that must hold, and a way back with what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from mbc.errors import MbcError

Answer = Callable[[], ResponseReturnValue]


def form_on(path: str | Callable[[], str], *, passes: type[MbcError] | None = None) -> Callable[[Answer], Answer]:
    """Make the answer to a form of a page.

    A form whose token does not hold is not answered. What mbc refuses leads back to the page, which says why.

    Parameters
    ----------
    path : str or callable
        Of the page; a callable where it depends on what was sent.
    passes : type, optional
        Errors that are not for this page: whoever meets them is told what everybody is told.
    """

    def made(answer: Answer) -> Answer:
        @wraps(answer)
        def checked() -> ResponseReturnValue:
            back = path if isinstance(path, str) else path()
            if not csrf_holds(request.form.get("csrf")):
                return back_to(back, STALE)
            try:
                return answer()
            except MbcError as fault:
                if passes is not None and isinstance(fault, passes):
                    raise
                return back_to(back, str(fault))

        return checked

    return made
