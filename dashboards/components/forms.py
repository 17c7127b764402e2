"""Plain forms that work without scripts: each carries the token of its session and is answered by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.aria import aria

DONE = "Done: "  # how a note begins when everything went well
Options = Sequence[tuple[str, str]]  # value, words


def form(
    action: str,
    token: str,
    fields: Sequence[Component],
    button: str,
    *,
    hidden: Mapping[str, str] | None = None,
    inline: bool = False,
    label: str = "",
) -> Component:
    """Lay out a form.

    Parameters
    ----------
    action : str
        The address that answers it.
    token : str
        Of this session.
    fields : sequence of Component
        From `text_field`, `choice` and `choices`.
    button : str
        What pressing the button does.
    hidden : mapping, optional
        Sent along.
    inline : bool
        A single button within a line.
    label : str
        Says more than the button does, for screen readers.
    """
    kept = {"csrf": token, **(hidden or {})}
    named: dict[str, Any] = aria(label=label) if label else {}
    return html.Form(
        [
            *[dcc.Input(type="hidden", name=name, value=value) for name, value in kept.items()],
            *fields,
            html.Button(button, type="submit", className="quiet" if inline else "firm", **named),
        ],
        action=action,
        method="POST",
        className="inline no-print" if inline else "fields no-print",
    )


def text_field(
    label: str, name: str, *, place: str, required: bool = True, longest: int = 64, hint: str = "", **options: Any
) -> Component:
    """Lay out a line to type in; ``place`` makes its id differ from those of other forms."""
    identity = f"{place}-{name}"
    kept: dict[str, Any] = {"type": "text", "autoComplete": "off", **options}
    words = [label, *([html.Span(f" {hint}", className="quiet-words hint")] if hint else [])]
    return html.Div(
        [
            html.Label(words, htmlFor=identity),
            dcc.Input(id=identity, name=name, maxLength=longest, required=required, **kept),
        ],
        className="field",
    )  # fmt: skip


def choice(label: str, name: str, options: Options, *, place: str) -> Component:
    """Lay out a choice of one."""
    identity = f"{place}-{name}"
    return html.Div(
        [
            html.Label(label, htmlFor=identity),
            html.Select([html.Option(words, value=value) for value, words in options], id=identity, name=name),
        ],
        className="field",
    )


def choices(label: str, name: str, groups: Mapping[str, Options], *, place: str, rows: int = 10) -> Component:
    """Lay out a choice of several, in groups."""
    identity = f"{place}-{name}"
    return html.Div(
        [
            html.Label(label, htmlFor=identity),
            html.Select(
                [
                    html.Optgroup([html.Option(words, value=value) for value, words in options], label=group)
                    for group, options in groups.items()
                ],
                id=identity,
                name=name,
                multiple="multiple",
                size=str(rows),
            ),
        ],
        className="field",
    )


def notice(note: str) -> list[Component]:
    """Show what the last form led to: what was done begins with `DONE`, everything else went wrong."""
    if not note:
        return []
    good = note.startswith(DONE)
    return [html.P(note, className="good-note" if good else "trouble-note", role="status" if good else "alert")]


def panel(title: str, name: str, *inside: Component) -> Component:
    """Lay out a part of a page under its heading."""
    return html.Section([html.H2(title, id=name), *inside], className="panel", **aria(labelledby=name))
