"""A small record of people who do not exist, for trials."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from mbc.store import Administration, Client, Clinician, Store

PASSWORD = "harbour lamp, seven geese"  # noqa: S105 - of accounts that are gone a second later
WIDE = ",".join(["client_id", "date", *(f"gad7_{n}" for n in range(1, 8))])
ROW = ",".join("1" * 7)
DAY = date(2026, 1, 5)


@contextmanager
def synthetic_store(folder: Path, name: str = "trial.db") -> Generator[Store]:
    """C1 of clinician K1 with a PHQ-9 and a safety screen, C2 of clinician K2 with a GAD-7."""
    with Store.create(f"sqlite:///{folder / name}") as store:
        with store.writing(by="trial") as record:
            record.add_all([Clinician("K1", "Dr. One"), Clinician("K2", "Dr. Two")])
            record.add_all([Client("C1", clinician_id="K1"), Client("C2", clinician_id="K2")])
            record.add_all(
                [
                    Administration("C1", "phq9", DAY, (1,) * 9, form="standard", coding="0-3"),
                    Administration("C1", "hits", DAY, (1,) * 4, form="standard", coding="1-5"),
                    Administration("C2", "gad7", DAY, (2,) * 7, form="standard", coding="0-3"),
                ]
            )
        yield store


def day_of(store: Store) -> pl.DataFrame:
    """Answers on record, without what differs from record to record."""
    return store.answers().drop("administration_id").sort("client_id", "instrument", "item")
