"""What a browser is told it may do with our pages: run our own code, keep nothing, ask nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from flask import Flask, Response, g, request

# Bundled scripts, styles and icons: the same for everyone, named by their content.
_KEEPABLE = ("/_dash-component-suites/", "/assets/", "/sign-in/")

_PERMISSIONS = (
    "accelerometer camera display-capture geolocation gyroscope hid magnetometer microphone midi payment "
    "screen-wake-lock serial usb xr-spatial-tracking browsing-topics"
)

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        (
            *(f"{feature}=()" for feature in _PERMISSIONS.split()),
            *(f"publickey-credentials-{use}=(self)" for use in ("create", "get")),  # passkeys
        )
    ),
}


def style_nonce() -> str:
    """Give the nonce of this response: styles are applied only from elements that carry it."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(18)
    return g.style_nonce


def content_security_policy(nonce: str, script_hashes: Iterable[str]) -> str:
    """Write the policy: scripts of our own origin, styles with the nonce, and no other host for anything.

    Examples
    --------
    >>> policy = content_security_policy("abc", ["'sha256-x'"])
    >>> "script-src 'self' 'sha256-x';" in policy, "unsafe" in policy
    (True, False)
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            f"style-src 'self' 'nonce-{nonce}'",
            "style-src-attr 'none'",
            "img-src 'self' data:",
            "font-src 'self' data:",  # the grid's icons are a font inside its own style sheet
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def install_headers(server: Flask, script_hashes: Callable[[], Iterable[str]], *, https: bool) -> None:
    """Send the headers with every response, refusals and faults included.

    Parameters
    ----------
    server : flask.Flask
        The server.
    script_hashes : callable
        Gives the hashes of the inline scripts the page itself carries; asked at each response.
    https : bool
        Whether to tell browsers to come back over https alone.
    """

    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_FIXED)
        policy = content_security_policy(style_nonce(), script_hashes())
        response.headers["Content-Security-Policy"] = policy
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        keepable = request.path.startswith(_KEEPABLE) and response.mimetype != "text/html"
        if response.status_code != 200 or not keepable:
            response.headers["Cache-Control"] = "no-store"
        return response
