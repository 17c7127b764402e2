"""Which consents to pass scores on hold on a day, and what of a client's scores they cover."""

from __future__ import annotations

import datetime as dt

import polars as pl

from mbc.care.words import day
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
    releases = {row["release_id"]: ReleaseOfInformation(**row) for row in rows.iter_rows(named=True)}
    release = releases.get(release_id)
    if release is None:
        known = ", ".join(sorted(releases)) or "none"
        raise NotInRecord(f"{client_id} has no release of information '{release_id}' on record; there is {known}.")
    if not is_in_force(release, on):
        if release.withdrawn_on is not None and release.withdrawn_on <= on:
            why = f"was withdrawn on {day(release.withdrawn_on)}"
        elif on > release.expires_on:
            why = f"expired on {day(release.expires_on)}"
        else:
            why = f"is valid from {day(release.signed_on)}, when it was signed"
        raise NotInRecord(f"The release of information {release_id} is not valid on {day(on)}: it {why}.")
    return release


def scores_in_scope(release: ReleaseOfInformation, scores: pl.DataFrame) -> pl.DataFrame:
    """Keep the scores that a release covers: its scales, within its days.

    Parameters
    ----------
    release : ReleaseOfInformation
    scores : polars.DataFrame
        As `mbc.care.scores` gives them: instrument, scale, taken_on, ...
    """
    pairs = scores.select("instrument", "scale").unique().iter_rows()
    covered = [f"{instrument}.{scale}" for instrument, scale in pairs if covers_scale(release, instrument, scale)]
    return scores.filter(pl.format("{}.{}", "instrument", "scale").is_in(covered), covered_days(release))


def covers_scale(release: ReleaseOfInformation, instrument: str, scale: str = "") -> bool:
    """Say whether a scale may be passed on: by itself, or with its questionnaire.

    Examples
    --------
    >>> days = dt.date(2026, 5, 1), dt.date(2026, 8, 1)
    >>> release = ReleaseOfInformation("L1", "C1", "physician", "letter", "rses ecr_s.anxiety", *days)
    >>> covers_scale(release, "rses", "total"), covers_scale(release, "ecr_s", "avoidance")
    (True, False)
    """
    named = release.scales.split(" ")
    return instrument in named or f"{instrument}.{scale}" in named


def covers_day(release: ReleaseOfInformation, of: dt.date) -> bool:
    """Say whether what is of a day may be passed on."""
    return (release.covers_from or dt.date.min) <= of <= (release.covers_to or dt.date.max)


def covered_days(release: ReleaseOfInformation) -> pl.Expr:
    """Say the same of each row, by its column ``taken_on``."""
    first, last = release.covers_from or dt.date.min, release.covers_to or dt.date.max
    return pl.col("taken_on").is_between(first, last)
