"""Where the words of an answer lie on its response scale: how much agreement, how often, how far.

Only generic words of response scales are listed, in five languages; no questionnaire's items. Words that are not
listed have no place, and nothing is concluded from them.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Family = Literal[
    "agreement", "frequency", "amount", "extent", "satisfaction", "likelihood", "yes or no", "neutral"
]

_TAG = re.compile(r"<[^>]*>")
_CODE = re.compile(r"^\(?[+-]?\d+\)?\s*[-–—=:.)]*\s+|\s*[\[(]?[+-]?\d+[\])]?$")
_NON_ANSWER = re.compile(
    r"\b(prefer not|refus\w*|declin\w*|do ?n.?t know|not sure|not applicable|does not apply|n/?a|no answer|"
    r"missing|skip\w*|unknown|keine angabe|wei(ß|ss) nicht|geen antwoord|weet niet|ne sait pas|no sabe)\b"
)
# Within a family a higher degree is more of it; "not at all" is the foot of every scale of amount.
_RULES: tuple[tuple[str, Family, float], ...] = (
    (r"neither|neutral\w*|undecided|teils.?teils|weder noch|unentschieden|ni l.un ni", "neutral", 0),
    # agreement
    (r"(slightly|somewhat|a little|mildly|tend to) disagree", "agreement", -1),
    (r"disagree (slightly|somewhat|a little)", "agreement", -1),
    (r"(strongly|completely|totally|entirely|fully|definitely) disagree", "agreement", -3),
    (r"disagree (strongly|completely|totally)", "agreement", -3),
    (r"disagree", "agreement", -2),
    (r"(slightly|somewhat|a little|mildly|tend to) agree|agree (slightly|somewhat|a little)", "agreement", 1),
    (r"(strongly|completely|totally|entirely|fully|definitely) agree", "agreement", 3),
    (r"agree (strongly|completely|totally)", "agreement", 3),
    (r"agree", "agreement", 2),
    (r"(überhaupt|gar) nicht zu|trifft nicht zu", "agreement", -3),
    (r"eher nicht zu", "agreement", -1),
    (r"nicht zu", "agreement", -2),
    (r"eher zu", "agreement", 1),
    (r"(voll|völlig|vollständig|ganz|vollkommen)( und ganz)? zu|genau zu", "agreement", 3),
    (r"(stimme|trifft) zu", "agreement", 2),
    (r"(helemaal|zeer|sterk) (mee )?oneens", "agreement", -3),
    (r"oneens", "agreement", -2),
    (r"(helemaal|zeer|sterk) (mee )?eens", "agreement", 3),
    (r"(mee )?eens", "agreement", 2),
    (r"pas du tout d.accord", "agreement", -3),
    (r"pas d.accord", "agreement", -2),
    (r"(tout à fait|totalement|complètement) d.accord", "agreement", 3),
    (r"d.accord", "agreement", 2),
    (r"(muy|totalmente|completamente) en desacuerdo", "agreement", -3),
    (r"desacuerdo", "agreement", -2),
    (r"(muy|totalmente|completamente) de acuerdo", "agreement", 3),
    (r"de acuerdo", "agreement", 2),
    # satisfaction, happiness
    (r"(extremely|completely|totally) (dissatisfied|unsatisfied|unhappy)", "satisfaction", -4),
    (r"very (dissatisfied|unsatisfied|unhappy)", "satisfaction", -3),
    (r"(somewhat|slightly|a little) (dissatisfied|unsatisfied|unhappy)", "satisfaction", -1),
    (r"(dissatisfied|unsatisfied|unhappy)", "satisfaction", -2),
    (r"(extremely|completely|perfectly|totally) (satisfied|happy)", "satisfaction", 4),
    (r"very (satisfied|happy)", "satisfaction", 3),
    (r"(somewhat|slightly|a little) (satisfied|happy)", "satisfaction", 1),
    (r"(satisfied|happy)", "satisfaction", 2),
    # likelihood
    (r"(very|extremely) unlikely", "likelihood", -2),
    (r"unlikely", "likelihood", -1),
    (r"(very|extremely) likely", "likelihood", 2),
    (r"likely", "likelihood", 1),
    # amount: the foot that frequency and extent share
    (r"not at all|überhaupt nicht|gar nicht|helemaal niet|pas du tout|para nada|nada en absoluto", "amount", 0),
    # frequency
    (r"almost never|hardly ever|very (rarely|seldom)", "frequency", 1),
    (r"(fast|beinahe) nie|bijna nooit|presque jamais|casi nunca", "frequency", 1),
    (r"never|(at no|none of the) time|not at any time", "frequency", 0),
    (r"\bnie(mals)?\b|nooit|jamais|nunca|zu keinem zeitpunkt", "frequency", 0),
    (r"a little of the time|rarely|seldom|only occasionally|several days", "frequency", 2),
    (r"einzelnen tagen|selten|zelden|verscheidene dagen|rarement|plusieurs jours", "frequency", 2),
    (r"raramente|rara vez|varios días", "frequency", 2),
    (r"less than half|some of the time|sometimes|occasionally|now and then", "frequency", 3),
    (r"manchmal|gelegentlich|ab und zu|soms|parfois|quelquefois|a veces|algunas veces", "frequency", 3),
    (r"most or all", "frequency", 6.5),
    (r"nearly every day|almost every day|(beinahe|fast) jeden tag|bijna elke dag", "frequency", 6),
    (r"presque tous les jours|casi todos los días", "frequency", 6),
    (r"almost always|(fast|beinahe) immer|bijna altijd|presque toujours|casi siempre", "frequency", 6.5),
    (r"very often|most of the time|usually|meistens|meestal|la plupart du temps|la mayor parte", "frequency", 5),
    (r"(more than|over) half|often|frequently|a good bit of the time", "frequency", 4),
    (r"mehr als (der|die) hälfte|häufig|\boft\b|vaak|meer dan de helft", "frequency", 4),
    (r"souvent|plus de la moitié|a menudo|más de la mitad", "frequency", 4),
    (r"always|all (of )?the time|constantly|every day", "frequency", 7),
    (r"\bimmer\b|ständig|altijd|toujours|siempre", "frequency", 7),
    # extent
    (r"very severely|extremely|completely|totally|entirely", "extent", 7),
    (r"äußerst|extreem|extrêmement|extremadamente", "extent", 7),
    (r"a little|slightly|very little|mildly|ein wenig|etwas|een beetje|un peu|un poco", "extent", 2),
    (r"somewhat|moderately|to some extent|fairly", "extent", 3),
    (r"einigermaßen|mäßig|matig|modérément|moderadamente", "extent", 3),
    (r"quite a bit|considerably|markedly|a lot|ziemlich|nogal|beaucoup|bastante", "extent", 5),
    (r"very much|very|severely|sehr|zeer|très|mucho|muy", "extent", 6),
    # yes or no
    (r"^(no|nein|nee|non|false|untrue|not true)$", "yes or no", 0),
    (r"^(yes|ja|oui|sí|si|true)$", "yes or no", 1),
)  # fmt: skip
_PATTERNS: tuple[tuple[re.Pattern[str], Family, float], ...] = tuple(
    (re.compile(pattern), family, degree) for pattern, family, degree in _RULES
)
_OF_AMOUNT: frozenset[Family] = frozenset({"amount", "frequency", "extent"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer lies: on which kind of scale, and how high."""

    family: Family
    degree: float


def normalised(label: str) -> str:
    """Drop markup, case, punctuation, and a code that is written with the label.

    Examples
    --------
    >>> normalised("<p>3 = Nearly  Every Day.</p>"), normalised("Strongly agree (4)")
    ('nearly every day', 'strongly agree')
    """
    text = " ".join(html.unescape(_TAG.sub(" ", label)).casefold().split())
    return _CODE.sub("", text).strip(" .,;:!-–—'\"")


def is_non_answer(label: str) -> bool:
    """Say whether a choice is a way of not answering.

    Examples
    --------
    >>> [is_non_answer(label) for label in ("Prefer not to say", "Don't know", "Not at all")]
    [True, True, False]
    """
    return _NON_ANSWER.search(normalised(label)) is not None


@lru_cache(maxsize=2048)
def place_of(label: str) -> Place | None:
    """Find where the words of an answer lie on their scale; None where they are not known.

    Examples
    --------
    >>> place_of("Strongly agree"), place_of("3 - nearly every day"), place_of("blue")
    (Place(family='agreement', degree=3), Place(family='frequency', degree=6), None)
    """
    text = normalised(label)
    for pattern, family, degree in _PATTERNS:
        if pattern.search(text):
            return Place(family, degree)
    return None


def direction(low: str, high: str) -> Literal["rising", "falling"] | None:
    """Say whether there is more in the second label than in the first; None where the words do not tell.

    Examples
    --------
    >>> direction("Strongly agree", "Strongly disagree"), direction("Not at all", "All the time")
    ('falling', 'rising')
    """
    first, last = place_of(low), place_of(high)
    if first is None or last is None or first.degree == last.degree:
        return None
    if first.family != last.family and not {first.family, last.family} <= _OF_AMOUNT:
        return None
    return "rising" if first.degree < last.degree else "falling"
