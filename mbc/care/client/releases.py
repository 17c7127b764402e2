"""Which consents to pass scores on hold on a day, and what of a client's scores they cover."""

from __future__ import annotations

import datetime as dt

import polars as pl

from mbc.errors import NotInRecord
from mbc.store import ReleaseOfInformation, Store


def releases_in_force(store: Store, client_id: str, *, on: dt.date) -> tuple[ReleaseOfInformation, ...]:
    """List the releases of information that hold on a day: signed, not expired, not withdrawn.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    rows = store.releases_of_information(client_id=client_id)
    releases = [ReleaseOfInformation(**row) for row in rows.iter_rows(named=True)]
    return tuple(release for release in releases if is_in_force(release, on))


def is_in_force(release: ReleaseOfInformation, on: dt.date) -> bool:
    """Say whether a release holds on a day; on the day of its withdrawal it does no more.

    Examples
    --------
    >>> signed, end = dt.date(2026, 5, 1), dt.date(2026, 8, 1)
    >>> release = ReleaseOfInformation("L1", "C1", "physician", "letter", "rses", signed, end)
    >>> is_in_force(release, end), is_in_force(release, dt.date(2026, 8, 2))
    (True, False)
    """
    withdrawn = release.withdrawn_on is not None and release.withdrawn_on <= on
    return release.signed_on <= on <= release.expires_on and not withdrawn


def require_release(store: Store, client_id: str, release_id: str, *, on: dt.date) -> ReleaseOfInformation:
    """Give a release that holds on a day.

    Raises
    ------
    NotInRecord
        If there is none of that name, or it does not hold: the message says why.
    """
    rows = store.releases_of_information(client_id=client_id)
    release = next(
        (ReleaseOfInformation(**row) for row in rows.iter_rows(named=True) if row["release_id"] == release_id),
        None,
    )
    if release is None:
        raise NotInRecord(f"{client_id} has no release of information '{release_id}' on record.")
    if not is_in_force(release, on):
        if release.withdrawn_on is not None and release.withdrawn_on <= on:
            why = f"was withdrawn on {release.withdrawn_on}"
        elif on > release.expires_on:
            why = f"expired on {release.expires_on}"
        else:
            why = f"was signed on {release.signed_on}"
        raise NotInRecord(f"The release of information {release_id} does not hold on {on}: it {why}.")
    return release


def scores_in_scope(release: ReleaseOfInformation, scores: pl.DataFrame) -> pl.DataFrame:
    """Keep the scores that a release covers: its scales, within its days.

    Parameters
    ----------
    release : ReleaseOfInformation
    scores : polars.DataFrame
        As `mbc.care.scores` gives them: instrument, scale, taken_on, ...
    """
    wanted = [scale.partition(".") for scale in release.scales.split(" ")]
    any_scale = [instrument for instrument, _, scale in wanted if not scale]
    named = [f"{instrument}.{scale}" for instrument, _, scale in wanted if scale]
    covered = pl.col("instrument").is_in(any_scale) | pl.format("{}.{}", "instrument", "scale").is_in(named)
    if release.covers_from is not None:
        covered &= pl.col("taken_on") >= release.covers_from
    if release.covers_to is not None:
        covered &= pl.col("taken_on") <= release.covers_to
    return scores.filter(covered)
