"""What the record decides of each questionnaire by itself: its channel, and the flags that its answers raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mbc.errors import StoreError
from mbc.store.schema.records import Channel, Flag
from mbc.store.schema.safety_rules import SafetyRule
from mbc.store.writing.administration_batch import Completed


def decide(batch: Completed, rules: Mapping[str, SafetyRule]) -> tuple[Completed, list[Channel]]:
    """Put each administration into its channel and raise its flags, whoever writes it.

    Parameters
    ----------
    batch : Completed
        As it was handed in; flags that it brings are kept beside those that its answers raise.
    rules : mapping
        By key of the questionnaire: of those that mbc ships, and of the clinic's own with a definition on record.

    Returns
    -------
    Completed, list of Channel
        The batch, and the channel of each of its administrations.

    Raises
    ------
    StoreError
        If a questionnaire has no definition on record, or is handed in for a channel that is not its own, or in an
        unknown form or coding.
    """
    channels: list[Channel] = [
        _channel(key, channel, rules.get(key))
        for key, channel in zip(batch.instrument, batch.channel, strict=True)
    ]
    flags = list(batch.flags)
    for place, key in enumerate(batch.instrument):
        rule = rules[key]
        if rule.flags:
            raised = rule.raised(
                batch.answers[place], dict(batch.totals[place]), form=batch.form[place], coding=batch.coding[place]
            )
            flags[place] = _together(batch.flags[place], raised)
    return replace(batch, channel=list[Channel | None](channels), flags=flags), channels


def _channel(key: str, given: Channel | None, rule: SafetyRule | None) -> Channel:
    if rule is None:
        raise StoreError(
            f"The record has no definition of '{key}', so it is not known whether its answers concern safety. The "
            "operator imports them with the folder of definitions (mbc import FILE --instruments DIR), or keeps "
            "the definition first (keep_definition)."
        )
    if given is not None and given != rule.channel:
        raise StoreError(
            f"{key} belongs to the {rule.channel} channel, and was submitted for the {given} channel. Leave the "
            "channel out: its definition decides."
        )
    return rule.channel


def _together(given: tuple[Flag, ...], raised: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """Keep every flag once; where both speak of an item, what its answer raises."""
    items = {flag.item for flag in raised}
    return (*raised, *(flag for flag in given if flag.item not in items))
