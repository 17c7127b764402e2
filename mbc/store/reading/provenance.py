"""Where what is on record came from: by whom and when it was recorded, out of which file and line."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Integer, String, cast, null, select
from sqlalchemy.types import TypeEngine

from mbc.store.database.frames import fetch
from mbc.store.reading.queries import QueryView, asked_for
from mbc.store.schema import tables as t
from mbc.store.schema.records import Channel

_a, _e = t.administration.c, t.entry.c
_FROM_FILE = ("source_name", "source_kind", "source_sha256")


class Provenance(QueryView):
    """The part of a store that says where its administrations came from."""

    def provenance(
        self, instrument: str | None = None, *, client_id: str | None = None, channel: Channel = "care"
    ) -> pl.DataFrame:
        """One row per administration ever recorded, superseded ones too.

        administration_id, client_id, instrument, taken_on, recorded_at, recorded_by, source_name, source_kind,
        source_sha256 (of the file's bytes), source_line (as the file counts: row, case, entry), supersedes,
        reason, version ("withdrawn": it takes the superseded version out, and has no answers).
        Where a row came from is shown with the permission ``safety:read`` only, for every row alike: a blank, a
        missing line or the name of one file would tell whose file also held a safety screen.

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
            *(self._origin_of(_e[name], String()) for name in _FROM_FILE),
            self._origin_of(_a.source_line, Integer()), _a.supersedes, _a.reason, _a.version,
        )  # fmt: skip
        query = select(*self._visible_columns(columns)).select_from(t.administration.join(t.entry))
        query = query.where(*self._which(instrument, client_id, channel, history=True))
        asked = "provenance" if channel == "care" else "safety provenance"
        with self._audited(asked, client_id):
            self._require_channel("administrations", channel)
            with self._reading() as connection:
                self._require_client(connection, client_id)
                frame = fetch(connection, query, asked_for(client_id, instrument))
        return frame.sort("client_id", "taken_on", "administration_id")

    def _origin_of(self, column: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
        """Take a column that says where a row came from, or nothing for all rows alike."""
        shown = self._scope.has_permission("safety:read") and not self._scope.masked
        return column if shown else cast(null(), kind).label(column.name)
