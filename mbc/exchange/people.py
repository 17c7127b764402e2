"""Whose the administrations of a file are: clients on record, clients to register, the episode of care."""

from __future__ import annotations

import polars as pl

from mbc.errors import nearest
from mbc.exchange.cells import REASON
from mbc.exchange.options import ImportOptions
from mbc.exchange.shown import listing, shown
from mbc.store import Store

CLIENTS_SCHEMA = {"client_id": pl.String(), "clinician_id": pl.String()}
CLINICIANS_SCHEMA = {"clinician_id": pl.String(), "display_name": pl.String()}


def find_clients(
    administrations: pl.DataFrame, store: Store | None, options: ImportOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Say which clients are new, and refuse those who would belong to nobody's caseload.

    Parameters
    ----------
    administrations : polars.DataFrame
        As read.
    store : Store, optional
        The record; without one every client counts as new, and nobody is asked for their clinician.

    Returns
    -------
    administrations : polars.DataFrame
        With a reason where a new client has no clinician on record.
    new : polars.DataFrame
        ``client_id, clinician_id`` of clients to register.
    """
    known = store.clients()["client_id"] if store else pl.Series(dtype=pl.String)
    clinician = pl.col("clinician_id").fill_null(pl.lit(options.clinician, pl.String))
    new = (
        administrations.filter(pl.col("client_id").is_not_null() & ~pl.col("client_id").is_in(known.implode()))
        .group_by("client_id", maintain_order=True)
        .agg(clinician.drop_nulls().unique(maintain_order=True).alias("named"))
        .with_columns(pl.col("named").list.first().alias("clinician_id"))
    )
    if store is not None:
        clinicians = [*store.clinicians()["clinician_id"], *find_clinicians(store, options)["clinician_id"]]
        why = {client: _fault(client, named, clinicians) for client, named, _ in new.iter_rows()}
        why = {client: reason for client, reason in why.items() if reason is not None}
        new = new.filter(~pl.col("client_id").is_in(list(why)))
        if why:
            reason = pl.col("client_id").replace_strict(why, default=None, return_dtype=pl.String)
            administrations = administrations.with_columns(pl.coalesce(REASON, reason).alias(REASON))
    storable = administrations.filter(pl.col(REASON).is_null())["client_id"].unique()
    return administrations, new.filter(pl.col("client_id").is_in(storable.implode())).select(*CLIENTS_SCHEMA)


def find_clinicians(store: Store | None, options: ImportOptions) -> pl.DataFrame:
    """Name the clinician whom the user asks to register, unless they are on record."""
    nobody = pl.DataFrame(schema=CLINICIANS_SCHEMA)
    if options.display_name is None or options.clinician is None:
        return nobody
    if store is not None and options.clinician in store.clinicians()["clinician_id"]:
        return nobody
    return pl.DataFrame([(options.clinician, options.display_name)], schema=CLINICIANS_SCHEMA, orient="row")


def _fault(client: str, named: list[str], known: list[str]) -> str | None:
    if not named:
        return f"client {client} is not on record; say who sees new clients: --clinician ID ({_on_record(known)})"
    if len(named) > 1:
        return f"client {client} is not on record, and the file names {listing(named)} as clinician: who is it?"
    if named[0] not in known:
        near = nearest(named[0], known, most=1)
        hint = f"nearest: {near[0]}" if near else _on_record(known)
        return f"client {client} is not on record, nor is the clinician '{shown(named[0])}' ({hint})"
    return None


def _on_record(clinicians: list[str]) -> str:
    if not clinicians:
        return "none is on record yet; --display-name 'Dr. ...' registers them too"
    return f"on record: {listing(clinicians, most=8)}"


def find_episodes(
    administrations: pl.DataFrame, store: Store | None, *, also: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Name the episode of care that each day lies in: the one begun last, where several overlap.

    Parameters
    ----------
    administrations : polars.DataFrame
        With ``client_id`` and ``taken_on``.
    store : Store, optional
        The record.
    also : polars.DataFrame, optional
        Episodes that will be on record by then.
    """
    columns = ("client_id", "episode_id", "referred_on", "started_on", "ended_on")
    known = [store.episodes().select(columns)] if store else []
    known += [] if also is None else [also.select(columns)]
    if not any(len(some) for some in known):
        return administrations.with_columns(pl.lit(None, pl.String).alias("episode_id"))
    episodes = pl.concat(known).unique("episode_id", keep="last")
    began = pl.coalesce("started_on", "referred_on").alias("began")
    spans = episodes.select("client_id", "episode_id", began, "ended_on").filter(pl.col("began").is_not_null())
    found = (
        administrations.select("client_id", "taken_on")
        .unique()
        .join(spans, on="client_id", how="inner")
        .filter(
            (pl.col("began") <= pl.col("taken_on"))
            & (pl.col("ended_on").is_null() | (pl.col("taken_on") <= pl.col("ended_on")))
        )
        .sort("began", "episode_id")
        .group_by("client_id", "taken_on")
        .agg(pl.col("episode_id").last())
    )
    return administrations.join(found, on=["client_id", "taken_on"], how="left", maintain_order="left")
