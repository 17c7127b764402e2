"""Write what the record must know of each shipped questionnaire: its channel, and which answers raise a flag.

The store knows no questionnaire, and still decides for every writer. Run after a change of a definition:
python scripts/safety_rules.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mbc.instruments import Instrument, all_keys, instrument
from mbc.instruments.definition.definition import Coding, RiskFlag

FILE = Path(__file__).resolve().parents[1] / "mbc" / "store" / "schema" / "safety_rules.json"


def rules() -> dict[str, Any]:
    """Collect the rules of the catalogue."""
    return {key: rule_of(instrument(key)) for key in sorted(all_keys())}


def rule_of(definition: Instrument) -> dict[str, Any]:
    """Write one definition's channel and flags, position by position of each form."""
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


if __name__ == "__main__":
    FILE.write_text(json.dumps(rules(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
