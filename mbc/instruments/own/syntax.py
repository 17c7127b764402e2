"""Why a text is not valid TOML, on which line, and the likeliest correction."""

from __future__ import annotations

import re

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_QUOTES = "\u201c\u201d\u201e\u2018\u2019"  # those that word processors set
_REPAIRS = (  # what the reader says, the line it says it of, the repair
    (r"", rf"[{_QUOTES}]", 'Use straight quotation marks: "text".'),
    (r"", r"=\s*(?i:true|false)\s*(#|$)", "Write true and false in lower case."),
    (r"", r"=\s*-?\d+,\d", "Write decimals with a point: 0.85."),
    (r"Cannot|twice|already", r"", "Keep one (tables that may repeat have two brackets: [[scale]])."),
    (r"Invalid value", r"=\s*\S", 'Text must be in quotation marks: "text".'),
    (r"string|character", r"", "Is a quotation mark missing?"),
    (r"", r"^\s*[^\[=]+$", "A line has the form: key = value."),
    (r"", r"", "Is a bracket or quotation mark left open there or above?"),
)


def explain(message: str, text: str) -> tuple[int | None, str]:
    """Line and explanation of what the reader of TOML said.

    Examples
    --------
    >>> import tomllib
    >>> text = "key = mine"
    >>> try:
    ...     tomllib.loads(text)
    ... except tomllib.TOMLDecodeError as fault:
    ...     explain(str(fault), text)
    (1, 'is not valid TOML: Invalid value at column 7. Text must be in quotation marks: "text".')
    """
    place = _PLACE.search(message)
    number = int(place[1]) if place and place[1] else None
    written = text.splitlines()
    line = written[number - 1] if number and number <= len(written) else ""
    what = message[: place.start()] if place else message.rstrip(".")
    column = f" at column {place[2]}" if place and place[2] else " at the end"
    repair = next(advice for says, has, advice in _REPAIRS if re.search(says, what) and re.search(has, line))
    return number, f"is not valid TOML: {what}{column}. {repair}"
