"""What screen readers are told of a component, beyond what it shows."""

from __future__ import annotations

from typing import Any


def aria(**said: str) -> dict[str, Any]:
    """Write attributes that are no Python names.

    Examples
    --------
    >>> aria(label="Pages", describedby="caption")
    {'aria-label': 'Pages', 'aria-describedby': 'caption'}
    """
    return {f"aria-{name}": words for name, words in said.items()}
