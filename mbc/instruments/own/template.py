"""The template of a definition file: valid as it is, with comments on what may be added."""

from __future__ import annotations

import re
from typing import Literal

from mbc.errors import DefinitionError
from mbc.instruments.own.folders import KEY
from mbc.instruments.shipped import shipped

_MOST_ITEMS = 200

_START = """\
# {name}: a questionnaire of our own. `mbc instruments check {key}.toml` says what is wrong, and on which line.
# Lines that begin with #name = are examples: take the # away to use them.
# Editors that know TOML check while you type: mbc instruments schema --out instrument.schema.json, and then
# make this the first line of the file:   #:schema ./instrument.schema.json

key = "{key}"                  # prefix of its columns: {key}_1 ... {key}_{count}, {key}_total
name = "{name}"
construct = "other"            # what it measures: self_esteem, attachment, symptoms ...
version = "1"                  # kept with every administration; change it when a score changes meaning
#summary = "What it measures and how, in a sentence of your own."
source = "own"                 # who published it: a key of [sources.*] below, or of mbc's catalogue
confidence = "high"            # how far the scoring key can be trusted: high, medium, unverified
#recall = "two weeks"          # the time that is asked about
#disputes = ["What sources disagree about."]

# Permitted use: free, permission or restricted (a restricted file contains no labels).
licence = {{ status = "free", statement = "Ours." }}

# The range of answers that items share; an item may have its own: {{ id = "q1", range = [0, 10] }}.
answers = {{ range = [{low}, {high}] }}

# Items are known by id, whatever their place on a form. A label names the topic in at most six words of your own,
# never the question as it is printed: that is loaded as wording (mbc instruments wording blank {key}).
items = [
{items}
]

# When its questions make sense at all.
#[needs]
#relationship = true           # of a current relationship only; afterwards it is "not applicable", never zero

# An answer that speaks for itself, whatever the total says; if left blank, it should be asked about.
#[[flag]]
#item = "q{count}"
#label = "thoughts of self-harm"
#at_least = {flagged}

# One table per score; the first is charted. rule: sum or mean (scaled_sum with a factor).
[[scale]]
key = "total"
title = "Total"
rule = "{rule}"
range = [{lowest:g}, {highest:g}]{pad}# what accepted answers can reach; it is checked
better = "higher"              # or "lower"
#items = [{ids}]
                               # those that count for it; absent: all
reverse = []                   # items that are worded the other way
missing = {{ rule = "strict" }}  # a blank leaves no score; or {{ rule = "prorate", at_most = 1 }}

# Lines and figures: each needs a source, and says how far it can be trusted. Leave out what nobody published.
#[[scale.cutoff]]
#value = {middle:g}
#side = "<"                    # the comparison that means distressed: < <= > >=
#label = "low"
#default = true                # the one that is drawn
#source = "own"
#confidence = "unverified"

#[[scale.norm]]
#id = "clinic"
#population = "clinical"
#mean = {middle:g}
#sd = {sd:g}
#n = 120
#sample = "clients at their first session"
#source = "own"
#confidence = "medium"

#[[scale.reliability]]
#id = "clinic_alpha"
#kind = "alpha"                # alpha, omega, retest, interrater, split-half
#value = 0.85
#n = 120
#sample = "clients at their first session"
#source = "own"
#confidence = "medium"

# With a norm and a reliability, change can be distinguished from measurement error.
#[scale.change_norm]
#norm = "clinic"
#reliability = "clinic_alpha"

[sources.own]
citation = "Our clinic (year). {name}: notes on its making."
"""


def start(
    key: str,
    *,
    name: str | None = None,
    items: int = 5,
    answers: tuple[int, int] = (0, 3),
    rule: Literal["sum", "mean"] = "sum",
) -> str:
    """Write the beginning of a definition file; it passes ``check`` as it is.

    Parameters
    ----------
    key : str
        Column prefix and file name.
    name : str, optional
        Full name.
    items : int
        How many.
    answers : (int, int)
        Lowest and highest answer.
    rule : {"sum", "mean"}
        How items become the score.

    Raises
    ------
    DefinitionError
        If the key is a built-in's or can be none, or the numbers make no questionnaire.

    Examples
    --------
    >>> print(start("loneliness", items=8, answers=(1, 4)).splitlines()[5])
    key = "loneliness"                  # prefix of its columns: loneliness_1 ... loneliness_8, loneliness_total
    """
    low, high = answers
    _check(key, items, low, high)
    times = items if rule == "sum" else 1
    lowest, highest = low * times, high * times
    range_line = f"range = [{lowest}, {highest}]"
    title = (name or key.replace("_", " ")).replace("\\", "").replace('"', "'").strip() or key
    return _START.format(
        key=key,
        name=title,
        count=items,
        low=low,
        high=high,
        items="\n".join(f'  {{ id = "q{n}", label = "topic {n}" }},' for n in range(1, items + 1)),
        ids=", ".join(f'"q{n}"' for n in range(1, items + 1)),
        flagged=low + 1,
        rule=rule,
        lowest=lowest,
        highest=highest,
        pad=" " * max(31 - len(range_line), 1),
        middle=(lowest + highest) / 2,
        sd=round((highest - lowest) / 5, 2),
    )


def replacement(key: str) -> str:
    """Copy the file of a built-in instrument as a start for one that takes its place.

    Raises
    ------
    DefinitionError
        If there is no such built-in.

    Examples
    --------
    >>> print(replacement("rses").splitlines()[2])
    replaces = "rses"  # takes the place of the built-in; remove this line, and it is refused
    """
    if key not in shipped():
        raise DefinitionError(
            f"There is no built-in instrument {key!r} to replace; choose {', '.join(shipped())}."
        )
    text = shipped()[key].read_text(encoding="utf-8")
    mark = f'replaces = "{key}"  # takes the place of the built-in; remove this line, and it is refused'
    text = re.sub(rf'(?m)^key = "{key}"$', rf"\g<0>\n{mark}", text, count=1)
    return re.sub(r'(?m)^version = "(.*)"$', r'version = "\1-own"', text, count=1)


def _check(key: str, items: int, low: int, high: int) -> None:
    if not KEY.fullmatch(key):
        raise DefinitionError(
            f"key is {key!r}; it is a column prefix: lower-case letters, digits and _, beginning with a letter."
        )
    if key in shipped():
        raise DefinitionError(
            f"{key!r} is a built-in instrument; choose another key, such as 'my_{key}', or start from a copy "
            "that replaces it: --replace."
        )
    if not 1 <= items <= _MOST_ITEMS:
        raise DefinitionError(f"items is {items}; a questionnaire has 1 to {_MOST_ITEMS}.")
    if not low < high:
        raise DefinitionError(f"answers are {low} to {high}; the lowest must come first, such as 0-3.")
