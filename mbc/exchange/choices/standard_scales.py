"""The response scale that the answers to a questionnaire of the catalogue are given on, in generic words.

What an answer counts as is defined by its questionnaire; listed here is which words mean the first answer, the
second, and so on, so that a form that exports words can be read, and labels of another scale can be recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from mbc.exchange.choices.answer_words import Family, normalised
from mbc.instruments import Instrument

Scale = tuple[tuple[str, ...], ...]

_AGREEMENT_4: Scale = (("strongly disagree",), ("disagree",), ("agree",), ("strongly agree",))
_AGREEMENT_7: Scale = (
    ("strongly disagree", "disagree strongly"),
    ("disagree", "moderately disagree"),
    ("slightly disagree", "somewhat disagree", "disagree somewhat"),
    ("neutral", "neither agree nor disagree", "neutral/mixed", "undecided"),
    ("slightly agree", "somewhat agree", "agree somewhat"),
    ("agree", "moderately agree"),
    ("strongly agree", "agree strongly"),
)
_DAYS_4: Scale = (
    ("not at all",),
    ("several days",),
    ("more than half the days", "more than half of the days", "more than half", "over half the days"),
    ("nearly every day", "almost every day"),
)
_TIME_6: Scale = (
    ("at no time",),
    ("some of the time",),
    ("less than half of the time", "less than half the time"),
    ("more than half of the time", "more than half the time"),
    ("most of the time",),
    ("all of the time", "all the time"),
)
_TIME_5: Scale = (
    ("none of the time",),
    ("a little of the time",),
    ("some of the time",),
    ("most of the time",),
    ("all of the time", "all the time"),
)
_WEEK_5: Scale = (
    ("not at all",),
    ("only occasionally",),
    ("sometimes",),
    ("often",),
    ("most or all the time", "most or all of the time"),
)
_SELDOM_5: Scale = (("seldom",), ("sometimes",), ("fairly often",), ("very often",), ("always",))
_NEVER_5: Scale = (("never",), ("rarely",), ("sometimes",), ("fairly often",), ("frequently",))
_EXTENT_5: Scale = (("not at all",), ("a little bit", "a little"), ("somewhat",), ("very much",), ("extremely",))
_YES_NO: Scale = (("no",), ("yes",))

_SCALES: Mapping[str, Scale] = {
    "rses": _AGREEMENT_4,
    "ecr": _AGREEMENT_7,
    "ecr12": _AGREEMENT_7,
    "ecr_r": _AGREEMENT_7,
    "ecr_rs": _AGREEMENT_7,
    "ecr_s": _AGREEMENT_7,
    "phq9": _DAYS_4,
    "gad7": _DAYS_4,
    "who5": _TIME_6,
    "k6": _TIME_5,
    "k10": _TIME_5,
    "core10": _WEEK_5,
    "wai_sr": _SELDOM_5,
    "hits": _NEVER_5,
    "e_hits": _NEVER_5,
    "sses": _EXTENT_5,
    "hark": _YES_NO,
}
_FREQUENCY: frozenset[Family] = frozenset({"frequency", "amount"})
_EXTENT: frozenset[Family] = frozenset({"extent", "amount"})
_FAMILIES: Mapping[str, frozenset[Family]] = {
    **dict.fromkeys(("rses", "ecr", "ecr12", "ecr_r", "ecr_rs", "ecr_s"), frozenset[Family]({"agreement"})),
    **dict.fromkeys(
        ("phq9", "gad7", "who5", "k6", "k10", "core10", "wai_sr", "scs_sf", "hits", "e_hits"), _FREQUENCY
    ),
    **dict.fromkeys(("sses", "wsas"), _EXTENT),
    "kmss": frozenset({"satisfaction"}),
    "hark": frozenset({"yes or no"}),
}


def families_of(measure: Instrument) -> frozenset[Family] | None:
    """Give the kinds of words that a questionnaire's answers are in; None where they are of several kinds."""
    return _FAMILIES.get(measure.key)


@lru_cache(maxsize=128)
def words_of(measure: Instrument) -> Mapping[str, int]:
    """Map the words of a questionnaire's standard answers to numbers of its default coding.

    A questionnaire whose items have other scales, or several, has none.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> words_of(instrument("rses"))["strongly agree"], words_of(instrument("k10"))["none of the time"]
    (3, 1)
    """
    scale = _SCALES.get(measure.key)
    ends = {(item.minimum, item.maximum) for item in measure.items}
    if scale is None or len(ends) != 1:
        return {}
    low, high = ends.pop()
    if high - low + 1 != len(scale):
        return {}
    return {normalised(word): low + step for step, words in enumerate(scale) for word in words}
