"""Definition files: which instruments and limits a definition of outcome metrics takes."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc.errors import SettingsError, nearest

if TYPE_CHECKING:
    from mbc.outcomes.cohorts import Cohort, Period
    from mbc.outcomes.definitions.quantities import Group
    from mbc.outcomes.source import Source

RULES = {
    "nhs": "nhs",
    "jacobson-truax": "jacobson_truax",
    "hedis": "hedis",
    "cms159": "cms159",
    "saes": "saes",
    "milestones": "milestones",
    "course-of-care": "course_of_care",
}
"""Name of the rules -> module in this folder."""


class Part(BaseModel):
    """A table of a definition file; keys that it does not have are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Definition(Part):
    """What every definition file says; each kind of rules adds its own tables."""

    rules: str
    title: str
    about: str
    sources: tuple[str, ...] = Field(min_length=1)

    @property
    def unpublishable(self) -> str:
        """Why its figures may not be published; empty where they may."""
        return ""


class RuleModule(Protocol):
    """What a module of rules has."""

    Settings: type[Definition]

    def groups(self, source: Source, settings: Any, cohort: Cohort, period: Period) -> tuple[Group, ...]:
        """Give what is to be counted."""
        ...


def definitions() -> tuple[str, ...]:
    """Name the definitions that come with the package."""
    return tuple(RULES)


def definition(name: str | Path) -> Definition:
    """Read a definition: one that comes with the package, or a file of the clinic's own.

    Parameters
    ----------
    name : str or Path
        ``"nhs"``, or the path of a TOML file. Copy one that comes with the package (`definition_text`) and change
        its limits.

    Returns
    -------
    Definition
        Of the class that its rules have.

    Raises
    ------
    SettingsError
        If there is none of that name, or the file cannot be read; the message says where the fault is.

    Examples
    --------
    >>> definition("nhs").title
    'NHS Talking Therapies'
    """
    text = str(name)
    if text in RULES:
        return _shipped(text)
    path = Path(name)
    if path.suffix != ".toml":
        near = nearest(text, RULES)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise SettingsError(
            f"There is no definition {text!r}; there are {', '.join(RULES)}, or a file that ends in .toml.{hint}"
        )
    return _parse(read_toml_text(path, f"The definition file '{path.name}'"), path.name)


def read_toml_text(path: Path, what: str) -> str:
    """Read the text of a file that somebody wrote, with or without a byte order mark.

    Raises
    ------
    SettingsError
        If it cannot be opened, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(
            f"{what} is not UTF-8 text, as TOML must be. Save it again with the encoding UTF-8."
        ) from None
    except OSError as fault:
        raise SettingsError(f"{what} cannot be read: {fault}.") from None


def require_publishable(chosen: Sequence[Definition]) -> None:
    """Refuse definitions that may not be published, or not together.

    Two that share their rules and differ in limits would publish the same people twice, and the difference could
    be of a few.

    Raises
    ------
    SettingsError
        Naming them.

    Examples
    --------
    >>> require_publishable([definition("nhs"), definition("jacobson-truax")])
    """
    titles: dict[str, str] = {}
    for each in chosen:
        if each.rules in titles:
            raise SettingsError(
                f"'{titles[each.rules]}' and '{each.title}' have the same rules ({each.rules}): together they "
                "would publish the same people twice, and the difference could be of a few. Choose one of them."
            )
        titles[each.rules] = each.title
        if each.unpublishable:
            raise SettingsError(f"'{each.title}' may not be published: it {each.unpublishable}.")


def definition_text(name: str) -> str:
    """Give the file of a definition that comes with the package, to be copied and changed."""
    if name not in RULES:
        raise SettingsError(f"There is no definition {name!r}; there are {', '.join(RULES)}.")
    return (files("mbc.outcomes.definitions") / f"{RULES[name]}.toml").read_text(encoding="utf-8")


def rule_module(settings: Definition) -> RuleModule:
    """Find the module that knows the rules of a definition."""
    return _module(settings.rules)


@cache
def _shipped(name: str) -> Definition:
    return _parse(definition_text(name), f"{RULES[name]}.toml")


def _module(rules: str) -> Any:
    return import_module(f"mbc.outcomes.definitions.{RULES[rules]}")


def _parse(text: str, name: str) -> Definition:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"The definition file '{name}' cannot be read as TOML: {fault}.") from None
    rules = content.get("rules")
    if rules not in RULES:
        raise SettingsError(
            f"The definition file '{name}' must name its rules: rules = one of {', '.join(map(repr, RULES))}; "
            f"got {rules!r}."
        )
    try:
        return _module(str(rules)).Settings.model_validate(content)
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(f"The definition file '{name}': {where}: {first['msg']}.") from None


def instruments_of(settings: Definition) -> tuple[str, ...] | None:
    """Name the questionnaires that a definition reads; None where it takes what is on record.

    Examples
    --------
    >>> instruments_of(definition("nhs")), instruments_of(definition("jacobson-truax"))
    (('gad7', 'phq9'), None)
    """
    if getattr(settings, "from_catalogue", False):
        return None
    parts = (settings, *getattr(settings, "measures", ()))
    named = {key for part in parts if isinstance(key := getattr(part, "instrument", None), str)}
    return tuple(sorted(named)) or None
