"""Which administrations of a file are met twice: in the file itself, or on record already."""

from __future__ import annotations

from typing import Any

import polars as pl

from mbc.exchange.cells import REASON
from mbc.exchange.records import Registrations, as_records
from mbc.exchange.tables import ROW
from mbc.store import Store

OUTCOME = "outcome"
# What the record takes for one occasion, and for its content.
OCCASION = ("client_id", "instrument", "informant", "target", "taken_on", "taken_at")
CONTENT = ("form", "coding", "session_number", "answers", "totals")
SAME_AS = "the same as row "
_PLACE = "place"


def within_file(administrations: pl.DataFrame) -> pl.DataFrame:
    """Give each administration its outcome as far as the file alone decides it.

    An occasion that the file holds twice is stored once when its content is the same, and refused when it differs.
    """
    frame = administrations.with_row_index(_PLACE).with_columns(
        pl.when(pl.col(REASON).is_null()).then(pl.lit("stored")).otherwise(pl.lit("refused")).alias(OUTCOME)
    )
    again = frame.filter((pl.col(OUTCOME) == "stored") & pl.struct(OCCASION).is_duplicated())
    return _updated(frame, _met_twice(again))


def with_record(
    administrations: pl.DataFrame, store: Store, *, supersede: bool, registrations: Registrations
) -> pl.DataFrame:
    """Compare what the file would store with what is on record.

    Parameters
    ----------
    administrations : polars.DataFrame
        With outcomes.
    supersede : bool
        Whether other content on record is corrected.
    registrations : Registrations
        What would be registered before.
    """
    frame = administrations.with_row_index(_PLACE)
    new = registrations.relationships["relationship_id"].implode()
    # what is about a relationship that is yet to be registered cannot be on record
    asked = frame.filter((pl.col(OUTCOME) == "stored") & ~pl.col("target").is_in(new))
    met = store.preview(
        as_records(asked), supersede=supersede, new_clients=registrations.clients["client_id"].to_list()
    )
    found = [
        (place, one.outcome, _said(one.outcome, one.reason)) for place, one in zip(asked[_PLACE], met, strict=True)
    ]
    return _updated(frame, found)


def after_storing(administrations: pl.DataFrame, outcomes: list[Any]) -> pl.DataFrame:
    """Write down what the record did with each that was to be stored."""
    frame = administrations.with_row_index(_PLACE)
    places = frame.filter(pl.col(OUTCOME).is_in(["stored", "superseding"]))[_PLACE]
    return _updated(frame, [(place, one, _said(one, None)) for place, one in zip(places, outcomes, strict=True)])


def _updated(frame: pl.DataFrame, found: list[tuple[int, str, str | None]]) -> pl.DataFrame:
    schema = {_PLACE: pl.UInt32(), "new outcome": pl.String(), "new reason": pl.String()}
    joined = frame.join(
        pl.DataFrame(found, schema=schema, orient="row"), on=_PLACE, how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.coalesce("new outcome", OUTCOME).alias(OUTCOME), pl.coalesce("new reason", REASON).alias(REASON)
    ).drop(*schema)


def _said(outcome: str, reason: str | None) -> str | None:
    if outcome == "duplicate":
        return "on record already"
    if reason is not None and "already has" in reason:
        return (
            "on record with other content. If this corrects it: --supersede 'why'; if it was a second one that "
            "day, give each its time and zone"
        )
    return reason


def _met_twice(again: pl.DataFrame) -> list[tuple[int, str, str | None]]:
    groups: dict[tuple[object, ...], list[tuple[int, int, str]]] = {}
    for row in again.iter_rows(named=True):
        key = tuple(row[name] for name in OCCASION)
        groups.setdefault(key, []).append((row[_PLACE], row[ROW], repr([row[name] for name in CONTENT])))
    found: list[tuple[int, str, str | None]] = []
    for members in groups.values():
        first_row, first_content = members[0][1], members[0][2]
        if all(content == first_content for _, _, content in members):
            found += [(place, "duplicate", f"{SAME_AS}{first_row}") for place, _, _ in members[1:]]
        else:
            rows = " and ".join(str(row) for _, row, _ in members[:4])
            why = f"rows {rows} differ, for one occasion. Keep one, or give each its time and zone"
            found += [(place, "refused", why) for place, _, _ in members]
    return found
