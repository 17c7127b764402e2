"""What a partner must not read: out of what a client takes home, unless the clinician ticks it for that print.

A sheet is found in a bag. So relationship scales (their names, too), the alliance, relationship events and
statuses, and goals that speak of leaving, of the relationship or of another person are left out. Only scales that
are known to speak of the client alone are printed: a questionnaire of the clinic's own counts as private. Goals
are searched for words in the languages of the catalogue; a goal may be worded so that no list knows it, so whoever
prints is shown which goals are on the sheet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal, get_args

from mbc.arguments import join_choices
from mbc.care.values.course import Trajectory
from mbc.care.values.review import GoalProgress
from mbc.errors import ReportError

Private = Literal["relationship", "alliance", "events", "goals"]
PRIVATE: tuple[Private, ...] = get_args(Private)
PRIVATE_WORDS: dict[str, str] = {
    "relationship": "relationship scales",
    "alliance": "the alliance",
    "events": "events and relationships",
    "goals": "goals about leaving, the relationship or another person",
}
WARNING = (
    "A printed sheet can be found by others. Hand it over only if nobody at home might harm the client "
    "because of it."
)

_OWN = frozenset({"self_esteem", "symptoms"})  # constructs that speak of the client alone
_STEMS = (
    # English
    r"leav\w*|left|separat\w*|divorc\w*|break\w* (?:up|free)|mov\w+ out|get\w* away|escap\w*|partner\w*|wife",
    r"husband\w*|spous\w*|boyfriend\w*|girlfriend\w*|marri\w*|relationship\w*|dating|dates?|couple\w*|affairs?|lovers?",
    r"loves?|loving|sex\w*|jealous\w*|abus\w*|violen\w*|safe\w*|ex|him|his|her|hers|he|she|together",
    # German
    r"verlass\w*|verlie\w*|trenn\w*|scheid\w*|auszieh\w*|auszug\w*|flucht|flieh\w*|beziehung\w*|ehe\w*|mann",
    r"frau|freund\w*|ihn|ihm|paar\w*|eifers\w*|gewalt\w*|sicher\w*",
    # Spanish
    r"dej\w*|separ\w*|divorci\w*|irme|irse|huir\w*|escap\w*|pareja\w*|marid\w*|mujer|espos\w*|novi[oa]\w*|relaci\w*",
    r"él|ella|celos\w*|abuso\w*|segur\w*",
    # French
    r"quitt\w*|sépar\w*|divorc\w*|partir|fuir|compagn\w*|mari|femme|épou\w*|copain\w*|copine\w*|relation\w*|lui|elle",
    r"jalou\w*|sûr\w*|sécurit\w*",
    # Dutch
    r"verlat\w*|verliet\w*|weggaan|scheid\w*|vlucht\w*|man|vrouw|vriend\w*|relatie\w*|huwelijk\w*|hem|haar|jaloers\w*",
    r"veilig\w*",
)
_SPEAKS = re.compile(rf"(?<!\w)(?:{'|'.join(_STEMS)})(?!\w)", re.IGNORECASE)


def check_included(included: Collection[str]) -> tuple[Private, ...]:
    """Check what was ticked for a print.

    Raises
    ------
    ReportError
        If it is not something that can be ticked.
    """
    unknown = [name for name in included if name not in PRIVATE]
    if unknown:
        raise ReportError(f"{unknown[0]!r} cannot be included; these can: {join_choices(PRIVATE)}.")
    return tuple(name for name in PRIVATE if name in included)


def is_private(course: Trajectory) -> Private | None:
    """Name what must be ticked before a scale is printed; None where it is printed anyway."""
    return is_private_construct(course.construct)


def is_private_construct(construct: str) -> Private | None:
    """Name what must be ticked before a scale of this construct is printed or named.

    Examples
    --------
    >>> is_private_construct("self_esteem"), is_private_construct("relationship_satisfaction")
    (None, 'relationship')
    """
    if construct in _OWN:
        return None
    return "alliance" if construct == "alliance" else "relationship"


def printable(courses: Iterable[Trajectory], included: Collection[str]) -> tuple[Trajectory, ...]:
    """Keep the scales that may be printed."""
    return tuple(course for course in courses if (name := is_private(course)) is None or name in included)


def is_private_goal(goal: GoalProgress, relationship_scales: Collection[str]) -> bool:
    """Say whether a goal speaks of leaving, of the relationship or of another person.

    Parameters
    ----------
    goal : GoalProgress
    relationship_scales : collection of str
        Scales that are private, as "csi16.total".
    """
    key = (goal.scale or "").partition(".")[0]
    on_private = any(scale.partition(".")[0] == key for scale in relationship_scales) if key else False
    return on_private or speaks_of_others(goal.label)


def speaks_of_others(text: str) -> bool:
    """Search words for leaving, relationships and other persons, in the languages of the catalogue.

    Examples
    --------
    >>> speaks_of_others("Save money to move out"), speaks_of_others("Mich von ihm trennen")
    (True, True)
    >>> speaks_of_others("Sleep through the night"), speaks_of_others("Wieder laufen gehen")
    (False, False)
    """
    return _SPEAKS.search(text) is not None
