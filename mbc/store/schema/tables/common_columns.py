"""Columns that tables share: a number, the entry that wrote a row, whose it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint

from mbc.store.schema.column_types import Id, Number


def number_column(name: str, *constraints: ForeignKey, **options: Any) -> Column[int]:
    """Make a column that numbers rows, or counts."""
    return Column(name, Number, *constraints, **options)


def entry_column() -> Column[int]:
    """Say which entry wrote a row."""
    return Column("entry_id", Number, ForeignKey("entry.entry_id"), nullable=False)


def client_column() -> Column[str]:
    """Say whose a row is."""
    return Column("client_id", Id, ForeignKey("client.client_id"), nullable=False)


def client_link() -> ForeignKeyConstraint:
    """Say that the client of a row must exist."""
    return ForeignKeyConstraint(["client_id"], ["client.client_id"])


def of_this_client(table: str, column: str) -> ForeignKeyConstraint:
    """Say that the pair must exist: an episode or relationship of somebody else cannot be named."""
    return ForeignKeyConstraint(["client_id", column], [f"{table}.client_id", f"{table}.{column}"])


def administration_column() -> Column[int]:
    """Say of which administration a row is a part."""
    return Column(
        "administration_id",
        Number,
        ForeignKey("administration.administration_id"),
        primary_key=True,
        autoincrement=False,
    )
