"""How wording is read from a REDCap data dictionary: the fields of a project, with labels and choices."""

from __future__ import annotations

from collections.abc import Mapping

from mbc.instruments.wording.drafts import Draft, Line, plain
from mbc.instruments.wording.from_csv import Table, choices

# Column of the dictionary -> its name in the download, and in the programming interface.
_COLUMNS = {
    "name": ("variable / field name", "field_name"),
    "section": ("section header", "section_header"),
    "type": ("field type", "field_type"),
    "label": ("field label", "field_label"),
    "choices": ("choices, calculations, or slider labels", "select_choices_or_calculations"),
    "lowest": ("text validation min", "text_validation_min"),
    "highest": ("text validation max", "text_validation_max"),
}
_CHOSEN = {"radio", "dropdown", "checkbox"}
_FIXED = {"yesno": (("1", "Yes"), ("0", "No")), "truefalse": (("1", "True"), ("0", "False"))}
_SLIDER = (0, 100)  # where the dictionary gives no ends


def is_dictionary(header: list[str]) -> bool:
    """Whether a header is that of a data dictionary."""
    folded = {title.casefold() for title in header}
    return bool(folded & set(_COLUMNS["name"])) and bool(folded & set(_COLUMNS["label"]))


def read_dictionary(table: Table) -> Draft:
    """Read every field that can be answered; which of them belong to an instrument is known by their names."""
    header, rows = table
    places = {title.casefold(): place for place, title in enumerate(header)}
    columns = {
        role: next((places[name] for name in names if name in places), None) for role, names in _COLUMNS.items()
    }
    lines: list[Line] = []
    sections: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        cells = {
            role: row[place].strip() if place is not None and place < len(row) else ""
            for role, place in columns.items()
        }
        if cells["section"]:
            sections[cells["name"]] = plain(cells["section"])
        if cells["name"] and cells["type"] not in {"descriptive", "calc", "file"}:
            lines.append(_line(number, cells))
    return Draft(None, None, None, tuple(lines), extras="passed over", sections=sections)


def _line(number: int, cells: Mapping[str, str]) -> Line:
    kind, written = cells["type"], choices(cells["choices"])
    options = _FIXED.get(kind, written if kind in _CHOSEN else ())
    where = f"row {number}, field '{cells['name']}'"
    return Line(where, (cells["name"],), (), plain(cells["label"]), options, _span(kind, cells))


def _span(kind: str, cells: Mapping[str, str]) -> tuple[int, int] | None:
    if kind not in {"slider", "text"}:
        return None
    try:
        return int(cells["lowest"]), int(cells["highest"])
    except ValueError:
        return _SLIDER if kind == "slider" else None
