"""Every error that mbc raises on purpose.

::

    MbcError
    ├── DefinitionError          an instrument's file says something that cannot be
    ├── UnknownInstrument        no such questionnaire; names the nearest
    ├── FrameError               a table does not hold what is asked of it
    │   ├── MissingItems         item columns are not there; names the nearest
    │   └── InvalidResponse      answers outside the accepted range
    ├── ModelError               a statistic cannot be had from these inputs
    ├── FigureError              a figure cannot be made from this, or not saved under that name
    ├── WordingError             a clinic's wording does not fit the instrument
    ├── ImportRefused            a file's rows were refused; carries them, row by row
    │   └── EmptyTable           it has columns but no rows
    ├── StoreError               the record cannot be opened, read or written as asked
    │   ├── StoreNotFound        nothing is there yet
    │   ├── StoreNewer           written by a newer mbc than this one
    │   ├── StoreOlder           written by an older mbc, and not yet brought up to date
    │   ├── StoreBusy            somebody else has been writing for longer than was waited
    │   ├── StoreUnreachable     the database does not answer, or its file is out of reach
    │   ├── NotInRecord          no such client, goal, relationship ... for this user
    │   ├── Conflict             the same occasion is already on record with other answers
    │   │   └── IdentifierTaken  somebody else's; nothing of theirs is shown
    │   ├── Erased               this person was erased on request, and is not taken in again
    │   ├── WrongKey             the key does not open an encrypted record or backup
    │   └── BackupDamaged        a backup file is not what was written, or is no backup
    ├── AccessDenied             this user may not do that
    ├── IdentityLeft             a table that was to leave the clinic still points at a person
    └── SettingsError            an option or environment variable is wrong

A warning is given where answers can be read, but look as if they should be read otherwise:
`DoubtfulAnswers`.

A message names the thing, the value met, what is accepted and the repair.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MbcError(Exception):
    """Something the user can repair; its text says how."""


class DefinitionError(MbcError):
    """An instrument's definition file is wrong; the text says which file, scale and key."""


class UnknownInstrument(MbcError):
    """No instrument has that key."""


class FrameError(MbcError):
    """A table does not hold what is asked of it."""


class MissingItems(FrameError):
    """Item columns that the instrument needs are not in the table."""


class InvalidResponse(FrameError):
    """Answers outside what the instrument's coding accepts."""


class ModelError(MbcError):
    """A statistic cannot be had from these inputs."""


class FigureError(MbcError):
    """A figure cannot be made from what was given, or not saved under that name."""


class ReportError(MbcError):
    """A report cannot be made from what was given, may not be made, or cannot be saved under that name."""


class WordingError(MbcError):
    """A clinic's wording does not fit the instrument."""


class ImportRefused(MbcError):
    """A file was refused as a whole; nothing of it was stored.

    Parameters
    ----------
    message : str
        What was refused and how to repair it.
    rows : iterable of str
        One line per refused row: its number in the file and the reason.
    """

    def __init__(self, message: str, rows: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


class EmptyTable(ImportRefused):
    """A file has columns but no rows: nothing to import, and in a record simply a table without entries."""


class StoreError(MbcError):
    """The record cannot be opened, read or written as asked."""


class StoreNotFound(StoreError):
    """There is no record at that address yet."""


class StoreNewer(StoreError):
    """The record was written by a newer mbc than this one."""


class StoreOlder(StoreError):
    """The record was written by an older mbc than this one, and is not changed before 'mbc upgrade' is run."""


class StoreBusy(StoreError):
    """Another program holds the record: the same may work a moment later."""


class StoreUnreachable(StoreError):
    """The database does not answer, or the file is out of reach: the same may work once that is repaired."""


class NotInRecord(StoreError):
    """No such thing on record, as far as this user may see."""


class Conflict(StoreError):
    """The same occasion is already on record with other content."""


class Erased(StoreError):
    """This person was erased on request, and is not taken in again."""


class IdentifierTaken(Conflict):
    """An identifier belongs to something outside what this user may see."""


class WrongKey(StoreError):
    """The key does not open an encrypted record or backup."""


class BackupDamaged(StoreError):
    """A backup file is not what was written, or is no backup at all."""


class AccessDenied(MbcError):
    """This user may not do that."""


class IdentityLeft(MbcError):
    """A table that was to leave the clinic still holds something that points at a person."""


class SettingsError(MbcError):
    """An option, a configuration value or an environment variable is wrong."""


class DoubtfulAnswers(UserWarning):
    """Answers look as if they were in another coding or another item order than they are read in."""


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Names close to a mistyped one, nearest first.

    Examples
    --------
    >>> nearest("PHQ_9", ["phq9", "gad7", "rses"])
    ['phq9']
    """
    by_fold: dict[str, str] = {}
    for candidate in map(str, known):  # names of pandas columns may be numbers or tuples
        by_fold.setdefault(_fold(candidate), candidate)
    return [by_fold[hit] for hit in difflib.get_close_matches(_fold(name), by_fold, n=most, cutoff=0.6)]


def _fold(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
