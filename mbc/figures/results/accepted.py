"""Which results a figure is made from; anything else is refused with their names."""

from __future__ import annotations

from typing import TypeVar

from mbc.errors import FigureError
from mbc.figures.text import plain

Result = TypeVar("Result")

GROWTH_MODELS = (
    "models.growth_curve(), therapist_growth(), serial_growth(), residual_growth(), robust_growth(), "
    "paired_growth(), emerging.joint_growth()"
)


def require(result: object, kind: type[Result], figure: str, made_by: str) -> Result:
    """Refuse what is not the result a figure draws.

    Parameters
    ----------
    result : object
    kind : type
        The result's class.
    figure : str
        Name of the function in ``mbc.figures``.
    made_by : str
        The function that makes such results.

    Raises
    ------
    FigureError

    Examples
    --------
    >>> require(3, str, "growth", "models.growth_curve()")
    Traceback (most recent call last):
    mbc.errors.FigureError: figures.growth draws a str, as models.growth_curve() makes it; got int.
    """
    if not isinstance(result, kind):
        got = type(result).__name__
        raise FigureError(f"figures.{figure} draws a {kind.__name__}, as {made_by} makes it; got {got}.")
    return result


def kind_of(value: object) -> str:
    """Name the type of a value, for a message."""
    return type(value).__name__


def heading(title: str | None, default: str) -> str:
    """Write the title: the caller's own, none where it is empty, or the default."""
    return plain(default if title is None else title)


def percent(share: float) -> str:
    """Write a share in per cent.

    Examples
    --------
    >>> percent(0.95), percent(0.998)
    ('95 %', '99.8 %')
    """
    return f"{100 * share:.4g} %"
