"""Which administrations are duplicates: within the file, or of what is on record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from mbc.exchange.cells.text import REASON
from mbc.exchange.files.text_table import ROW
from mbc.exchange.own_definitions import own_definitions
from mbc.exchange.plan.to_store import Registrations, as_records
from mbc.store import Store

OUTCOME = "outcome"
# What the record takes for one occasion, and for its content.
OCCASION = ("client_id", "instrument", "informant", "target", "taken_on", "taken_at")
CONTENT = ("form", "coding", "session_number")
SAME_AS = "the same as row "
STORABLE = pl.col(OUTCOME).is_in(["stored", "superseding"])
_PLACE = "place"


def within_file(administrations: pl.DataFrame, answered: Callable[[], Iterable[pl.DataFrame]]) -> pl.DataFrame:
    """Give each administration its outcome as far as the file alone decides it.

    An occasion that the file holds twice is stored once when its content is the same, and refused when it differs.

    Parameters
    ----------
    administrations : polars.DataFrame
        As read, without answers and totals.
    answered : callable
        Gives those, page by page; they are looked at only where an occasion is there twice.
    """
    frame = administrations.with_row_index(_PLACE).with_columns(
        pl.when(pl.col(REASON).is_null()).then(pl.lit("stored")).otherwise(pl.lit("refused")).alias(OUTCOME)
    )
    # a number for each occasion is compared first: few share one, and only those are looked at closely
    perhaps = frame.select(OCCASION).hash_rows().is_duplicated()
    again = frame.filter(perhaps & (pl.col(OUTCOME) == "stored")).filter(pl.struct(OCCASION).is_duplicated())
    return frame.drop(_PLACE) if again.is_empty() else _updated(frame, _repeated(again, answered))


def with_record(
    administrations: pl.DataFrame,
    pages: Iterable[pl.DataFrame],
    store: Store,
    *,
    supersede: bool,
    registrations: Registrations,
) -> pl.DataFrame:
    """Compare what the file would store with what is on record.

    Parameters
    ----------
    administrations : polars.DataFrame
        With outcomes.
    pages : iterable of polars.DataFrame
        The same page by page, with answers and totals.
    supersede : bool
        Whether other content on record is corrected.
    registrations : Registrations
        What would be registered before.
    """
    new, clients = registrations.relationships["relationship_id"].implode(), registrations.clients["client_id"]
    outcomes: list[tuple[int, str, str | None]] = []
    start = 0
    for page in pages:
        # what is about a relationship that is yet to be registered cannot be on record
        asked = page.with_row_index(_PLACE, offset=start).filter(
            (pl.col(OUTCOME) == "stored") & ~pl.col("target").is_in(new)
        )
        here = clients.filter(clients.is_in(asked["client_id"].unique().implode())).to_list()
        definitions = own_definitions(asked["instrument"].unique())
        previews = store.preview(as_records(asked), supersede=supersede, new_clients=here, definitions=definitions)
        outcomes += [
            (place, preview.outcome, _outcome_words(preview.outcome, preview.reason))
            for place, preview in zip(asked[_PLACE], previews, strict=True)
            if preview.outcome != "stored"
        ]
        start += len(page)
    return _updated(administrations.with_row_index(_PLACE), outcomes)


def after_storing(administrations: pl.DataFrame, outcomes: list[Any]) -> pl.DataFrame:
    """Write down what the record did with each that was to be stored."""
    frame = administrations.with_row_index(_PLACE)
    planned = frame.filter(STORABLE)
    places = planned[_PLACE]
    if outcomes == planned[OUTCOME].to_list():
        return administrations
    return _updated(
        frame,
        [(place, outcome, _outcome_words(outcome, None)) for place, outcome in zip(places, outcomes, strict=True)],
    )


def _updated(frame: pl.DataFrame, changes: list[tuple[int, str, str | None]]) -> pl.DataFrame:
    schema = {_PLACE: pl.UInt32(), "new outcome": pl.String(), "new reason": pl.String()}
    joined = frame.join(
        pl.DataFrame(changes, schema=schema, orient="row"), on=_PLACE, how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.coalesce("new outcome", OUTCOME).alias(OUTCOME), pl.coalesce("new reason", REASON).alias(REASON)
    ).drop(*schema)


def _outcome_words(outcome: str, reason: str | None) -> str | None:
    if outcome == "duplicate":
        return "already on record"
    if reason is not None and "already has" in reason:
        return (
            "on record with other content. If this corrects it: --supersede 'reason'; if it was a second one "
            "that day, give the time and time zone of each"
        )
    return reason


def _repeated(
    again: pl.DataFrame, answered: Callable[[], Iterable[pl.DataFrame]]
) -> list[tuple[int, str, str | None]]:
    contents = _contents(again, answered())
    groups: dict[tuple[object, ...], list[tuple[int, int, bytes]]] = {}
    for row in again.iter_rows(named=True):
        key = tuple(row[name] for name in OCCASION)
        groups.setdefault(key, []).append((row[_PLACE], row[ROW], contents[row[_PLACE]]))
    changes: list[tuple[int, str, str | None]] = []
    for members in groups.values():
        first_row, first_content = members[0][1], members[0][2]
        if all(content == first_content for _, _, content in members):
            changes += [(place, "duplicate", f"{SAME_AS}{first_row}") for place, _, _ in members[1:]]
        else:
            rows = " and ".join(str(row) for _, row, _ in members[:4])
            why = f"rows {rows} differ, for one occasion. Keep one, or give the time and time zone of each"
            changes += [(place, "refused", why) for place, _, _ in members]
    return changes


def _contents(again: pl.DataFrame, pages: Iterable[pl.DataFrame]) -> dict[int, bytes]:
    """Digest what was handed in of some administrations, by their places."""
    contents: dict[int, bytes] = {}
    start = 0
    for page in pages:
        here = again.filter(pl.col(_PLACE).is_between(start, start + len(page), closed="left"))
        answered = page.select(pl.all().gather(here[_PLACE].cast(pl.Int64) - start))
        for place, *content in here.select(_PLACE, *CONTENT).hstack(answered).iter_rows():
            contents[place] = hashlib.blake2b(repr(content).encode(), digest_size=16).digest()
        start += len(page)
    return contents
