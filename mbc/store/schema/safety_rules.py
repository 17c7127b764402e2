"""Which channel a questionnaire belongs to, and which of its answers raise a flag: decided here for every writer.

The rules are those of the definitions: of what mbc ships, written down by ``scripts/safety_rules.py``, because the
record knows no questionnaire (a test holds the two to each other); and of the clinic's own questionnaires, kept
with their definitions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mbc.errors import StoreError
from mbc.store.schema.records import Channel, Flag

SAFETY_EVENT = "safety"  # kinds of event that belong to the safety channel begin with this word


def is_safety_event(kind: str) -> bool:
    """Whether a kind of event belongs to the safety channel: those whose name begins with "safety".

    Examples
    --------
    >>> is_safety_event("safety plan"), is_safety_event("moved in")
    (True, False)
    """
    return kind.casefold().startswith(SAFETY_EVENT)


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """What one questionnaire's definition says of safety."""

    instrument: str
    channel: Channel
    default_form: str | None = None
    default_coding: str | None = None
    flags: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, instrument: str, rule: Mapping[str, Any]) -> SafetyRule:
        """Take the rule of one questionnaire as `mbc.instruments.definition.safety_rule` writes it."""
        return cls(
            instrument,
            rule["channel"],
            rule.get("default_form"),
            rule.get("default_coding"),
            tuple(rule.get("flags", ())),
        )

    def raised(
        self,
        answers: Sequence[float | None],
        totals: Mapping[str, float],
        *,
        form: str | None = None,
        coding: str | None = None,
    ) -> tuple[Flag, ...]:
        """Give the flags that answers raise, or a total where only that was kept.

        An answer at or above the line is a ``"risk"``; a blank, or an answer that does not exist, is an ``"ask"``.
        Nothing is raised by a questionnaire that was handed in empty.

        Raises
        ------
        StoreError
            If the form or the coding is not one of this questionnaire's: its answers could not be read.
        """
        if not any(answer is not None for answer in answers):
            return tuple(
                Flag(flag["item"])
                for flag in self.flags
                if flag["on"] == "scale" and totals.get(flag["item"], float("-inf")) >= flag["at_least"]
            )
        kinds = ((flag, self._kind(flag, answers, form, coding)) for flag in self.flags)
        return tuple(Flag(flag["item"], kind) for flag, kind in kinds if kind)

    def _kind(
        self, flag: Mapping[str, Any], answers: Sequence[float | None], form: str | None, coding: str | None
    ) -> Any:
        positions = self._pick(flag["positions"], form or self.default_form, "form")
        terms = self._pick(flag["codings"], coding or self.default_coding, "coding")
        values = [_counted(answers, position, term) for position, term in zip(positions, terms, strict=True)]
        blank = None in values
        if flag["on"] == "item" and blank:
            reached = False
        else:  # of a sum, the least that it can be: blanks count as the lowest answer
            lowest = zip(values, flag["lowest"], strict=True)
            reached = sum(low if value is None else value for value, low in lowest) >= flag["at_least"]
        return "risk" if reached else "ask" if blank and flag["blank_asks"] else None

    def _pick(self, among: Mapping[str, Any], key: str | None, what: str) -> Any:
        if key is None or key not in among:
            raise StoreError(f"{self.instrument} has no {what} '{key}'; there is {', '.join(sorted(among))}.")
        return among[key]


def _counted(answers: Sequence[float | None], position: int, term: Mapping[str, Any]) -> float | None:
    answer = answers[position] if position < len(answers) else None
    if answer is None or not term["low"] <= answer <= term["high"] or (term["whole"] and answer != int(answer)):
        return None
    return term["sign"] * answer + term["constant"]


@cache
def shipped_rules() -> Mapping[str, SafetyRule]:
    """Read the rules of the questionnaires that mbc ships."""
    text = (files("mbc.store.schema") / "safety_rules.json").read_text(encoding="utf-8")
    return {key: SafetyRule.of(key, rule) for key, rule in json.loads(text).items()}
