"""What a wording file says, before it is held against an instrument."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MOST_CHARACTERS = 2000  # of one text; the longest item in use has a few hundred


@dataclass(frozen=True, slots=True)
class Line:
    """One question as a file has it."""

    where: str  # "row 3", "linkId '/44250-9'", as messages should say it
    names: tuple[str, ...]  # what the file calls it: link id, field name, number
    codes: tuple[str, ...]  # LOINC
    text: str
    options: tuple[tuple[str, str], ...]  # number as written, label; in the file's order
    span: tuple[int, int] | None = None  # a number may be entered between these


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole file: its questions, in its order, and what stands around them."""

    title: str | None
    instructions: str | None
    copyright: str | None
    lines: tuple[Line, ...]
    extras: Literal["fault", "reported", "passed over"] = "fault"  # what a question of no item is
    sections: Mapping[str, str] = field(default_factory=dict[str, str])  # name of a question -> heading above it


def plain(text: str | None) -> str:
    r"""Text without mark-up, blanks at its ends or control characters; line breaks stay.

    Examples
    --------
    >>> plain(" <b>How much</b> of the time&nbsp;...<br>in total? ")
    'How much of the time ...\nin total?'
    """
    if not text:
        return ""
    broken = re.sub(r"(?i)<br\s*/?>|</(?:p|div|li)>", "\n", text)
    bare = html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", "", broken)).replace("\u00a0", " ")
    lines = (re.sub(r"[\x00-\x08\x0b-\x1f\x7f\t ]+", " ", line).strip() for line in bare.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# What other programs fill in before somebody reads it, and mark-up that is shown as it stands.
_PLACEHOLDERS = (
    re.compile(r"\[[A-Za-z][A-Za-z0-9_]*(?:[-:][^\[\]\s]*)?\]"),  # REDCap: [first_name], [event-name], [q1:value]
    re.compile(r"\$\{[^}]*\}"),  # Qualtrics: ${e://Field/name}
    re.compile(r"\{\{[^}]*\}\}|\{[A-Z][A-Z0-9_]*(?::[^}]*)?\}|\{[a-z_]+\.[a-z_.]+\}"),  # SurveyMonkey, LimeSurvey
    re.compile(r"%%?[A-Za-z_]+%%?"),
)
_MARKUP = re.compile(r"</?[A-Za-z!][^\s<>]*|&(?:[A-Za-z]+|#\d+);|\*\*\S|__\S|\[[^\]]+\]\(http")


def foreign_syntax(text: str) -> str | None:
    """Say what of a text a client should not be shown; None where all of it can be read out.

    Examples
    --------
    >>> foreign_syntax("How often, [first_name]?")
    "'[first_name]' would only be filled in by another program; write what a client should read"
    >>> foreign_syntax("How often (in 2 weeks)?") is None
    True
    """
    for pattern in _PLACEHOLDERS:
        if (match := pattern.search(text)) is not None:
            return f"'{match[0][:40]}' would only be filled in by another program; write what a client should read"
    if (match := _MARKUP.search(text)) is not None:
        return f"'{match[0][:40]}' is mark-up that would be shown literally; write what a client should read"
    return None
