"""The words around a questionnaire, in the client's language; the questions themselves are loaded wording."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

FALLBACK = "en"
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Frame:
    """The words of one language."""

    language: str
    words: dict[str, str]
    months: tuple[str, ...]

    @property
    def direction(self) -> str:
        """Which way the language runs."""
        return direction(self.language)

    def __getitem__(self, name: str) -> str:
        return self.words[name]

    def minutes(self, number: int) -> str:
        """Say about how long it takes."""
        return self["minute"] if number == 1 else self["minutes"].format(number=number)

    def day(self, moment: datetime) -> str:
        """Write a moment as the clock of the server has it: 3 December, 14:00."""
        local = moment.astimezone()
        month = self.months[local.month - 1]
        return self["day"].format(day=local.day, month=month, time=f"{local:%H:%M}")

    def full_day(self, day: date) -> str:
        """Write a day with its year: 3 December 2026."""
        return self["date"].format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number, with no more decimals than it has.

        Examples
        --------
        >>> frame_for("fr").number(3.5, 2), frame_for("en").number(12.0, 1)
        ('3,5', '12')
        """
        text = f"{value:.{decimals}f}"
        return (text.rstrip("0").rstrip(".") if decimals else text).replace(".", self["decimal_mark"])


def direction(language: str) -> str:
    """Say which way a language runs.

    Examples
    --------
    >>> direction("ar-EG"), direction("de")
    ('rtl', 'ltr')
    """
    script = language.split("-")[1:2]
    return (
        "rtl" if language.split("-", maxsplit=1)[0] in _RIGHT_TO_LEFT or script in (["Arab"], ["Hebr"]) else "ltr"
    )


@cache
def frames() -> dict[str, Frame]:
    """Read every language that there is: a file each."""
    folder = files("dashboards.questionnaire") / "languages"
    read: dict[str, Frame] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            language = file.name.removesuffix(".toml")
            read[language] = Frame(language, content["words"], tuple(content["months"]))
    return read


def frame_for(language: str) -> Frame:
    """Give the words of a language, of its main language, or English.

    Examples
    --------
    >>> frame_for("de-AT").language, frame_for("tr").language
    ('de', 'en')
    """
    known = frames()
    return known.get(language) or known.get(language.split("-", maxsplit=1)[0]) or known[FALLBACK]


def preferred(accepted: str) -> Frame:
    """Choose by what a browser says it reads, for pages that belong to no asking."""
    for part in accepted.split(","):
        language = part.partition(";")[0].strip().casefold()
        if language.split("-")[0] in frames():
            return frame_for(language.split("-")[0])
    return frames()[FALLBACK]
