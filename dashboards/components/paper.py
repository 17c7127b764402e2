"""What is printed on each sheet of a page: its kind, the date, the version; our script puts it there."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dashboards.components.aria import script_data
from dashboards.components.wording import day_words
from mbc import __version__


def sheet_marks(name: str, day: dt.date | None, *, wide: bool = False) -> dict[str, Any]:
    """Give the attributes of the element that holds the text of each printed sheet.

    Parameters
    ----------
    name : str
        Of the page, or of the client.
    day : date or None
        On which it is read.
    wide : bool
        Whether the sheet lies on its side, for tables of many columns.

    Examples
    --------
    >>> marks = sheet_marks("Caseload", dt.date(2026, 10, 2))
    >>> marks["data-name"], marks["data-day"], marks["data-size"]
    ('Caseload', 'as of 2 Oct 2026', 'A4')
    """
    shown = "" if day is None else f"as of {day_words(day)}"
    size = "A4 landscape" if wide else "A4"
    return script_data(name=name, day=shown, version=f"mbc {__version__}", size=size)
