"""Where what is on record came from: by whom and when it was recorded, out of which file and line."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, String, case, cast, exists, null, select

from mbc.store.database.frames import fetch
from mbc.store.reading.queries import Queries
from mbc.store.schema import tables as t
from mbc.store.schema.records import Channel

_a, _e = t.administration.c, t.entry.c
_FROM_FILE = ("source_name", "source_kind", "source_sha256")


class Provenance(Queries):
    """The part of a store that says where its administrations came from."""

    def provenance(
        self, instrument: str | None = None, *, client_id: str | None = None, channel: Channel = "care"
    ) -> pl.DataFrame:
        """One row per administration ever recorded, superseded ones too.

        administration_id, client_id, instrument, taken_on, recorded_at, recorded_by, source_name, source_kind,
        source_sha256 (of the file's bytes), source_line (as the file counts: row, case, entry), supersedes,
        reason.
        The file is not named where it also brought screens of the safety channel and this user may not read those.

        Parameters
        ----------
        instrument, client_id : str, optional
            One questionnaire, one client.
        channel : {"care", "safety"}
            The safety channel needs the permission ``safety:read``.

        Raises
        ------
        NotInRecord
            If there is no such client for this user.
        AccessDenied
            If this user may not read administrations, or not this channel.
        """
        columns = (
            _a.administration_id, _a.client_id, _a.instrument, _a.taken_on, _e.recorded_at, _e.recorded_by,
            *(self._file(name) for name in _FROM_FILE), _a.source_line, _a.supersedes, _a.reason,
        )  # fmt: skip
        query = select(*self._shown(columns)).select_from(t.administration.join(t.entry))
        query = query.where(*self._which(instrument, client_id, channel, history=True))
        asked = "provenance" if channel == "care" else "safety provenance"
        with self._audited(asked, client_id):
            self._require_channel("administrations", channel)
            with self._reading() as connection:
                self._require_client(connection, client_id)
                frame = fetch(connection, query)
        return frame.sort("client_id", "taken_on", "administration_id")

    def _file(self, name: str) -> ColumnElement[Any]:
        """Take a column of the file, or nothing where its name would tell of what is kept apart or masked."""
        column, nothing = _e[name], cast(null(), String())
        if self._scope.masked:
            return nothing.label(name)
        if self._scope.has_permission("safety:read"):
            return column
        other = t.administration.alias()
        apart = exists().where(other.c.entry_id == _e.entry_id, other.c.channel == "safety")
        return case((apart, nothing), else_=column).label(name)
