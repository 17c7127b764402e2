"""A page that the server writes itself, for every browser: it is there at once and needs no scripts."""

from __future__ import annotations

from collections.abc import Callable

from dash import dcc
from dash.development.base_component import Component
from flask import Flask, Response, current_app, render_template, request

from dashboards.routes import PageRequest, Pages
from dashboards.web.pause_notice import notice
from dashboards.web.sessions import csrf_token
from dashboards.web.theme import drawn_theme
from dashboards.web.visitor import is_signed_in, signed_in_user


def install_written_pages(server: Flask, pages: Pages, write: Callable[[str], str | None]) -> None:
    """Answer the pages that the server writes; after the guard, which has let the visitor through by then.

    Parameters
    ----------
    server : flask.Flask
    pages : Pages
        The record is asked who visits only where a page of these is written by the server.
    write : callable
        Gives the page of a path for the visitor who asks; None where the browser lays it out.
    """

    @server.before_request
    def answer() -> Response | None:
        page = pages.at(request.path) if request.method in ("GET", "HEAD") else None
        if page is None or page.written is None or not is_signed_in():
            return None
        written = write(request.path)
        return None if written is None else Response(written, mimetype="text/html")


def lead_to_page(write: Callable[[PageRequest], str]) -> Callable[[PageRequest], list[Component]]:
    """Give the layout of a page that only the server writes.

    A browser that came by a link within the application is led to it; who may not open it meets no such page.

    Parameters
    ----------
    write : callable
        Writes the page; raises NotInRecord for whoever may not open it.
    """

    def layout(request: PageRequest) -> list[Component]:
        write(request)
        return [dcc.Location(id="server-page", href=request.path, refresh=True)]

    return layout


def server_page(template: str, **parts: object) -> str:
    """Write a page within the frame that every page has.

    Parameters
    ----------
    template : str
        Extends ``server_page.html``.
    **parts
        What the template names.
    """
    user = signed_in_user()
    pages = getattr(current_app, "pages", None)
    listed = [page for page in pages.of(user) if page.path] if isinstance(pages, Pages) else []
    return render_template(
        template,
        **{
            "theme": drawn_theme(),
            "pages": listed,
            "username": user.username,
            "csrf": csrf_token(),
            "warning": notice(request.path),
            "idle_seconds": current_app.config.get("MBC_IDLE_SECONDS", 1800),
            **parts,
        },
    )
