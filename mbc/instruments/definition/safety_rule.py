"""What a record must know of a definition to decide by itself: its channel, and which answers raise a flag.

The store knows no questionnaire, and still decides for every writer. It keeps these rules for what mbc ships
(``scripts/safety_rules.py`` writes them) and for the clinic's own questionnaires, with their definitions.
"""

from __future__ import annotations

from typing import Any

from mbc.instruments.definition.definition import Coding, Instrument, RiskFlag


def safety_rule(definition: Instrument) -> dict[str, Any]:
    """Write one definition's channel and flags, position by position of each form, as JSON can hold them.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> safety_rule(instrument("rses"))
    {'channel': 'care'}
    >>> rule = safety_rule(instrument("phq9"))
    >>> rule["flags"][0]["item"], rule["flags"][0]["positions"]
    ('i9', {'standard': [8]})
    """
    rule: dict[str, Any] = {"channel": "safety" if definition.safety_channel else "care"}
    if definition.flags:
        rule["default_form"] = definition.form().key
        rule["default_coding"] = definition.coding().key
        rule["flags"] = [_flag(definition, flag) for flag in definition.flags]
    return rule


def _flag(definition: Instrument, flag: RiskFlag) -> dict[str, Any]:
    on_scale = flag.on == "scale"
    items = definition.scale(flag.item).items if on_scale else (flag.item,)
    return {
        "item": flag.item,
        "on": flag.on,
        "at_least": flag.at_least,
        "blank_asks": flag.blank_asks,
        "positions": {form.key: [form.order.index(item) for item in items] for form in definition.forms},
        "codings": {
            coding.key: [_term(definition, flag, coding, item) for item in items] for coding in definition.codings
        },
        "lowest": [definition.item(item).minimum for item in items],
    }


def _term(definition: Instrument, flag: RiskFlag, coding: Coding, item_id: str) -> dict[str, Any]:
    """Write how an answer counts, ``sign * answer + constant``, and which answers there are."""
    item = definition.item(item_id)
    sign, constant = coding.affine(item)
    if flag.on == "scale" and item_id in definition.scale(flag.item).reverse:
        sign, constant = -sign, item.minimum + item.maximum - constant
    low, high = coding.accepted(item)
    return {"sign": sign, "constant": constant, "low": low, "high": high, "whole": item.whole_numbers}
