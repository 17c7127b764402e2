"""A page as words and tables, for a browser that runs no scripts: the same layout, written by the server."""

from __future__ import annotations

import html as escaping
from collections.abc import Callable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component
from flask import Flask, Response, request

from dashboards.routes import Pages
from dashboards.web.sessions import csrf_token
from dashboards.web.visitor import is_signed_in, signed_in_user, synthetic_mark
from mbc.store.access.roles import User

ASKED = "plain"  # in the address: ?plain=1
_AS = {"Link": "a", "Dialog": "section", "Input": "input", "Textarea": "textarea"}
_NOT_DRAWN = frozenset({"Graph", "Store", "Location", "AgGrid", "Switch", "SegmentedControl", "Select"})
_SAME = frozenset(
    {
        "href",
        "id",
        "role",
        "scope",
        "title",
        "type",
        "value",
        "name",
        "action",
        "method",
        "open",
        "lang",
        "label",
        "multiple",
        "size",
    }
)
_OTHER = {"className": "class", "htmlFor": "for", "colSpan": "colspan", "rowSpan": "rowspan"}
_KEPT = {name: name for name in _SAME} | _OTHER
_EMPTY = frozenset({"br", "hr", "input"})
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mbc</title>
<meta name="robots" content="noindex, nofollow">
<link rel="stylesheet" href="/assets/style.css">
</head>
<body class="plain-page">
<header class="top"><a class="brand" href="/?{asked}=1">mbc</a>{mark}<nav aria-label="Pages">{links}</nav>
<form action="/sign-out" method="POST"><input type="hidden" name="csrf" value="{token}">
<button type="submit" class="quiet">Sign out</button></form></header>
<main class="page" id="main">{content}</main>
</body>
</html>"""


def install_plain_pages(server: Flask, pages: Pages, lay_out: Callable[[str], Sequence[Component]]) -> None:
    """Answer ``?plain=1`` of every page; after the guard, which has let the visitor through by then.

    Parameters
    ----------
    server : flask.Flask
    pages : Pages
        For the navigation.
    lay_out : callable
        Gives the layout of a path for the visitor who asks.
    """

    @server.before_request
    def answer() -> Response | None:
        if request.method != "GET" or ASKED not in request.args or not is_signed_in():
            return None
        user = signed_in_user()
        if pages.visit(request.path, user) is None:
            return None
        written = plain_page(lay_out(request.path), user, pages, csrf_token(), synthetic=synthetic_mark())
        return Response(written, mimetype="text/html")


def plain_page(layout: Sequence[Component], user: User, pages: Pages, token: str, *, synthetic: str = "") -> str:
    """Write a page with its navigation."""
    links = "".join(
        f'<a href="{escaping.escape(page.path)}?{ASKED}=1">{escaping.escape(page.label)}</a>'
        for page in pages.of(user)
        if page.path
    )
    content = "".join(to_html(part) for part in layout)
    mark = f'<span class="synthetic">{synthetic}</span>' if synthetic else ""
    return _PAGE.format(asked=ASKED, mark=mark, links=links, token=escaping.escape(token), content=content)


def to_html(part: object) -> str:
    """Write a component as HTML: its words, tables, folds and forms; drawings and switches are left out.

    Examples
    --------
    >>> from dash import html
    >>> to_html(html.P(["a < b ", html.B("c")], className="lead", hidden=True))
    '<p class="lead">a &lt; b <b>c</b></p>'
    """
    if isinstance(part, Component):
        return _component(part)
    if isinstance(part, (list, tuple)):
        return "".join(to_html(each) for each in part)
    return "" if part is None or isinstance(part, bool) else escaping.escape(str(part), quote=False)


def _component(part: Component) -> str:
    kind = type(part).__name__
    children = getattr(part, "children", None)
    if kind == "Button" and getattr(part, "type", None) != "submit":
        # it needs a script, but its words may be a heading's
        return to_html(children) if getattr(part, "className", "") == "enlarge" else ""
    needs_script = kind in _NOT_DRAWN and not isinstance(part, html.Select)  # a form's own, not a drawn chooser
    if needs_script or "restricted" in (getattr(part, "className", None) or "").split():
        return ""
    if kind == "Table" and isinstance(data := getattr(part, "data", None), dict):
        return _table(data)
    tag = _AS.get(kind, kind.lower())
    opened = f"<{tag}{''.join(_attributes(part))}>"
    return opened if tag in _EMPTY else f"{opened}{to_html(children)}</{tag}>"


def _attributes(part: Component) -> list[str]:
    written: list[str] = []
    for name, value in part.to_plotly_json()["props"].items():
        if name in _KEPT and isinstance(value, (str, int, float)) and value is not False:
            text = _plain_link(str(value)) if name == "href" else str(value)
            written.append(f' {_KEPT[name]}="{escaping.escape(text)}"')
        elif name.startswith("aria-label") and isinstance(value, str):
            written.append(f' {name}="{escaping.escape(value)}"')
    return written


def _plain_link(address: str) -> str:
    """Lead from page to page without scripts."""
    inside = address.startswith("/") and not address.startswith("//") and "?" not in address
    return f"{address}?{ASKED}=1" if inside else address


def _table(data: dict[str, Any]) -> str:
    head = "".join(f'<th scope="col">{escaping.escape(str(cell))}</th>' for cell in data.get("head", ()))
    rows = "".join(
        "<tr>" + "".join(f"<td>{escaping.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in data.get("body", ())
    )
    caption = escaping.escape(str(data.get("caption", "")))
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
