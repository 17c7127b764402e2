"""De-identification of tables: random ids, days instead of dates, rare categories folded, a final check."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from mbc.errors import IdentityLeft, MbcError

OTHER = "other"
_FREE_TEXT = ("alias", "label", "display_name", "note", "reason", "retired_reason", "recorded_by")
_MOST_CATEGORIES = 40  # a text column with more distinct values than this is not a category


@dataclass(frozen=True, slots=True)
class StudyIds:
    """Ids on record and the random ids that replace them."""

    of: dict[str, str]

    def replace(self, frame: pl.DataFrame, column: str, *, name: str) -> pl.DataFrame:
        """Swap a column of ids on record for study ids, under a new name, as the first column.

        Raises
        ------
        MbcError
            When the column holds an id that has no study id.
        """
        unknown = set(frame[column].drop_nulls()) - self.of.keys()
        if unknown:
            raise MbcError(
                f"{len(unknown)} ids in column '{column}' have no study id; draw ids for all of them first."
            )
        swapped = frame[column].replace_strict(self.of, return_dtype=pl.String, default=None).alias(name)
        return frame.drop(column).select(swapped, pl.all())


def label_prefix(prefix: str, known: Iterable[str]) -> str:
    """Lengthen the prefix of numbered labels until none of them can be taken for an identifier on record.

    An identifier in a table, for `guard` above all, cannot be distinguished from a label that reads alike.

    Parameters
    ----------
    prefix : str
        What the labels would begin with: "G" for G1, G2, ...
    known : iterable of str
        Identifiers on record; upper and lower case are the same.

    Examples
    --------
    >>> label_prefix("G", ["C-7", "Gull"]), label_prefix("G", ["g12"]), label_prefix("G", ["G1", "GX1"])
    ('G', 'GX', 'GXX')
    """
    taken = {identifier.casefold() for identifier in known}
    while any(re.fullmatch(rf"{prefix.casefold()}\d+", identifier) for identifier in taken):
        prefix += "X"
    return prefix


def random_study_ids(ids: Iterable[str], *, prefix: str = "P", avoid: Iterable[str] = ()) -> StudyIds:
    """Draw a random id for each id on record.

    The numbers are a random permutation from the system's entropy source: they follow neither the order of the
    record nor anything in the ids (a hash of an id would, and could be tried out), and cannot be drawn again.

    Parameters
    ----------
    ids : iterable of str
        Ids on record.
    prefix : str
        What a study id begins with, lengthened by `label_prefix`.
    avoid : iterable of str
        Other identifiers on record that no study id may look like.

    Examples
    --------
    >>> drawn = random_study_ids(["C-7", "C-8", "C-9"])
    >>> sorted(drawn.of.values())
    ['P001', 'P002', 'P003']
    """
    known = sorted(set(ids))
    prefix = label_prefix(prefix, [*known, *avoid])
    numbers = list(range(1, len(known) + 1))
    secrets.SystemRandom().shuffle(numbers)
    width = max(3, len(str(len(known))))
    return StudyIds(
        {identifier: f"{prefix}{number:0{width}d}" for identifier, number in zip(known, numbers, strict=True)}
    )


def days_since(
    frame: pl.DataFrame, origins: Mapping[str, dt.date], *, date: str, by: str, name: str
) -> pl.DataFrame:
    """Replace a date by the number of days since each person's own origin.

    Parameters
    ----------
    frame : pl.DataFrame
        Holds the columns ``date`` (Date, may be null) and ``by`` (the person).
    origins : mapping
        Person -> the date that becomes day 0.
    date, by, name : str
        The date column, the person column, and the name of the new Int32 column, which takes the date's place.
    """
    origin = frame[by].replace_strict(dict(origins), default=None, return_dtype=pl.Date)
    offset = (frame[date] - origin).dt.total_days().cast(pl.Int32).alias(name)
    return frame.with_columns(offset.alias(date)).rename({date: name})


def fold_rare(frame: pl.DataFrame, column: str, *, person: str, k: int) -> pl.DataFrame:
    """Fold category values that fewer than ``k`` people have into "other".

    Examples
    --------
    >>> events = pl.DataFrame({"study_id": ["P1", "P2", "P3"], "kind": ["break-up", "break-up", "emigrated"]})
    >>> fold_rare(events, "kind", person="study_id", k=2)["kind"].to_list()
    ['break-up', 'break-up', 'other']
    """
    people = pl.col(person).n_unique().over(column)
    return frame.with_columns(
        pl.when((people < k) & pl.col(column).is_not_null()).then(pl.lit(OTHER)).otherwise(column).alias(column)
    )


def guard(
    tables: Mapping[str, pl.DataFrame],
    *,
    identifiers: Collection[str],
    words: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Refuse tables that still hold a date, a known identifier, or a column of free text.

    The last step before anything is written. It looks at what is there, not at how it was made: labels that are
    made up for the tables must differ from every identifier (`label_prefix` sees to it).

    Parameters
    ----------
    tables : mapping of str to pl.DataFrame
        What is about to leave, by file name.
    identifiers : collection of str
        Client, clinician and episode ids, aliases, goal and event labels: whatever must not appear in a cell.
    words : mapping of str to collection of str, optional
        Column -> the closed vocabulary that stands there for everybody ("married", form "a"). In that column such
        a word, spelled exactly so, points at nobody, also where a client goes by it.

    Raises
    ------
    IdentityLeft
        Names the table and column, never the value.
    """
    forbidden = {identifier.casefold() for identifier in identifiers}
    for table, frame in tables.items():
        for column, dtype in frame.schema.items():
            own = frozenset((words or {}).get(column, ()))
            fault = _fault(frame[column], column, dtype, forbidden, own)
            if fault:
                raise IdentityLeft(f"Table '{table}', column '{column}' {fault}. Nothing was written.")


def _fault(
    values: pl.Series, column: str, dtype: pl.DataType, forbidden: set[str], own: frozenset[str]
) -> str | None:
    if dtype.is_temporal() and dtype != pl.Duration:
        return "contains dates; a cohort has only days since the first contact"
    if column in _FREE_TEXT:
        return "contains free text"
    if dtype != pl.String:
        return None
    values_seen = values.drop_nulls().unique()
    if any(text.casefold() in forbidden for text in values_seen if text not in own):
        return "still contains an identifier or a label from the record"
    if column != "study_id" and len(values_seen) > _MOST_CATEGORIES:
        return f"has {len(values_seen)} different texts; categories have at most {_MOST_CATEGORIES}"
    return None
