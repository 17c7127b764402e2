"""A client's state as a mark: a shape, a word and a colour, never colour alone."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from mbc.care.values.review import State

_KINDS: dict[State, str] = {
    "on track": "on-track",
    "watch": "watch",
    "not on track": "not-on-track",
    "no forecast": "no-forecast",
}


def state_mark(state: State | None) -> Component:
    """Draw a state; None is a closed case.

    Examples
    --------
    >>> state_mark("watch").children, state_mark(None).children
    ('Watch', 'Closed')
    """
    if state is None:
        return html.Span("Closed", className="state closed")
    return html.Span(state.capitalize(), className=f"state {_KINDS[state]}")
