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


def state_class(state: State | None) -> str:
    """Name a state for the style sheet, which adds its shape.

    Examples
    --------
    >>> state_class("not on track"), state_class(None)
    ('not-on-track', 'closed')
    """
    return "closed" if state is None else _KINDS[state]


def state_mark(state: State | None) -> Component:
    """Draw a state; None is a closed case.

    Examples
    --------
    >>> state_mark("watch").children, state_mark(None).children
    ('Watch', 'Closed')
    """
    return html.Span((state or "closed").capitalize(), className=f"state {state_class(state)}")
