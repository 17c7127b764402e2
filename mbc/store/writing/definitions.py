"""Definitions of the clinic's own questionnaires, kept with the answers that were recorded with them.

What a definition says of safety decides for every writer from then on: the channel of the questionnaire's answers,
and the flags that they raise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from mbc.errors import StoreError
from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t
from mbc.store.schema.records import Definition
from mbc.store.schema.safety_rules import SafetyRule, shipped_rules


@dataclass(slots=True)
class Definitions:
    """The newest definition on record of each questionnaire, and the rules that follow from them."""

    newest: dict[str, Definition] = field(default_factory=dict[str, Definition])

    @classmethod
    def load(cls, connection: Connection) -> Definitions:
        """Read what is on record, whoever asks: the rules hold for everybody."""
        c = t.definition.c
        query = select(c.instrument, c.version, c.text, c.rule).order_by(c.entry_id)
        rows = connection.execute(query)
        return cls({row.instrument: Definition(*row[:3], json.loads(row.rule)) for row in rows})

    def add(self, definition: Definition) -> bool:
        """Take a definition as the newest of its questionnaire; False if it is already.

        Raises
        ------
        StoreError
            If it would move the questionnaire into another channel.
        """
        key, before, shipped = definition.instrument, self.newest.get(definition.instrument), shipped_rules()
        if before == definition:
            return False
        channel = before.channel if before else shipped[key].channel if key in shipped else definition.channel
        if definition.channel != channel:
            raise StoreError(
                f"This definition of '{key}' is one of the {definition.channel} channel, but its answers belong "
                f"to the {channel} channel, and stay there. Give the new questionnaire another key."
            )
        self.newest[key] = definition
        return True

    def rules(self, scope: Scope) -> dict[str, SafetyRule]:
        """Give the rules of every questionnaire that may be written.

        For those who may not read the safety channel, a definition of it is like one that is not on record:
        whether there is one would tell that somebody was asked.
        """
        shipped, rules = shipped_rules(), dict(shipped_rules())
        reads_safety = scope.has_permission("safety:read")
        for key, definition in self.newest.items():
            seen = reads_safety or definition.channel == "care"
            if seen and (key not in shipped or definition.rule.get("replaces")):
                rules[key] = SafetyRule.of(key, definition.rule)
        return rules


def definition_row(definition: Definition) -> dict[str, Any]:
    """Write a definition as a row."""
    return {
        "instrument": definition.instrument,
        "version": definition.version,
        "text": definition.text,
        "channel": definition.channel,
        "rule": json.dumps(definition.rule, sort_keys=True),
        "raises_flags": bool(definition.rule.get("flags")),
    }
