"""The frame of every page: skip link, navigation, theme switch and sign-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.routes import Page
from mbc.figures.theme import FONT, Theme
from mbc.store.access.roles import User

_BLUES = [
    "#eef6fb", "#d8e9f4", "#aed2e8", "#82badb", "#5ca5d0", "#4397c9", "#2f86bd", "#1b71a6", "#0b5d8f", "#084a73",
]  # fmt: skip
_LOOK: Any = {
    "fontFamily": FONT,
    "headings": {"fontFamily": FONT},
    "primaryColor": "mbc",
    "primaryShade": {"light": 8, "dark": 5},
    "colors": {"mbc": _BLUES},
    "defaultRadius": "md",
    "respectReducedMotion": True,
    "cursorType": "pointer",
}


def shell(
    user: User, pages: Sequence[Page], theme: Theme, token: str, warning: str = "", *, synthetic: str = ""
) -> Component:
    """Lay out the frame for one visitor.

    Parameters
    ----------
    user : User
        Who is signed in.
    pages : sequence of Page
        What they may open: the navigation.
    theme : {"light", "dark"}
        How the page is drawn already.
    token : str
        Goes back with the sign-out form.
    warning : str
        About the visitor's own account, above every page.
    synthetic : bool
        Whether nobody on record exists: every page says so.
    """
    return dmc.MantineProvider(
        id=ids.PROVIDER,
        forceColorScheme=theme,
        theme=_LOOK,
        children=[
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.THEME, data=theme, storage_type="memory"),
            html.A("Skip to content", href="#main", className="skip"),
            _header(user, pages, theme, token, synthetic=synthetic),
            html.Div(id=ids.TROUBLE, className="trouble", role="alert"),
            *(
                [
                    html.P(
                        [warning, " ", html.A("My account", href="/account")],
                        className="trouble-note account-notice",
                    )
                ]
                if warning
                else []
            ),
            html.Main(id=ids.MAIN, tabIndex="-1", className="page"),
        ],
    )


def _header(user: User, pages: Sequence[Page], theme: Theme, token: str, *, synthetic: str) -> Component:
    mark = [html.Span(synthetic, className="synthetic")] if synthetic else []
    links = [dcc.Link(page.label, href=page.path) for page in pages if page.path]
    return html.Header(
        className="top",
        children=[
            dcc.Link("mbc", href="/", className="brand", refresh=True),
            *mark,
            html.Nav(links, id=ids.NAV, **aria(label="Pages")),
            html.Span(user.username, className="who"),
            dmc.Switch(id=ids.THEME_SWITCH, label="Dark", checked=theme == "dark", size="sm"),
            html.Form(
                action="/sign-out",
                method="POST",
                children=[
                    dcc.Input(type="hidden", name="csrf", value=token),
                    html.Button("Sign out", type="submit", className="quiet"),
                ],
            ),
        ],
    )


def register_shell(app: Dash) -> None:
    """Wire what happens in the browser alone: the theme, the mark on the current page, where the focus goes."""
    app.clientside_callback(
        ClientsideFunction("mbc", "chooseTheme"),
        Output(ids.PROVIDER, "forceColorScheme"),
        Output(ids.THEME, "data"),
        Input(ids.THEME_SWITCH, "checked"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("mbc", "arrive"), Output(ids.NAV, "className"), Input(ids.URL, "pathname")
    )
