"""What the record decides of each questionnaire by itself: its channel, and the flags that its answers raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mbc.errors import StoreError
from mbc.store.schema.records import Channel, Flag
from mbc.store.schema.safety_rules import SafetyRule, shipped_rules
from mbc.store.writing.administration_batch import Completed


def decide(batch: Completed, rules: Mapping[str, SafetyRule] | None = None) -> tuple[Completed, list[Channel]]:
    """Put each administration into its channel and raise its flags, whoever writes it.

    Parameters
    ----------
    batch : Completed
        As it was handed in; flags that it brings are kept beside those that its answers raise.
    rules : mapping, optional
        By key of the questionnaire; those of the questionnaires that mbc ships.

    Returns
    -------
    Completed, list of Channel
        The batch, and the channel of each of its administrations.

    Raises
    ------
    StoreError
        If a questionnaire is handed in for a channel that is not its own, or in an unknown form or coding.
    """
    rules = shipped_rules() if rules is None else rules
    channels: list[Channel] = [
        _channel(key, channel, rules.get(key))
        for key, channel in zip(batch.instrument, batch.channel, strict=True)
    ]
    flags = list(batch.flags)
    for place, key in enumerate(batch.instrument):
        rule = rules.get(key)
        if rule is not None and rule.flags:
            raised = rule.raised(
                batch.answers[place], dict(batch.totals[place]), form=batch.form[place], coding=batch.coding[place]
            )
            flags[place] = _together(batch.flags[place], raised)
    return replace(batch, channel=list[Channel | None](channels), flags=flags), channels


def _channel(key: str, given: Channel | None, rule: SafetyRule | None) -> Channel:
    own: Channel = rule.channel if rule is not None else "care" if given is None else given
    if given is not None and given != own:
        raise StoreError(
            f"{key} belongs to the {own} channel, and was submitted for the {given} channel. Leave the channel "
            "out: its definition decides."
        )
    return own


def _together(given: tuple[Flag, ...], raised: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """Keep every flag once; where both speak of an item, what its answer raises."""
    items = {flag.item for flag in raised}
    return (*raised, *(flag for flag in given if flag.item not in items))
