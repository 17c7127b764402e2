"""Readers of the entries of the working day: one tidy frame per kind, withdrawn entries left out.

Columns are those of the record of each kind; rows come by client, then by day. Every reader obeys the scope of its
store; those of the safety channel need the permission ``safety:read``.
"""

from __future__ import annotations

import polars as pl

from mbc.store.reading.queries import QueryView
from mbc.store.schema import entries, safety_entries
from mbc.store.schema.kinds import KINDS, care_rows


class EntryReaders(QueryView):
    """The part of a store that reads entries of the working day."""

    def homework(self, *, client_id: str | None = None) -> pl.DataFrame:
        """homework_id, client_id, set_on, task, completion (null: not asked yet), helpful, reviewed_on."""
        return self._entries(entries.Homework, client_id)

    def small_wins(self, *, client_id: str | None = None) -> pl.DataFrame:
        """win_id, client_id, occurred_on, label."""
        return self._entries(entries.SmallWin, client_id)

    def conflicts(self, *, client_id: str | None = None) -> pl.DataFrame:
        """One row per conflict, or per group of ``count`` conflicts.

        conflict_id, client_id, occurred_on, intensity (0 to 10), repaired (null: not known), hours_to_repair,
        count, relationship_id.
        """
        return self._entries(entries.RelationshipConflict, client_id)

    def alliance_ruptures(self, *, client_id: str | None = None) -> pl.DataFrame:
        """rupture_id, client_id, occurred_on, kind, repaired (null: not known), repaired_on, label."""
        return self._entries(entries.AllianceRupture, client_id)

    def couples_readiness(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, rated_on, rating (0 to 10), reasons."""
        return self._entries(entries.CouplesReadiness, client_id)

    def decision_clarity(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, rated_on, rating (0 to 10), decision."""
        return self._entries(entries.DecisionClarity, client_id)

    def imagined_partner_views(self, *, client_id: str | None = None) -> pl.DataFrame:
        """Ratings that the client imagines a partner would give; never an answer of a partner's.

        client_id, relationship_id, rated_on, rating (0 to 10), aspect.
        """
        return self._entries(entries.ImaginedPartnerView, client_id)

    def releases_of_information(self, *, client_id: str | None = None) -> pl.DataFrame:
        """Consents to pass scores on, those that have expired or were withdrawn by the client among them.

        release_id, client_id, recipient, purpose, scales ("rses csi16.total"), signed_on, expires_on, covers_from,
        covers_to, withdrawn_on, withdrawn_reason. Nothing of the safety channel is ever among the scales.
        """
        return self._entries(entries.ReleaseOfInformation, client_id)

    def planned_measures(self, *, client_id: str | None = None) -> pl.DataFrame:
        """One row per questionnaire of a client's plan of measures.

        client_id, instrument, starts_on, every_days, every_sessions, ends_on, before_sessions ("1 8 16"),
        baseline_askings.
        """
        return self._entries(entries.PlannedMeasure, client_id)

    def measure_pauses(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, starts_on, ends_on (null: until further notice), reason."""
        return self._entries(entries.MeasurePause, client_id)

    def pattern_tags(self, *, client_id: str | None = None) -> pl.DataFrame:
        """Patterns that were seen in relationships: client_id, relationship_id, pattern, noted_on."""
        return self._entries(entries.PatternTag, client_id)

    def support_networks(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, rated_on, people (on how many the client can count), quality (0 to 10)."""
        return self._entries(entries.SupportNetwork, client_id)

    def demographics(self, *, client_id: str | None = None) -> pl.DataFrame:
        """Who clients are, in the clinic's own codes.

        client_id, recorded_on, age_band, gender, ethnicity, payer, modality, approach, relationship_structure.

        Raises
        ------
        AccessDenied
            Without the permission ``demographics:read``.
        """
        return self._entries(entries.Demographics, client_id)

    def signals(self, *, client_id: str | None = None) -> pl.DataFrame:
        """signal_id, client_id, raised_on, state, inputs, instrument, scale, model, version."""
        return self._entries(entries.Signal, client_id)

    def signal_answers(self, *, client_id: str | None = None) -> pl.DataFrame:
        """signal_id, client_id, answered_on, answer, change, reason."""
        return self._entries(entries.SignalAnswer, client_id)

    def safety_plans(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, made_on, last_review_on, next_review_on, review_reason, ended_on.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.SafetyPlan, client_id)

    def duties_to_report(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, considered_on, outcome.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.DutyToReport, client_id)

    def couples_contraindications(self, *, client_id: str | None = None) -> pl.DataFrame:
        """client_id, since, reason, ended_on (null: it holds).

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.CouplesContraindication, client_id)

    def flag_responses(self, *, client_id: str | None = None) -> pl.DataFrame:
        """administration_id, item, client_id, responded_on, action.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.FlagResponse, client_id)

    def safety_changes(self, *, client_id: str | None = None) -> pl.DataFrame:
        """Answers to signals that concern safety: signal_id, client_id, answered_on.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.SafetyChange, client_id)

    def second_reviews(self, *, client_id: str | None = None) -> pl.DataFrame:
        """administration_id, item, client_id, reviewed_on.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read``.
        """
        return self._entries(safety_entries.SecondReview, client_id)

    def _entries(self, record: type, client_id: str | None) -> pl.DataFrame:
        kind = KINDS[record]
        c = kind.table.c
        columns = [c[name] for name in kind.columns]
        names = ["client_id", *([kind.day] if kind.day else []), *kind.key]
        order = list(dict.fromkeys(names))
        care = () if self._scope.has_permission("safety:read") else care_rows(kind.table)
        return self._read(
            kind.reader, columns, kind.table, c.client_id, client_id, *care, order=order, channel=kind.channel
        )
