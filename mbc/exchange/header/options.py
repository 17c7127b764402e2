"""Options for reading a file beyond what its header says."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal, get_args

from mbc.errors import SettingsError
from mbc.exchange.cells.dates import check_format
from mbc.exchange.files.delimited import SEPARATORS
from mbc.exchange.files.messages import quote

Layout = Literal["wide", "long", "totals"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


def _now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How one file is to be read and stored; every field has a careful default."""

    layout: Layout | None = None
    """Recognised from the header when not given."""
    instruments: tuple[str, ...] = ()
    """Questionnaires to read; recognised from the columns when empty."""
    items: str | None = None
    """How item columns are named, ``"Q{n}"``; for one questionnaire."""
    patterns: Mapping[str, str] = field(default_factory=dict[str, str])
    """The same, questionnaire by questionnaire."""
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    """Questionnaire -> item order; key "" means all."""
    coding: Mapping[str, str] = field(default_factory=dict[str, str])
    """Questionnaire -> answer coding; key "" means all."""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """Role, item column, ``rses_total`` or ``rses_taken_on`` -> header in the file."""
    ignore: tuple[str, ...] = ()
    """Headers of columns that are not to be read."""
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """Questionnaire -> answers in words -> numbers; key "" means all."""
    events: Mapping[str, int] = field(default_factory=dict[str, int])
    """REDCap event -> session number."""
    sheet: str | None = None
    """Of a workbook."""
    dictionary: Path | None = None
    """REDCap's data dictionary, as CSV."""
    questionnaire: Path | None = None
    """FHIR Questionnaire (or a Bundle of them) with the scores of coded answers."""
    date_format: str | None = None
    start_date: date | None = None
    """Where days are numbered and not dated: the day of day 0, week 0 or wave 1."""
    days_per_wave: int | None = None
    """How many days lie between two waves."""
    separator: str | None = None
    encoding: str | None = None
    """Of a text or SPSS file, where the file does not say it or says a wrong one."""
    blank: tuple[str, ...] = ()
    """Texts that stand for "not answered"; a blank cell always does."""
    clinician: str | None = None
    """Who new clients are registered under."""
    display_name: str | None = None
    """Registers that clinician too, shown by this name."""
    new_relationships: bool = False
    """Whether a relationship label that is not on record is registered."""
    supersede: str | None = None
    """Why occasions on record are corrected; without it they are refused."""
    exact_identifiers: bool = False
    """Whether identifiers are those of a record, and stay as they are."""
    now: datetime = field(default_factory=_now)

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise SettingsError(f"layout is '{quote(self.layout)}'; accepted are {', '.join(LAYOUTS)}.")
        if self.separator is not None and self.separator not in SEPARATORS:
            raise SettingsError(f"separator is '{quote(self.separator)}'; accepted are , ; tab and |.")
        if self.encoding is not None:
            _check_encoding(self.encoding)
        if self.date_format is not None:
            check_format(self.date_format)
        if self.display_name is not None and self.clinician is None:
            raise SettingsError("--display-name names the clinician of --clinician ID; give both.")
        if self.supersede is not None and not self.supersede.strip():
            raise SettingsError("A correction needs a reason: --supersede 'typing error in item 3'.")
        for pattern in (self.items, *self.patterns.values()):
            if pattern is not None:
                item_name(pattern, 1)


def _check_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise SettingsError(
            f"--encoding '{quote(encoding)}' is not known; utf-8, windows-1252 and iso-8859-15 are."
        ) from None


def item_name(template: str, n: int) -> str:
    """Name the column of one item.

    Examples
    --------
    >>> item_name("Q{n}", 3), item_name("item_{n:02}", 3)
    ('Q3', 'item_03')
    """
    try:
        name = template.format(n=n)
        distinct = name != template.format(n=n + 1)
    except (KeyError, IndexError, ValueError, AttributeError):
        distinct, name = False, ""
    if not distinct:
        raise SettingsError(f"items is '{quote(template)}'; name the columns with their number: 'Q{{n}}'.")
    return name
