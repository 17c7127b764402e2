"""The tables of a box, and how a box of an earlier mbc gets those that came later."""

from __future__ import annotations

from typing import Any

VERSION = 1
_TABLES = """
CREATE TABLE asking (
    number INTEGER PRIMARY KEY AUTOINCREMENT, asking_id TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    public_key BLOB NOT NULL, made_at REAL NOT NULL, expires_at REAL NOT NULL, opened_at REAL, begun_at REAL,
    answered_at REAL, stopped_at REAL, withdrawn_at REAL
);
CREATE TABLE token (
    digest BLOB PRIMARY KEY, number INTEGER NOT NULL REFERENCES asking ON DELETE CASCADE, kind TEXT NOT NULL
);
CREATE TABLE visit (
    digest BLOB PRIMARY KEY, number INTEGER NOT NULL REFERENCES asking ON DELETE CASCADE, kind TEXT NOT NULL,
    seen_at REAL NOT NULL, draft BLOB, sent INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE sealed (
    number INTEGER NOT NULL REFERENCES asking ON DELETE CASCADE, place INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (number, place)
);
CREATE INDEX token_number ON token (number);
CREATE INDEX visit_number ON visit (number);
"""
# These came later. A program that knows nothing of them works on the same box: their rows go with token and visit.
_LATER = (
    "CREATE TABLE IF NOT EXISTS erasing (asking_id TEXT PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS link_scores (
    digest BLOB PRIMARY KEY REFERENCES token ON DELETE CASCADE, content BLOB NOT NULL
)""",
    """CREATE TABLE IF NOT EXISTS visit_scores (
    digest BLOB PRIMARY KEY REFERENCES visit ON DELETE CASCADE, content BLOB NOT NULL
)""",
)


def prepare_tables(connection: Any) -> int:
    """Make what is missing, within a transaction; returns the version that the box had, 0 for a new one.

    A box of a newer version is left as it is.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    if version <= VERSION:
        for statement in _LATER:
            connection.execute(statement)
    return version
