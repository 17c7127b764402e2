"""A requirement in plain words, the tests that show it, and how it is tried on an installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Result = Literal["met", "NOT MET", "not applicable"]
Trial = Callable[[Path], str]
"""Tries a requirement in an empty folder, and says what was seen."""


class NotApplicable(Exception):
    """The installation lacks what the requirement is about."""


class NotMet(Exception):
    """The requirement is not met here."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the validation pack."""

    number: str  # "R1", stable from release to release
    words: str
    tests: tuple[str, ...]  # of the source distribution
    trial: Trial


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial gave."""

    requirement: Requirement
    result: Result
    seen: str
    seconds: float


def require(condition: object, otherwise: str) -> None:
    """Raise NotMet unless a condition is met."""
    if not condition:
        raise NotMet(otherwise)


def try_all(requirements: Iterable[Requirement], folder: Path) -> list[Finding]:
    """Try each in a folder of its own; a fault of the program is a requirement that is not met."""
    findings: list[Finding] = []
    for requirement in requirements:
        own = folder / requirement.number
        own.mkdir()
        began = time.perf_counter()
        result: Result = "met"
        try:
            seen = requirement.trial(own)
        except NotApplicable as reason:
            result, seen = "not applicable", str(reason)
        except NotMet as reason:
            result, seen = "NOT MET", str(reason)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the requirement was not shown
            result, seen = "NOT MET", f"{type(fault).__name__}: {fault}"[:300]
        findings.append(Finding(requirement, result, seen, time.perf_counter() - began))
    return findings
