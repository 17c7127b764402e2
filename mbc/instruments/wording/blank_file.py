"""How a file of wording begins: a row per item, to be filled from a clinic's own copy."""

from __future__ import annotations

import csv
import io

from mbc.errors import WordingError
from mbc.instruments.definition.definition import Instrument


def blank(instrument: Instrument, *, form: str | None = None, coding: str | None = None) -> str:
    """Write a CSV file with everything but the text: items by id, in a form's order, and a column per option.

    Parameters
    ----------
    instrument : Instrument
    form, coding : str, optional
        Default: the instrument's.

    Raises
    ------
    WordingError
        If the instrument has no items.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> print(blank(instrument("gad7")).splitlines()[0])
    item,label,text,0,1,2,3
    """
    refuse_goals(instrument)
    order, chosen = instrument.form(form).order, instrument.coding(coding)
    spans = [chosen.accepted(instrument.item(item)) for item in order]
    values = range(min(low for low, _ in spans), max(high for _, high in spans) + 1)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["item", "label", "text", *values])
    for around in ("title", "instructions", "copyright"):
        rows.writerow([around, "", "", *("" for _ in values)])
    for item in order:
        rows.writerow([item, instrument.item(item).label, "", *("" for _ in values)])
    return out.getvalue()


def refuse_goals(instrument: Instrument) -> None:
    """Refuse an instrument without items: goals are worded by the person who has them.

    Raises
    ------
    WordingError
        If there are no items.
    """
    if not instrument.items:
        raise WordingError(
            f"{instrument.key} has no items: it rates each person's own goals, so there is no wording to load."
        )
