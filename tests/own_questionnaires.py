"""Questionnaires of a clinic's own that several tests fill in."""

from __future__ import annotations

from mbc.instruments.own.template import start
from mbc.store import Definition
from mbc.store.schema.records import Channel

_FLAG = """
[[flag]]
item = "q1"
at_least = 3
label = "afraid at home"
"""


def safety_questionnaire(key: str) -> str:
    """Write the definition of one that belongs to the safety channel: two items from 0 to 4, the first flagged."""
    text = start(key, items=2, answers=(0, 4))
    return text.replace("#recall", "safety_channel = true\n#recall", 1) + _FLAG


def unreadable(key: str, channel: Channel = "care") -> Definition:
    """Make a definition that says where the answers belong, and that nothing can be scored by."""
    return Definition(key, "1", "a later version of mbc wrote this", {"channel": channel})
