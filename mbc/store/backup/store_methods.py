"""Backups of the complete record in one file: for its operator only."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from mbc.errors import AccessDenied, StoreError
from mbc.store.backup.archive import Progress, check, no_progress
from mbc.store.backup.create import Backup, back_up
from mbc.store.database import encryption_keys as keys
from mbc.store.database import engine as engines
from mbc.store.database import sqlcipher
from mbc.store.schema.tables import audit
from mbc.store.view import RecordView


class Backups(RecordView):
    """The part of a store that makes backups of it."""

    def backup(
        self, target: str | Path, *, key: str | None = None, force: bool = False, progress: Progress = no_progress
    ) -> Backup:
        """Copy the whole record, as it is at one moment, into one file that proves itself whole.

        Others may go on writing. The copy is read back and verified before it is put in its place.

        Parameters
        ----------
        target : str or Path
            The file to make; only its owner can read it.
        key : str, optional
            Encrypts the backup of a record that is not encrypted; an encrypted record's backup has its key.
        force : bool
            Replace a file that is there.
        progress : callable
            Told what is being done, and how much of it is.

        Raises
        ------
        AccessDenied
            To every account, administrators too: a backup holds all there is, and obeys no role any more.
        Conflict
            If the file is there and not to be replaced.
        StoreError
            If the record is damaged, or the file cannot be written.
        """
        path = Path(target)
        with self._audited("backup", None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(f"{self._scope.who} may not take a backup: only the record's operator may.")
        chosen = None
        if key is not None and sqlcipher.key_of(self._engine) is None:
            chosen = keys.new(path, keys.given(key), what="backup")

        def log_backup() -> None:
            self._log(self.audit.line("backup", subject=path.name))

        return back_up(self._engine, path, key=chosen, force=force, log=log_backup, progress=progress)

    def belongs_to_other_record(self, backup: str | Path) -> bool:
        """Say whether a backup is certainly of another record: this audit trail never ended the way it says.

        One that is damaged or encrypted does not say.

        Raises
        ------
        AccessDenied
            To every account, as for `backup`.
        """
        with self._audited("backup", None, logged=False):
            if self._scope.user is not None or self._scope.masked:
                raise AccessDenied(f"{self._scope.who} may not inspect a backup: only the record's operator may.")
        try:
            end = check(Path(backup), no_progress).chain
        except StoreError:
            return False
        if end is None:
            return False
        c = audit.c
        with engines.reading(self._engine) as connection:
            row = connection.execute(select(c.sequence).where(c.sequence == end.lines, c.digest == end.head))
            return row.first() is None
