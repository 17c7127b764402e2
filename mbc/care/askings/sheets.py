"""How loaded wording becomes a sheet that a client can answer, and how answers become an administration again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mbc.box.content import Choice, Question, Sheet
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.wording.texts import WordedItem, Wording
from mbc.store import Administration
from mbc.store.askings import AskedSheet


def sheet_of(wording: Wording, measure: Instrument, about: str | None) -> Sheet:
    """Put a wording as the client is shown it."""
    return Sheet(
        title=wording.title,
        instructions=wording.instructions,
        copyright=wording.copyright,
        about=about,
        asks_for_help=measure.safety_channel or bool(measure.flags),
        questions=tuple(_question(item, wording, measure) for item in wording.items),
    )


def asked_sheet(wording: Wording, measure: Instrument, target: str, sheet: Sheet) -> AskedSheet:
    """Put it as the record keeps it: what the answers will mean, and the words."""
    return AskedSheet(
        instrument=measure.key,
        version=measure.version,
        form=wording.form,
        coding=wording.coding,
        channel="safety" if measure.safety_channel else "care",
        wording=sheet.to_json(),
        target=target,
    )


def administration(
    client_id: str, asked: AskedSheet, answers: Mapping[int, float | None], sent_at: datetime
) -> Administration | None:
    """Make the administration of a sheet from the answers by place; None where nothing was answered.

    The day is the clinic's: that of the clock of this machine when the answers were sent.
    """
    questions = len(Sheet.from_json(asked.wording).questions)
    values = tuple(answers.get(place) for place in range(questions))
    if all(value is None for value in values):
        return None
    return Administration(
        client_id,
        asked.instrument,
        sent_at.astimezone().date(),
        values,
        version=asked.version,
        form=asked.form,
        coding=asked.coding,
        target=asked.target,
        taken_at=sent_at,
    )


def _question(item: WordedItem, wording: Wording, measure: Instrument) -> Question:
    definition = measure.item(item.id)
    lowest, highest = measure.coding(wording.coding).accepted(definition)
    return Question(
        text=item.text,
        choices=tuple(Choice(value=option.value, text=option.text) for option in item.options),
        lowest=lowest,
        highest=highest,
        whole_numbers=definition.whole_numbers,
    )
