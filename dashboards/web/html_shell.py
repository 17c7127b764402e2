"""The page around every page: its title says nothing, its styles carry a nonce, its theme is known at once."""

from __future__ import annotations

from typing import Any

from dash import Dash

from dashboards.web.headers import style_nonce

TITLE = "mbc"

# first.js must run before anything draws, so it is not among the scripts that Dash appends to the body.
_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{metas}
<title>{title}</title>
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<meta name="mbc-idle-seconds" content="{idle_seconds}">
<link rel="icon" type="image/svg+xml" href="/sign-in/icon.svg">
<noscript><meta http-equiv="refresh" content="0; url=?plain=1"></noscript>
<script src="/assets/first.js" nonce="{nonce}"></script>
<script src="/sign-in/passkey.js" defer></script>
{css}
</head>
<body>
{app_entry}
<noscript><p class="notice"><a href="?plain=1">Text and tables only</a>: charts need JavaScript.</p></noscript>
<footer>{config}{scripts}{renderer}</footer>
</body>
</html>"""


class QuietDash(Dash):
    """Dash with our own page around it."""

    idle_seconds: int = 1800  # the page asks to sign in again when it was left alone for longer

    # Dash calls it by name alone
    def interpolate_index(self, **parts: Any) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill the page; the nonce is that of this response."""
        return _INDEX.format(nonce=style_nonce(), idle_seconds=self.idle_seconds, **parts)
