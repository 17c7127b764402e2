"""All that `mbc verify` checks of a record: what it says, and the tables, triggers and indexes that keep it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from mbc.store.maintenance import verification
from mbc.store.maintenance.verification import Tick, VerifyReport
from mbc.store.migrations.schema_check import schema_faults


def verify(connection: Connection, *, noted: str | None = None, tick: Tick = lambda _: None) -> VerifyReport:
    """Check the audit chain, every row against its seal, every account, and the schema: see `verification`."""
    report = verification.verify(connection, noted=noted, tick=tick)
    return replace(report, faults=(*report.faults, *schema_faults(connection)))
