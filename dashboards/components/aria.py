"""Attributes for screen readers."""

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
