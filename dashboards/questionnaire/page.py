"""How a page is written and sent: one document with its own style, kept by nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Flask, Response, make_response, render_template
from markupsafe import Markup, escape

from dashboards.questionnaire.frame import Frame, direction
from mbc.box.content import Asking

_NUMBER = re.compile(r"(?<![&#\w])[+(]?\d(?:[\d ()/-]*\d)?")
_DENIED = (
    "accelerometer camera display-capture geolocation gyroscope hid magnetometer microphone midi payment "
    "publickey-credentials-get screen-wake-lock serial usb xr-spatial-tracking browsing-topics"
)


@cache
def _text(name: str) -> str:
    lines = (files("dashboards.questionnaire") / "pages" / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _headers() -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src {_hash(_text('style.css'))}; script-src {_hash(_text('leave.js'))}; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _DENIED.split()),
    }


def help_lines(text: str) -> Markup:
    """Mark the numbers in a text, so that no language that runs from right to left turns their groups round.

    Examples
    --------
    >>> str(help_lines("Call +49 116 016 <now>."))
    'Call <bdi dir="ltr">+49 116 016</bdi> &lt;now&gt;.'
    """
    return Markup(_NUMBER.sub(r'<bdi dir="ltr">\g<0></bdi>', str(escape(text))))  # noqa: S704 - escaped before


def install_headers(server: Flask, *, https: bool) -> None:
    """Send the headers with every response, refusals and faults included."""

    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_headers())
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def page(
    template: str,
    frame: Frame,
    *,
    asking: Asking | None = None,
    help_shown: bool = False,
    status: int = 200,
    **values: Any,
) -> Response:
    """Write a page.

    Parameters
    ----------
    template : str
        A file of the folder `pages`.
    frame : Frame
        The words around the questions.
    asking : Asking, optional
        What is asked; its language is the questions'.
    help_shown : bool
        Whether the clinic's help text stands at the end.
    status : int
        Of the response.
    **values
        What the template needs: ``leave`` (where *leave now* leads), ``kiosk``, and others.
    """
    language = asking.language if asking is not None else frame.language
    written = render_template(
        template,
        frame=frame,
        language=language,
        language_direction=direction(language),
        help_text=help_lines(asking.help_text) if asking and asking.help_text and help_shown else None,
        style=Markup(_text("style.css")),  # noqa: S704 - files of ours, without a closing tag
        script=Markup(_text("leave.js")),  # noqa: S704
        **values,
    )
    return make_response(written, status)
