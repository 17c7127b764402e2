"""What clients are given, in their language: one TOML file for each in ``mbc/reports/texts``."""

from __future__ import annotations

import datetime as dt
import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mbc.arguments import join_choices
from mbc.care import words
from mbc.care.values.course import Trajectory
from mbc.errors import ReportError

FOLDER = Path(__file__).with_name("texts")
_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Which name of the catalogue a scale goes by: by questionnaire, or by questionnaire and scale.
_NAMES: Mapping[str, str] = {
    "rses": "self_esteem",
    "sses.total": "self_esteem",
    "scs_sf": "self_compassion",
    "gad7": "anxiety",
    "phq9": "low_mood",
    "core10": "distress",
    "k6": "distress",
    "k10": "distress",
    "who5": "well_being",
    "wsas": "daily_life",
    "ors": "overall",
    **dict.fromkeys(
        ("csi4", "csi16", "csi32", "das.total", "das7", "kmss", "qmi", "ras", "rdas.total"), "satisfaction"
    ),
    **{f"{key}.anxiety": "attachment_anxiety" for key in ("ecr", "ecr12", "ecr_r", "ecr_rs", "ecr_s", "raas")},
    **{f"{key}.avoidance": "attachment_avoidance" for key in ("ecr", "ecr12", "ecr_r", "ecr_rs", "ecr_s")},
    "a_rsq": "rejection",
    "wai_sr.total": "alliance",
    "srs": "alliance",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The words of one language."""

    code: str  # "en"
    name: str  # "English"
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    day_pattern: str
    decimal: str
    last_comma: str
    texts: Mapping[str, str]  # "summary.title"

    def text(self, key: str, **values: object) -> str:
        """Write a text with its values."""
        return self.texts[key].format(**values)

    def day(self, when: dt.date) -> str:
        """Write a day."""
        return self.day_pattern.format(day=when.day, month=self.months[when.month - 1], year=when.year)

    def month(self, when: dt.date) -> str:
        """Write a month and its year."""
        return f"{self.months[when.month - 1]} {when.year}"

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number."""
        return words.number(value, decimals).replace(".", self.decimal)

    def tick(self, label: str) -> str:
        """Write a tick label of an axis, "Feb 2026" or "10.5", in this language.

        Examples
        --------
        >>> catalogue("fr").tick("Feb 2026"), catalogue("fr").tick("10.5")
        ('févr. 2026', '10,5')
        """
        if label.replace(".", "").isdigit():
            return label.replace(".", self.decimal)
        for month, own in zip(_ENGLISH_MONTHS, self.short_months, strict=True):
            if month in label:
                return label.replace(month, own)
        return label

    def join_list(self, things: Sequence[str]) -> str:
        """Join things as in speech."""
        if len(things) < 2:
            return "".join(things)
        return f"{', '.join(things[:-1])}{self.last_comma}{things[-1]}"

    def measure(self, course: Trajectory) -> str:
        """Name what a scale measures; without a name here, its definition's name is used."""
        return self.measure_name(course.instrument, course.scale, course.measure)

    def measure_name(self, instrument: str, scale: str, otherwise: str) -> str:
        """Name what a scale of a questionnaire measures."""
        key = _NAMES.get(f"{instrument}.{scale}") or _NAMES.get(instrument)
        return otherwise if key is None else self.texts[f"names.{key}"]


def languages() -> dict[str, str]:
    """List the languages there are: code and name.

    Examples
    --------
    >>> languages()["de"]
    'Deutsch'
    """
    return {file.stem: catalogue(file.stem).name for file in sorted(FOLDER.glob("*.toml"))}


def catalogue(language: str) -> Catalogue:
    """Read the words of a language.

    Raises
    ------
    ReportError
        If there is none.

    Examples
    --------
    >>> catalogue("de").day(dt.date(2026, 3, 1))
    '1. März 2026'
    """
    known = sorted(file.stem for file in FOLDER.glob("*.toml"))
    if language not in known:
        raise ReportError(f"There is no text in the language {language!r}; choose {join_choices(known)}.")
    return _read(language)


@functools.cache
def _read(code: str) -> Catalogue:
    content = tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8"))
    about = content.pop("language")
    texts = {f"{part}.{key}": str(text) for part, rows in content.items() for key, text in rows.items()}
    return Catalogue(
        code=code,
        name=about["name"],
        months=tuple(about["months"]),
        short_months=tuple(about["short_months"]),
        day_pattern=about["day"],
        decimal=about["decimal"],
        last_comma=about["last_comma"],
        texts=texts,
    )
