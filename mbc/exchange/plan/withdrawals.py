"""Which questionnaires on record come again as entered in error, and the command that takes each out."""

from __future__ import annotations

from typing import Any

import polars as pl

from mbc.exchange.cells.text import IN_ERROR, REASON
from mbc.store import Store

_PLACE = "place"
_SAME = ("instrument", "informant", "target", "taken_on")


def name_withdrawals(administrations: pl.DataFrame, store: Store | None) -> pl.DataFrame:
    """Say of each administration that was entered in error whether it is on record, and how it is taken out.

    Parameters
    ----------
    administrations : polars.DataFrame
        With reasons; ``target`` is the relationship's identifier.
    store : Store, optional
        The record; without one nothing is added.
    """
    frame = administrations.with_row_index(_PLACE)
    wrong = frame.filter(
        pl.col(REASON).str.contains(IN_ERROR, literal=True)
        & pl.all_horizontal(pl.col(name).is_not_null() for name in ("client_id", "instrument", "taken_on"))
    )
    if store is None or wrong.is_empty() or not store.can_read("administrations"):
        return administrations
    known = set(store.clients()["client_id"])
    on_record = {client: _current(store, client) for client in wrong["client_id"].unique() if client in known}
    reasons = [
        (row[_PLACE], f"{row[REASON]}; {_advice(row, on_record.get(row['client_id'], []))}")
        for row in wrong.iter_rows(named=True)
    ]
    new = pl.DataFrame(reasons, schema={_PLACE: pl.UInt32(), "named": pl.String()}, orient="row")
    joined = frame.join(new, on=_PLACE, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("named", REASON).alias(REASON)).drop(_PLACE, "named")


def _current(store: Store, client_id: str) -> list[dict[str, Any]]:
    """List what counts now, in the channels that may be read."""
    frames = [store.administrations(client_id=client_id)]
    if store.has_permission("safety:read"):
        frames.append(store.administrations(client_id=client_id, channel="safety"))
    return [row for frame in frames for row in frame.iter_rows(named=True)]


def _advice(row: dict[str, Any], on_record: list[dict[str, Any]]) -> str:
    same_day = [other for other in on_record if all(other[name] == row[name] for name in _SAME)]
    same = [other for other in same_day if other["taken_at"] == row["taken_at"]]
    if not same and len(same_day) == 1 and None in (row["taken_at"], same_day[0]["taken_at"]):
        same = same_day  # the file or the record knows the day alone
    if not same:
        return "it is not on record; no action is needed"
    client, number = row["client_id"], same[0]["administration_id"]
    return f"it is on record. Withdraw it: mbc client withdraw {client} {number} --reason '{IN_ERROR}'"
