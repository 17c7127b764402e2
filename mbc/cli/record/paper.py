"""``mbc record questionnaire``: a questionnaire on paper, typed by number keys, checked as scoring checks it."""

from __future__ import annotations

from typing import Any

import click
import polars as pl

from mbc.cli.record.care import open_episode, relationship_named, relationships_by_label
from mbc.cli.record.write import Made, day_option, entry_options, today, write
from mbc.errors import InvalidResponse, MbcError, NotInRecord
from mbc.instruments import Instrument, instrument, score
from mbc.store import Administration, Store

_BLANK = frozenset("-.")


@click.command("questionnaire", context_settings={"ignore_unknown_options": True})
@entry_options
@click.argument("key", metavar="QUESTIONNAIRE")
@click.argument("answers", nargs=-1, required=True)
@day_option("taken_on", "--on")
@click.option("--form", help="Order of the items; default: the questionnaire's own.")
@click.option("--coding", help="Answer coding; default: the questionnaire's own.")
@click.option("--about", metavar="RELATIONSHIP", help="The relationship rated, by label or identifier.")
@click.option("--session", "session_number", type=click.INT, help="Number of the session it belongs to.")
def questionnaire(
    *, client_id: str, key: str, answers: tuple[str, ...], store_url: str, username: str | None,
    supersede: str | None, **given: Any,
) -> None:  # fmt: skip
    """Record the answers of QUESTIONNAIRE in the order of the sheet: 3221023122, or 3 2 2 1 ...; - is blank.

    Answers of more than one digit are separated by spaces. Each is checked against the questionnaire's
    range; none is guessed.
    """

    def make(store: Store) -> Made:
        measure = instrument(key)
        form, coding = measure.form(given["form"]), measure.coding(given["coding"])
        values = _values(answers, measure, len(form.order))
        frame = pl.DataFrame([values], schema=dict.fromkeys(measure.item_columns(), pl.Float64), orient="row")
        try:
            score(frame, measure, form=form.key, coding=coding.key)  # the checks of scoring: no answer is guessed
        except InvalidResponse as fault:
            raise MbcError(f"{str(fault).partition(' Correct them')[0]} Nothing was written.") from None
        taken = Administration(
            client_id, measure.key, given["taken_on"] or today(), tuple(values), version=measure.version,
            form=form.key, coding=coding.key, target=_target(store, client_id, measure, given["about"]),
            session_number=given["session_number"], episode_id=_episode(store, client_id),
        )  # fmt: skip
        return Made([taken])

    write(store_url, username, supersede, make)


def _values(answers: tuple[str, ...], measure: Instrument, count: int) -> list[float | None]:
    parts = list(answers)
    if len(parts) == 1 and len(parts[0]) > 1:
        parts = parts[0].split(",") if "," in parts[0] else list(parts[0])
    if len(parts) != count:
        raise MbcError(
            f"{measure.name} has {count} items, but {len(parts)} answers were typed. Write '-' for a blank answer."
        )
    values = [None if part in _BLANK else _number(part, place) for place, part in enumerate(parts, start=1)]
    if all(value is None for value in values):
        raise MbcError("No answer was given. Answer at least one item.")
    return values


def _number(text: str, place: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise MbcError(f"Answer {place} is '{text}'; it must be a number, or '-' for a blank answer.") from None


def _target(store: Store, client_id: str, measure: Instrument, about: str | None) -> str:
    needs = measure.applicability.needs_relationship or measure.applicability.needs_target
    if about is None:
        known = relationships_by_label(store, client_id)
        if needs and known:
            raise MbcError(f"{measure.name} is about a relationship. Say which: --about {next(iter(known))}")
        return "self"
    if not needs:
        raise MbcError(f"{measure.name} is about the client, not about a relationship. Leave --about out.")
    return relationship_named(store, client_id, about)


def _episode(store: Store, client_id: str) -> str | None:
    try:
        return open_episode(store, client_id).episode_id
    except NotInRecord:
        store.clients(client_id=client_id)  # a client who is not on record is named as such
        return None


COMMANDS = {"questionnaire": questionnaire}
