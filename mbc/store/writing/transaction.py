"""What is written down in one transaction, all or nothing: additions, corrections, and answers to safety flags."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import select

from mbc.errors import NotInRecord
from mbc.store.schema import records
from mbc.store.writing import versioned as entities
from mbc.store.writing.corrections import Corrections
from mbc.store.writing.flags import FlagAnswers
from mbc.store.writing.result import Outcome


class Writing(Corrections, FlagAnswers):
    """One open transaction: what is added here is kept as a whole, or not at all."""

    def retire_goal(self, goal_id: str, *, on: date, reason: str) -> Outcome:
        """Retire a goal: reached, or no longer the client's."""
        goal = self._current_row(records.Goal, goal_id)
        goal.update(retired_on=on, retired_reason=reason)
        return self.add(records.Goal(**goal), supersede=f"retired: {reason}")

    def end_episode(self, episode_id: str, *, on: date, ending: str) -> Outcome:
        """End an episode of care."""
        episode = self._current_row(records.Episode, episode_id)
        episode.update(ended_on=on, ending=ending)
        return self.add(records.Episode(**episode), supersede=f"ended: {ending}")

    def _current_row(self, kind: type, key: str) -> dict[str, Any]:
        self._scope.require_writer(kind)  # first: who may not write is not told what there is
        place = entities.KINDS[kind]
        columns = [place.table.c[f.name] for f in fields(kind)]
        named = place.table.c[place.key[0]] == key
        query = select(*columns).where(named, *self._scope.reaches(place.table.c.client_id))
        row = self._connection.execute(query).mappings().first()
        if row is None:
            raise NotInRecord(f"There is no {place.noun} '{key}' on record.")
        return dict(row)
