"""What is on record: one tidy polars frame per kind of thing, with the same columns also when it is empty.

Columns and their types follow from the tables. Every reader obeys the scope of its store, leaves out what was
superseded, and sorts by its first columns, so that the same record always gives the same frame.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from mbc.store.database.batches import BATCH
from mbc.store.database.frames import empty, fetch
from mbc.store.reading.entry_readers import EntryReaders
from mbc.store.reading.queries import CURRENT, LATER, asked_for, asked_words
from mbc.store.reading.score_cache import ToScore, require_digests
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import care_rows
from mbc.store.schema.records import ENTERED_IN_ERROR, Channel
from mbc.store.schema.safety_rules import shipped_rules

_a = t.administration.c
_ADMINISTRATION: dict[str, ColumnElement[Any]] = {
    "administration_id": _a.administration_id,
    "client_id": _a.client_id,
    "episode_id": _a.episode_id,
    "instrument": _a.instrument,
    "version": _a.version,
    "form": _a.form,
    "coding": _a.coding,
    "informant": _a.informant,
    "target": func.coalesce(_a.relationship_id, "self", type_=String()).label("target"),
    "taken_on": _a.taken_on,
    "taken_at": _a.taken_at,
    "session_number": _a.session_number,
    "recorded_at": t.entry.c.recorded_at,
    "recorded_by": t.entry.c.recorded_by,
    "supersedes": _a.supersedes,
    "reason": _a.reason,
}
_ANSWER_HEAD = (
    "administration_id", "client_id", "instrument", "form", "coding", "target", "informant", "taken_on",
    "session_number",
)  # fmt: skip
_TOTAL_HEAD = (
    "administration_id", "client_id", "instrument", "target", "informant", "taken_on", "session_number",
)  # fmt: skip


_SETS = "sets_asked_for"
_KEPT = ("set_id", "score", "answered", "prorated", "band", "maximum", "recorded", "digest")


class Readers(EntryReaders):
    """The reading half of a store."""

    def clients(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, alias, clinician_id, registered_on, status."""
        c = t.client.c
        columns = (c.client_id, c.alias, c.clinician_id, c.registered_on, c.status)
        return self._read("clients", columns, t.client, c.client_id, client_id, c.status != ENTERED_IN_ERROR)

    def clinicians(self) -> pl.DataFrame:
        """clinician_id, display_name."""
        c = t.clinician.c
        query = select(*self._visible_columns((c.clinician_id, c.display_name)))
        if not self._scope.has_permission(
            "accounts:manage"
        ):  # an account is made for a clinician: all are listed there
            query = query.where(*self._scope.reaches_clinician(c.clinician_id))
        with self._audited("clinicians", None, logged=False):
            self._scope.require_reader("clinicians")
            with self._reading() as connection:
                return fetch(connection, query).sort("clinician_id")

    def episodes(self, *, client_id: str | None = None) -> pl.DataFrame:
        """episode_id, client_id, clinician_id, referred_on, started_on, ended_on, ending."""
        c = t.episode.c
        columns = (c.episode_id, c.client_id, c.clinician_id, c.referred_on, c.started_on, c.ended_on, c.ending)
        return self._read("episodes", columns, t.episode, c.client_id, client_id)

    def relationships(self, *, client_id: str | None = None) -> pl.DataFrame:
        """relationship_id, client_id, label, kind; for each client in the order of labels."""
        c = t.relationship.c
        columns = (c.relationship_id, c.client_id, c.label, c.kind)
        order = ("client_id", "label")
        return self._read("relationships", columns, t.relationship, c.client_id, client_id, order=order)

    def statuses(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, relationship_id (null: the person), status, since, step_forward.

        In order of time for each client. ``step_forward`` says of a relationship that ended whether leaving was a
        step forward (null: nobody said).
        """
        c = t.relationship_status.c
        columns = (c.client_id, c.relationship_id, c.status, c.since, c.step_forward)
        order = ("client_id", "since", "relationship_id")
        return self._read("statuses", columns, t.relationship_status, c.client_id, client_id, order=order)

    def sessions(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, episode_id, number, held_on, attended, modality."""
        c = t.therapy_session.c
        columns = (c.client_id, c.episode_id, c.number, c.held_on, c.attended, c.modality)
        order = ("client_id", "episode_id", "number")
        return self._read("sessions", columns, t.therapy_session, c.client_id, client_id, order=order)

    def administrations(
        self,
        instrument: str | None = None,
        *,
        client_id: str | None = None,
        history: bool = False,
        channel: Channel = "care",
    ) -> pl.DataFrame:
        """One row per completed questionnaire; superseded ones too with ``history``.

        administration_id, client_id, episode_id, instrument, version, form, coding, informant, target, taken_on,
        taken_at, session_number, recorded_at, recorded_by, supersedes, reason.

        Parameters
        ----------
        instrument : str, optional
            One questionnaire only.
        client_id : str, optional
            One client only.
        history : bool
            Also the versions that a correction superseded.
        channel : {"care", "safety"}
            The safety channel is a record apart; it needs the permission ``safety:read``.

        Raises
        ------
        NotInRecord
            If there is no such client for this user.
        AccessDenied
            If this user may not read administrations, or not this channel.
        """
        with self._audited(asked_words("administrations", channel), client_id):
            self._require_channel("administrations", channel)
            with self._reading() as connection:
                self._require_client(connection, client_id)

                def frame() -> pl.DataFrame:
                    names = tuple(_ADMINISTRATION)
                    query = self._administrations(names, instrument, client_id, channel, history=history)
                    rows = fetch(connection, query, asked_for(client_id, instrument))
                    return rows.sort("client_id", "taken_on", "administration_id")

                asked = ("administrations", channel, self._scope, instrument, history, client_id)
                return self._once(asked, frame)

    def answers(
        self, instrument: str | None = None, *, client_id: str | None = None, channel: Channel = "care"
    ) -> pl.DataFrame:
        """One row per answer; ``value`` is null for a blank.

        administration_id, client_id, instrument, form, coding, target, informant, taken_on, session_number, item,
        value. Answers to questionnaires with a risk item (PHQ-9, CORE-10) need the permission ``safety:read``, as
        they do in exports: their scores do not.
        """
        return self._parts("answers", _ANSWER_HEAD, t.answer, ("item", "value"), instrument, client_id, channel)

    def totals(
        self, instrument: str | None = None, *, client_id: str | None = None, channel: Channel = "care"
    ) -> pl.DataFrame:
        """One row per total that was handed in, beside or instead of answers.

        administration_id, client_id, instrument, target, informant, taken_on, session_number, scale, score.
        """
        return self._parts("totals", _TOTAL_HEAD, t.total, ("scale", "score"), instrument, client_id, channel)

    def goals(self, *, client_id: str | None = None) -> pl.DataFrame:
        """One row per goal; ``scale`` ("rses", "ecr_s.anxiety") says whose points the target is in.

        goal_id, client_id, label, baseline, target, higher_is_better, set_on, retired_on, retired_reason, scale
        (null: the goal is rated 0 to 10, or -2 to 2), pattern (that it is to change; null: none).
        """
        c = t.goal.c
        columns = (
            c.goal_id, c.client_id, c.label, c.baseline, c.target, c.higher_is_better, c.set_on,
            c.retired_on, c.retired_reason, c.scale, c.pattern,
        )  # fmt: skip
        return self._read(
            "goals", columns, t.goal, c.client_id, client_id, order=("client_id", "set_on", "goal_id")
        )

    def goal_ratings(self, *, client_id: str | None = None) -> pl.DataFrame:
        """goal_id, client_id, rated_on, rating."""
        c = t.goal_rating.c
        columns = (c.goal_id, t.goal.c.client_id, c.rated_on, c.rating)
        source = t.goal_rating.join(t.goal)
        order = ("client_id", "goal_id", "rated_on")
        return self._read("goal_ratings", columns, source, t.goal.c.client_id, client_id, order=order)

    def events(self, *, client_id: str | None = None) -> pl.DataFrame:
        """event_id, client_id, occurred_on, kind, label, valence.

        Events of the safety channel (their kind begins with "safety") need the permission ``safety:read``.
        """
        c = t.event.c
        columns = (c.event_id, c.client_id, c.occurred_on, c.kind, c.label, c.valence)
        order = ("client_id", "occurred_on", "event_id")
        care = () if self._scope.has_permission("safety:read") else care_rows(t.event)
        return self._read("events", columns, t.event, c.client_id, client_id, *care, order=order)

    def safety_flags(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, administration_id, instrument, item, kind, raised_on, acknowledged_by, acknowledged_at.

        A correction puts no flag away: one that nobody has acknowledged stays, unless the later version raises the
        same. Otherwise whoever may write could make it vanish before anybody with the permission has seen it.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        c, a = t.safety_flag.c, t.administration.c
        columns = (
            c.client_id, c.administration_id, c.instrument, c.item, c.kind, c.raised_on, c.acknowledged_by,
            c.acknowledged_at,
        )  # fmt: skip
        source = t.safety_flag.join(t.administration, c.administration_id == a.administration_id)
        order = ("client_id", "raised_on", "administration_id", "item")
        return self._read("safety_flags", columns, source, c.client_id, client_id, _STANDING, order=order)

    def score_sets(self) -> pl.DataFrame:
        """One row per scale and definition that scores are kept for; nothing of anybody.

        set_id, instrument, scale, version, definition (a digest), made_at.
        """
        c = t.score_set.c
        query = select(c.set_id, c.instrument, c.scale, c.version, c.definition, c.made_at)
        with self._audited("answers", None, logged=False):
            self._scope.require_reader("answers")
            with self._reading() as connection:
                return fetch(connection, query).sort("set_id")

    def definitions(self) -> pl.DataFrame:
        """One row per definition of a questionnaire of the clinic's own, the latest last; nothing of anybody.

        instrument, version, channel, text, recorded_at, recorded_by. Those of the safety channel need the
        permission ``safety:read``: that there is one would tell that somebody was asked.
        """
        c, entry = t.definition.c, t.entry.c
        query = select(c.instrument, c.version, c.channel, c.text, entry.recorded_at, entry.recorded_by)
        query = query.select_from(t.definition.join(t.entry)).order_by(c.entry_id, c.instrument)
        if not self._scope.has_permission("safety:read"):
            query = query.where(c.channel == "care")
        with self._audited("definitions", None, logged=False):
            if not self._scope.has_permission("safety:read"):
                self._scope.require_reader("answers")
            with self._reading() as connection:
                return fetch(connection, query)

    def administrations_to_score(
        self,
        set_ids: Collection[int],
        *,
        client_id: str | None = None,
        instrument: str | None = None,
        checked: bool = True,
    ) -> ToScore:
        """Read kept scores of some sets, and the answers of administrations that have none there.

        All of one moment. The safety channel is left out: no score of it is kept.

        Parameters
        ----------
        set_ids : collection of int
            Of `score_sets`: those whose definition is the one that holds now.
        client_id, instrument : str, optional
            One client, one questionnaire.
        checked : bool
            Leave out kept scores that are not as they were kept. Without, they are given too: to be compared.
        """
        key, c = "administration_id", t.score.c
        narrowed = client_id is not None or instrument is not None or self._scope.narrow

        def kept_scores() -> Select[*tuple[Any, ...]]:
            query = select(c[key], *(c[name] for name in _KEPT))
            query = query.where(c.set_id.in_(bindparam(_SETS, expanding=True, type_=Integer())))
            which = select(t.administration.c[key]).where(*self._which(instrument, client_id, "care"))
            return query.where(c[key].in_(which)) if narrowed else query

        query = self._prepared(("kept scores", instrument is None, client_id is None), kept_scores)
        asked = asked_for(client_id, instrument)
        with self._audited("answers", client_id):
            self._scope.require_reader("answers")
            with self._reading() as connection:
                self._require_client(connection, client_id)
                named = self._administrations(_ANSWER_HEAD, instrument, client_id, "care")
                head = fetch(connection, named, asked)
                kept = fetch(connection, query, {**asked, _SETS: sorted(set_ids)})
                kept = self._sound(connection, kept) if checked else kept.drop("digest")
                rest = head.join(kept.select(key), on=key, how="anti")
                answers = _of_these(connection, t.answer, rest)
                totals = _of_these(connection, t.total, rest)
        return ToScore(
            kept=_join_head(head.select(_TOTAL_HEAD), kept, "set_id"),
            answers=_join_head(rest, answers, "item"),
            totals=_join_head(rest.select(_TOTAL_HEAD), totals, "scale"),
        )

    def _sound(self, connection: Connection, kept: pl.DataFrame) -> pl.DataFrame:
        return require_digests(connection, kept, self._shared.score_key.read())

    def _administrations(
        self, names: Sequence[str], instrument: str | None, client_id: str | None, channel: Channel,
        *, history: bool = False,
    ) -> Select[*tuple[Any, ...]]:  # fmt: skip
        def make() -> Select[*tuple[Any, ...]]:
            source = t.administration.join(t.entry) if "recorded_at" in names else t.administration
            columns = self._visible_columns([_ADMINISTRATION[name] for name in names])
            where = self._which(instrument, client_id, channel, history=history)
            return select(*columns).select_from(source).where(*where)

        key = ("administrations", tuple(names), instrument is None, client_id is None, channel, history)
        return self._prepared(key, make)

    def _without_risk_items(self) -> list[ColumnElement[bool]]:
        """Leave out questionnaires of which an answer raises a flag, for those who may not read flags."""
        if self._scope.has_permission("safety:read"):
            return []
        asked = [key for key, rule in shipped_rules().items() if rule.flags]
        own = select(t.definition.c.instrument).where(t.definition.c.raises_flags)
        return [t.administration.c.instrument.not_in(asked), t.administration.c.instrument.not_in(own)]

    def _parts(
        self,
        reader: str,
        heads: tuple[str, ...],
        part: t.Table,
        names: tuple[str, str],
        instrument: str | None,
        client_id: str | None,
        channel: Channel,
    ) -> pl.DataFrame:
        """Rows of answers or totals beside their administration.

        The two are fetched apart and joined here: the words of an administration cross the driver once, not
        once per answer.
        """
        key = "administration_id"
        safe = self._without_risk_items() if part is t.answer else []
        narrowed = client_id is not None or instrument is not None or self._scope.narrow

        def rows_of_part() -> Select[*tuple[Any, ...]]:
            query = select(part.c[key], *(part.c[name] for name in names))
            which = select(t.administration.c[key]).where(*self._which(instrument, client_id, channel), *safe)
            return query.where(part.c[key].in_(which)) if narrowed else query  # else the join below is enough

        query = self._prepared((reader, channel, instrument is None, client_id is None), rows_of_part)
        asked = asked_for(client_id, instrument)
        with self._audited(asked_words(reader, channel), client_id):
            self._require_channel(reader, channel)
            with self._reading() as connection:
                self._require_client(connection, client_id)
                named = self._administrations(heads, instrument, client_id, channel).where(*safe)
                head, rows = (fetch(connection, each, asked) for each in (named, query))
        return _join_head(head, rows, names[0])


def _join_head(head: pl.DataFrame, rows: pl.DataFrame, order: str) -> pl.DataFrame:
    # sorted while there is one row per administration: afterwards only small numbers are compared
    key = "administration_id"
    names = [name for name in rows.columns if name != key]
    if rows.is_empty():
        return pl.DataFrame(schema={**head.schema, **rows.select(names).schema})
    placed = head.sort("client_id", "taken_on", key).with_row_index("place")
    return rows.join(placed, on=key, how="inner").sort("place", order).select(*head.columns, *names)


def _of_these(connection: Connection, part: t.Table, rest: pl.DataFrame) -> pl.DataFrame:
    """Fetch the answers or totals of some administrations; the caller leaves out what is too much."""
    number, *_ = part.primary_key.columns
    if rest.is_empty():
        return empty(select(*part.columns))
    wanted = rest["administration_id"]
    few = rest.height <= BATCH
    within = number.in_(wanted.to_list()) if few else number.between(wanted.min(), wanted.max())
    return fetch(connection, select(*part.columns).where(within))


_again = t.safety_flag.alias("again")  # the same flag, raised by a later version
_RAISED_AGAIN = (
    exists()
    .where(LATER.c.occasion == t.administration.c.occasion, LATER.c.revision > t.administration.c.revision)
    .where(_again.c.administration_id == LATER.c.administration_id, _again.c.item == t.safety_flag.c.item)
)
_STANDING = or_(CURRENT, and_(t.safety_flag.c.acknowledged_at.is_(None), ~_RAISED_AGAIN))
