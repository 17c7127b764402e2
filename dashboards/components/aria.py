"""Attributes whose names are not Python identifiers: for screen readers, and for our scripts."""

from __future__ import annotations

from typing import Any


def aria(**attributes: str) -> dict[str, Any]:
    """Write attributes whose names are not Python identifiers.

    Examples
    --------
    >>> aria(label="Pages", describedby="caption")
    {'aria-label': 'Pages', 'aria-describedby': 'caption'}
    """
    return {f"aria-{name}": words for name, words in attributes.items()}


def script_data(**attributes: str) -> dict[str, Any]:
    """Write attributes that our scripts read.

    Examples
    --------
    >>> script_data(chart="rses.total")
    {'data-chart': 'rses.total'}
    """
    return {f"data-{name}": words for name, words in attributes.items()}
