"""How a visitor wants charts drawn: kept in their signed session, so it stays from client to client."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import has_request_context, session

_KEY = "view"


@dataclass(frozen=True, slots=True)
class ChartView:
    """The controls of a client's page."""

    axis: str = "calendar"  # or "session"
    better_is_up: bool = False
    common: bool = False  # every scale on 0 to 100
    quiet: bool = False  # moves within measurement error are grey


def chosen_view() -> ChartView:
    """Give the view that the visitor chose last; the usual one before that."""
    if not has_request_context():
        return ChartView()
    kept = session.get(_KEY)
    return view_of(**kept) if isinstance(kept, dict) else ChartView()


def view_of(
    axis: object = None, better_is_up: object = None, common: object = None, quiet: object = None
) -> ChartView:
    """Read a view that came from a browser: what does not exist is the usual view.

    Examples
    --------
    >>> view_of("session", True, "yes", None)
    ChartView(axis='session', better_is_up=True, common=False, quiet=False)
    """
    return ChartView(
        axis="session" if axis == "session" else "calendar",
        better_is_up=better_is_up is True,
        common=common is True,
        quiet=quiet is True,
    )


def keep_view(axis: object, better_is_up: object, common: object, quiet: object) -> dict[str, object]:
    """Remember a view for the visitor's next page."""
    session[_KEY] = asdict(view_of(axis, better_is_up, common, quiet))
    return session[_KEY]
