"""How wording is read from a CSV file: one row per question, options as columns or as one cell."""

from __future__ import annotations

import csv
import io
import re

from mbc.errors import WordingError, nearest
from mbc.instruments.wording.drafts import Draft, Line, plain

_SEPARATORS = ",;\t"
_ITEM = ("item", "id", "number", "no", "nr")
_TEXT = ("text", "wording", "question")
_OPTIONS = ("options", "choices", "answers")
_PASSED_OVER = ("label", "note")  # for whoever fills the file in
_AROUND = ("title", "instructions", "copyright")
_MOST_ROWS = 8  # that a message names
_VALUE = re.compile(r"(?:option|answer|value)?[ _]*(-?\d+)")

Table = tuple[list[str], list[list[str]]]


def read_table(content: bytes, name: str) -> Table:
    """Header and rows of a delimited text file; the separator is the commonest of its first line.

    Raises
    ------
    WordingError
        If it is not UTF-8 text, or has no rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise WordingError(
            f"{name} is not UTF-8 text (byte {fault.start + 1}). Save it as 'CSV UTF-8', or give FHIR JSON."
        ) from None
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as fault:
        raise WordingError(f"{name} cannot be read as CSV: {fault}. Is a quotation mark left open?") from None
    if len([row for row in rows if any(cell.strip() for cell in row)]) < 2:
        raise WordingError(
            f"{name} has no questions: it needs a header (item, text, 0, 1, ...) and one row per question."
        )
    return [cell.strip() for cell in rows[0]], rows[1:]


def read_csv(table: Table, name: str) -> Draft:
    """Read questions from rows: ``item``, ``text``, and options.

    Options stand in columns named by their value (``0``, ``1``, ...; a blank between two filled ones is a point
    that the form leaves without a label), or in one column ``options`` as ``0, label | 1, label``. A row without
    any has those of the row above. Rows whose item is ``title``, ``instructions`` or ``copyright`` hold these.
    Columns ``label`` and ``note`` are passed over.

    Raises
    ------
    WordingError
        If a column is not understood, or a needed one is missing.
    """
    header, rows = table
    item, text, options, values = _columns(header, name)
    around: dict[str, str] = {}
    lines: list[Line] = []
    above: tuple[tuple[str, str], ...] = ()
    _refuse_wide_rows(header, rows, name)
    for number, row in enumerate(rows, 2):
        cells = [*(cell.strip() for cell in row), *[""] * (len(header) - len(row))]
        named = cells[item]
        if not any(cells):
            continue
        if named.casefold() in _AROUND:
            around[named.casefold()] = plain(cells[text])
            continue
        above = (choices(cells[options]) if options is not None else _offered(cells, values)) or above
        lines.append(Line(f"row {number}", (named,), (), plain(cells[text]), above))
    return Draft(
        title=around.get("title"),
        instructions=around.get("instructions"),
        copyright=around.get("copyright"),
        lines=tuple(lines),
    )


def _refuse_wide_rows(header: list[str], rows: list[list[str]], name: str) -> None:
    """Refuse rows with more cells than the header: a comma in a text would push it into the options."""
    wide = [number for number, row in enumerate(rows, 2) if any(cell.strip() for cell in row[len(header) :])]
    if wide:
        first = rows[wide[0] - 2]
        which = ", ".join(map(str, wide[:_MOST_ROWS])) + (
            f" and {len(wide) - _MOST_ROWS} more" if len(wide) > _MOST_ROWS else ""
        )
        raise WordingError(
            f"{name}, row {which}: {len(first)} cells, but the header has {len(header)}. Text that contains "
            "a separator must "
            'be in quotation marks: "worn out, or without energy".'
        )


def choices(cell: str) -> tuple[tuple[str, str], ...]:
    """Options of one cell, as a data dictionary writes them.

    Examples
    --------
    >>> choices("0, not at all | 1, a little, or more")
    (('0', 'not at all'), ('1', 'a little, or more'))
    """
    made: list[tuple[str, str]] = []
    for part in re.split(r"\||\n", cell):
        value, _, label = part.partition(",")
        if part.strip():
            made.append((value.strip(), plain(label)))
    return tuple(made)


def _columns(header: list[str], name: str) -> tuple[int, int, int | None, dict[str, int]]:
    places: dict[str, int] = {}
    values: dict[str, int] = {}
    unknown: list[str] = []
    for place, title in enumerate(header):
        folded = title.casefold()
        match = _VALUE.fullmatch(folded)
        role = next((roles[0] for roles in (_ITEM, _TEXT, _OPTIONS) if folded in roles), None)
        if match and match[1] not in values:
            values[match[1]] = place
        elif role and role not in places:
            places[role] = place
        elif title and folded not in _PASSED_OVER:
            unknown.append(title)
    absent = [column for column in ("item", "text") if column not in places]
    if absent:
        near = nearest(absent[0], unknown, most=1)
        hint = f" Rename '{near[0]}' -> '{absent[0]}'?" if near else ""
        raise WordingError(
            f"{name} has no column '{absent[0]}'; it has {', '.join(header)}. "
            f"Needed: item, text, and options as columns 0, 1, ... or one column 'options'.{hint}"
        )
    if unknown or (values and "options" in places):
        stray = ", ".join(f"'{title}'" for title in unknown) or "'options' together with columns of values"
        raise WordingError(
            f"{name}, header: {stray} is not understood. Accepted: item, text, and either columns named by the "
            "value of an option (0, 1, ...) or one column 'options' (0, label | 1, label). Remove the others."
        )
    return places["item"], places["text"], places.get("options"), values


def _offered(cells: list[str], values: dict[str, int]) -> tuple[tuple[str, str], ...]:
    """Options from the first to the last filled column."""
    listed = [(value, plain(cells[place])) for value, place in values.items()]
    filled = [place for place, (_, label) in enumerate(listed) if label]
    return tuple(listed[filled[0] : filled[-1] + 1]) if filled else ()
