"""Whose the administrations of a file are: clients on record, clients to register, the episode of care."""

from __future__ import annotations

import polars as pl

from mbc.errors import nearest
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.header.options import ImportOptions
from mbc.store import Store

CLIENTS_SCHEMA = {"client_id": pl.String(), "clinician_id": pl.String()}
CLINICIANS_SCHEMA = {"clinician_id": pl.String(), "display_name": pl.String()}


def find_clients(
    administrations: pl.DataFrame, store: Store | None, options: ImportOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Say which clients are new, and whose caseload they join.

    That is the clinician whom the file or the user names; where neither does, the only one on record; else none
    yet. A clinician who is named but not on record is a slip of the keyboard more often than a new colleague, so
    such clients are refused, unless the record knows no clinician at all: then it is its first.

    Parameters
    ----------
    administrations : polars.DataFrame
        As read.
    store : Store, optional
        The record; without one every client counts as new, and clinicians are not checked.

    Returns
    -------
    administrations : polars.DataFrame
        With a reason where a new client's clinician is not known.
    new : polars.DataFrame
        ``client_id, clinician_id`` of clients to register; the latter is null where they have no clinician yet.
    """
    known = store.clients()["client_id"] if store else pl.Series(dtype=pl.String)
    clinicians = [] if store is None else _clinicians(administrations, store, options)
    only = clinicians[0] if len(clinicians) == 1 else None
    clinician = pl.col("clinician_id").fill_null(pl.lit(options.clinician or only, pl.String))
    new = (
        administrations.filter(pl.col("client_id").is_not_null() & ~pl.col("client_id").is_in(known.implode()))
        .group_by("client_id", maintain_order=True)
        .agg(clinician.drop_nulls().unique(maintain_order=True).alias("named"))
        .with_columns(pl.col("named").list.first().alias("clinician_id"))
    )
    if store is not None:
        erased = store.erased(new["client_id"].to_list())
        why = {
            client: erased.get(client) or _fault(client, named, clinicians) for client, named, _ in new.iter_rows()
        }
        why = {client: reason for client, reason in why.items() if reason is not None}
        new = new.filter(~pl.col("client_id").is_in(list(why)))
        if why:
            reason = pl.col("client_id").replace_strict(why, default=None, return_dtype=pl.String)
            administrations = administrations.with_columns(pl.coalesce(REASON, reason).alias(REASON))
    storable = administrations.filter(pl.col(REASON).is_null())["client_id"].unique()
    return administrations, new.filter(pl.col("client_id").is_in(storable.implode())).select(*CLIENTS_SCHEMA)


def find_clinicians(administrations: pl.DataFrame, store: Store | None, options: ImportOptions) -> pl.DataFrame:
    """Name the clinicians to register: one whom the user gives a name, or all, where the record knows none yet."""
    on_record = [] if store is None else store.clinicians()["clinician_id"].to_list()
    named = {} if on_record else dict.fromkeys(administrations["clinician_id"].drop_nulls().unique().sort(), None)
    if options.clinician is not None and (options.display_name is not None or not on_record):
        named[options.clinician] = options.display_name
    new = [
        (clinician_id, display_name or clinician_id)
        for clinician_id, display_name in named.items()
        if clinician_id not in on_record
    ]
    return pl.DataFrame(new, schema=CLINICIANS_SCHEMA, orient="row")


def _clinicians(administrations: pl.DataFrame, store: Store, options: ImportOptions) -> list[str]:
    new = find_clinicians(administrations, store, options)
    return [*store.clinicians()["clinician_id"], *new["clinician_id"]]


def _fault(client: str, named: list[str], known: list[str]) -> str | None:
    if not named:
        return None  # no clinician yet
    if len(named) > 1:
        return (
            f"client {client} is not on record, and the file names {join_names(named)} as clinician: which "
            "one is it?"
        )
    if named[0] not in known:
        near = nearest(named[0], known, most=1)
        hint = f"nearest: {near[0]}" if near else f"on record: {join_names(known, most=8)}"
        who = f"client {client} is not on record, nor is the clinician '{quote(named[0])}'"
        return f"{who} ({hint}; --display-name registers a new one)"
    return None


def find_episodes(
    administrations: pl.DataFrame, store: Store | None, *, also: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Name the episode of care that each day lies in: the one begun last, where several overlap.

    An episode that the file names itself stays.

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
        return administrations
    episodes = pl.concat(known).unique("episode_id", keep="last")
    began = pl.coalesce("started_on", "referred_on").alias("began")
    spans = episodes.select("client_id", "episode_id", began, "ended_on").filter(pl.col("began").is_not_null())
    current = (
        administrations.select("client_id", "taken_on")
        .unique()
        .join(spans, on="client_id", how="inner")
        .filter(
            (pl.col("began") <= pl.col("taken_on"))
            & (pl.col("ended_on").is_null() | (pl.col("taken_on") <= pl.col("ended_on")))
        )
        .sort("began", "episode_id")
        .group_by("client_id", "taken_on")
        .agg(pl.col("episode_id").last().alias("of the day"))
    )
    joined = administrations.join(current, on=["client_id", "taken_on"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("episode_id", "of the day").alias("episode_id")).drop("of the day")
