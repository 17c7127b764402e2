"""How much of a cohort's detail leaves the clinic: profiles, and a file with which a clinic decides for itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, cast

from mbc.errors import SettingsError, nearest

TIMES: Final = ("days", "weeks", "periods")
BEFORE_CARE: Final = ("days", "years", "left out")


def _require(holds: bool, message: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise SettingsError(message)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a cohort keeps.

    Parameters
    ----------
    name : str
        Of the profile.
    time : {"days", "weeks", "periods"}
        What the day of a score, session or event becomes: the day itself, the first day of its week since intake,
        or the end of its period.
    periods : tuple of int
        Ends of the periods, in weeks since intake; what comes after the last is left out.
    before_care : {"days", "years", "left out"}
        What the day of a relationship's change before care becomes.
    therapists : bool
        Keep who shares a therapist.
    session_bands, length_bands : tuple of int
        Lower ends of the bands of the number of sessions, and of the weeks in care; none: the number itself.
    group_endings : bool
        Tell planned endings from all others, and nothing more.
    cut_open_ends : bool
        Leave out the last four to eight weeks of people who are still in care.
    k : int or None
        Least number of people who look alike in all that somebody might know; None: not required, measured only.
    most_left_out : float
        Largest share of people who may be left out to reach it.
    """

    name: str
    time: str = "days"
    periods: tuple[int, ...] = ()
    before_care: str = "days"
    therapists: bool = True
    session_bands: tuple[int, ...] = ()
    length_bands: tuple[int, ...] = ()
    group_endings: bool = False
    cut_open_ends: bool = False
    k: int | None = None
    most_left_out: float = 0.05

    def __post_init__(self) -> None:
        _require(self.time in TIMES, f"time is one of {', '.join(TIMES)}, got {self.time!r}.")
        _require(
            self.before_care in BEFORE_CARE,
            f"before_care is one of {', '.join(BEFORE_CARE)}, got {self.before_care!r}.",
        )
        for name in ("periods", "session_bands", "length_bands"):
            bounds = getattr(self, name)
            are_whole = all(isinstance(bound, int) and bound > 0 for bound in bounds)
            _require(
                are_whole and list(bounds) == sorted(set(bounds)),
                f"{name} must be increasing whole numbers above 0, got {list(bounds)}.",
            )
        _require(
            bool(self.periods) == (self.time == "periods"), "periods and time = 'periods' must be given together."
        )
        _require(self.k is None or self.k >= 2, f"k must be at least 2, got {self.k}.")
        _require(self.k is None or self.time == "periods", "k can be reached only with time = 'periods'.")
        _require(
            0 <= self.most_left_out < 1,
            f"most_left_out must be a proportion from 0 to less than 1, got {self.most_left_out}.",
        )


DAYS: Final = Profile("days")
SAFE_HARBOR: Final = Profile(
    "safe-harbor",
    time="weeks",
    before_care="years",
    therapists=False,
    session_bands=(1, 5, 10, 20, 40),
    length_bands=(1, 13, 27, 53),
    group_endings=True,
    cut_open_ends=True,
)
COARSE: Final = Profile(
    "coarse",
    time="periods",
    periods=(12, 26, 52),
    before_care="left out",
    therapists=False,
    session_bands=(1, 10, 20),
    length_bands=(1, 13, 27),
    group_endings=True,
    k=5,
)
PROFILES: Final[dict[str, Profile]] = {each.name: each for each in (DAYS, SAFE_HARBOR, COARSE)}


_TYPES: Final[dict[str, Any]] = {
    "k": int, "most_left_out": (int, float), "periods": list, "session_bands": list, "length_bands": list,
}  # fmt: skip


def profile_named(name: str) -> Profile:
    """Give a profile by its name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name in PROFILES:
        return PROFILES[name]
    near = nearest(name, PROFILES)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise SettingsError(f"There is no profile '{name}'; choose {', '.join(PROFILES)}.{hint}")


def read_profile(path: Path) -> Profile:
    """Read a clinic's own profile: a TOML file with the fields of `Profile`.

    Raises
    ------
    SettingsError
        If the file cannot be read, has a field that there is not, or a value that is not accepted.
    """
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"The profile {path} cannot be read ({fault}).") from fault
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"The profile {path} is not a TOML file ({fault}).") from fault
    return _from_values(given, path)


def _from_values(given: Mapping[str, Any], path: Path) -> Profile:
    known = {each.name: each for each in fields(Profile)}
    for name, value in given.items():
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise SettingsError(f"The profile {path} has '{name}', which is not a setting.{hint}")
        expected: Any = _TYPES.get(name, type(getattr(DAYS, name)))
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise SettingsError(f"The profile {path}: '{name}' has {value!r}, which is not accepted.")
    values: dict[str, Any] = {
        name: tuple(cast("list[object]", value)) if isinstance(value, list) else value
        for name, value in given.items()
    }
    named: dict[str, Any] = {"name": path.stem, **values}
    try:
        return Profile(**named)
    except SettingsError as fault:
        raise SettingsError(f"The profile {path}: {fault}") from None
