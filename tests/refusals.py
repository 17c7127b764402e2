"""Wrong values of the options of public functions, by what their type hints allow; for every package alike."""

from __future__ import annotations

import math
import warnings
from typing import Any


def rules(function: Any) -> dict[str, Any]:
    """What each parameter of a checked function accepts; none where a function checks by itself."""
    return getattr(function, "accepted", dict)()


def quietly(function: Any, given: dict[str, Any]) -> Any:
    """Call without warnings: what is looked at is the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(**given)


def wrong_options(parameter: str, accepted: Any) -> dict[str, object]:
    """Wrong values of an option, by what its type hint allows."""
    values: dict[str, object] = {}
    number, only_number = accepted.number or accepted.integer, not accepted.other
    if accepted.words:
        values["misspelt word"] = f"{accepted.words[0]}x"
    if accepted.each is not None and accepted.each.words and only_number:
        values["misspelt member"] = [f"{accepted.each.words[0]}x"]
    if number and not accepted.text:
        values |= {"text": "many", "infinity": math.inf}
        values |= {"not a number": math.nan, "object": object()} if only_number else {}
    if accepted.integer and not accepted.number and only_number:
        values |= {"fraction": 1.5, "negative": -1}
    if accepted.boolean and not accepted.text:
        values["not yes or no"] = "yes"
    if accepted.text and only_number and not number:
        values["number for a name"] = 3
    if parameter in {"confidence", "level", "reliability"}:
        values["per cent"] = 95.0
    return values
