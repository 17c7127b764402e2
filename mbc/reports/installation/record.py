"""Trials of the record: that it keeps, shows changes, is backed up, and forgets on request."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mbc import sqlite_library
from mbc.reports.installation.requirement import NotMet, require
from mbc.reports.installation.synthetic import DAY, day_of, synthetic_store
from mbc.store import Administration, Store
from mbc.store.backup.restore import restore

_CHANGE = "UPDATE answer SET value = 3 WHERE item = 1"


def _changed(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite_library.SQLITE.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def unchangeable(folder: Path) -> str:
    """Change an answer in the database, which must refuse."""
    with synthetic_store(folder):
        pass
    try:
        _changed(folder / "trial.db", _CHANGE)
    except sqlite_library.SQLITE.Error:
        return "a change of an answer in the database: refused"
    raise NotMet("an answer was changed in the database")


def tampering(folder: Path) -> str:
    """Change one in spite of that, which must be found."""
    with synthetic_store(folder) as store:
        require(store.verify().intact, "a new record is not intact")
    path = folder / "trial.db"
    with contextlib.closing(sqlite_library.SQLITE.connect(path)) as database:
        triggers = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    _changed(path, *(f'DROP TRIGGER "{name}"' for name in triggers), _CHANGE)
    with Store.open(f"sqlite:///{path}") as store:
        require(not store.verify().intact, "the change was not found")
    return "an answer changed despite every guard: detected by mbc verify"


def trail(folder: Path) -> str:
    """Read a client, which must leave a line."""
    with synthetic_store(folder) as store:
        store.administrations(client_id="C1")
        lines = store.audit.entries()
        require("C1" in lines["subject"].drop_nulls().to_list(), "no log entry names the client")
        require(store.audit.verify().intact, "the log entries are not an unbroken chain")
    return "reading C1: one log entry, in an unbroken chain"


def corrections(folder: Path) -> str:
    """Correct a questionnaire, which must keep what it said before."""
    with synthetic_store(folder) as store:
        with store.writing() as record:
            record.add(
                Administration("C1", "phq9", DAY, (0,) * 9, form="standard", coding="0-3"), supersede="misread"
            )
        history = store.provenance("phq9", client_id="C1")
        require(history["reason"].to_list() == [None, "misread"], "the earlier version is gone")
    return "a corrected PHQ-9: both versions on record, with the reason"


def backup(folder: Path) -> str:
    """Back up and restore, which must give the same record."""
    with synthetic_store(folder) as store:
        store.backup(folder / "copy.mbcbackup")
        answers = day_of(store)
    url = f"sqlite:///{folder / 'restored.db'}"
    restore(folder / "copy.mbcbackup", url)
    with Store.open(url) as store:
        require(store.verify().intact, "the restored record is not intact")
        require(day_of(store).equals(answers), "the answers differ")
    return "a backup restored: intact, with the same answers"


def erasure(folder: Path) -> str:
    """Erase a person, after which the rest must still prove itself."""
    with synthetic_store(folder) as store:
        store.erase("C1", reason="request of the person")
        require("C1" not in store.clients()["client_id"].to_list(), "the client is still there")
        require(store.answers(client_id="C2").height == 7, "answers of somebody else are gone")
        require(store.verify().intact, "the record is no longer intact")
    return "C1 erased from every table, the rest intact"


def database_library(_: Path) -> str:
    """Look at the version of SQLite, which must be one without the known fault."""
    note = sqlite_library.caution()
    require(note is None, str(note))
    return f"SQLite {sqlite_library.SQLITE.sqlite_version}"
