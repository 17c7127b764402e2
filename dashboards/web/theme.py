"""Light or dark: the choice in the visitor's cookie."""

from __future__ import annotations

from flask import has_request_context, request

from mbc.figures.theme import Theme

THEME_COOKIE = "mbc_theme"  # "light" and "dark" are choices; "auto-light" and "auto-dark" follow the system

_DRAWN: dict[str | None, Theme] = {
    "light": "light",
    "auto-light": "light",
    "dark": "dark",
    "auto-dark": "dark",
}


def chosen_theme() -> Theme | None:
    """Give the theme the visitor chose, None when they follow their system."""
    cookie = _theme_cookie()
    return _DRAWN[cookie] if cookie in ("light", "dark") else None


def drawn_theme() -> Theme:
    """Give the theme the visitor's page is drawn in now."""
    return _DRAWN.get(_theme_cookie(), "light")


def _theme_cookie() -> str | None:
    return request.cookies.get(THEME_COOKIE) if has_request_context() else None
