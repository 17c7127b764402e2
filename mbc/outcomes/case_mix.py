"""The case mix of finished clients at intake, and what improvement is expected given it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from mbc.errors import ModelError, SettingsError
from mbc.instruments import instrument
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.effects.case_mix import CaseMixModel, fit_case_mix
from mbc.outcomes.applicability import in_a_relationship, of_the_last_relationship
from mbc.outcomes.cohorts import Period, in_cohort, last_day_counted
from mbc.outcomes.pairs import first_and_last, improvement, scores_of, within_episodes
from mbc.outcomes.source import Source, open_source

IN_RELATIONSHIP, NOT_IN_ONE, NO_STATUS = "in a relationship", "in no relationship", "no status on record"
STATUSES = (IN_RELATIONSHIP, NOT_IN_ONE, NO_STATUS)
LEAST_OF_A_KIND = 5
"""Clients with a status, or with earlier care, before it is part of the case mix: fewer cannot be adjusted for."""


def case_mix_table(frames: Mapping[str, Any], key: str, scale: str | None, period: Period) -> pl.DataFrame:
    """Give the last finished episode of each client, with its case mix and its improvement.

    Parameters
    ----------
    frames : mapping of str to table
        As `mbc.outcomes.report` reads them.
    key, scale : str
        Questionnaire and scale; its main scale when none is named.
    period : Period
        Care that ended in it.

    Returns
    -------
    DataFrame
        client_id, clinician_id, first, improvement (null: not measured twice), status at the first score,
        earlier_episodes (of care that began before).

    Raises
    ------
    SettingsError
        If the questionnaire belongs to the safety channel.
    """
    source, known = open_source(frames), instrument(key)
    chosen = known.scale(scale)
    if known.safety_channel:
        raise SettingsError(f"'{key}' belongs to the safety channel: it is not an outcome.")
    until = last_day_counted("finished", period)
    scores = scores_of(within_episodes(source.scores, source.episodes, until=until), known.key, chosen.key)
    if known.applicability.needs_relationship:
        scores = of_the_last_relationship(scores)
    finished = source.episodes.filter(in_cohort("finished", period))
    joined = finished.join(first_and_last(scores, ["episode_id"]), on="episode_id", how="left").with_columns(
        improvement=improvement(chosen.higher_is_better)
    )
    rows = pl.DataFrame(joined.collect().to_polars()).sort("ended", "since", "episode_id", nulls_last=False)
    latest = rows.group_by("client_id", maintain_order=True).last()
    return (
        latest.join(_statuses(source, latest), on="episode_id", how="left")
        .join(_earlier(source, latest), on="episode_id", how="left")
        .with_columns(pl.col("status").fill_null(NO_STATUS), pl.col("earlier_episodes").fill_null(0))
        .select("client_id", "clinician_id", "first", "improvement", "status", "earlier_episodes")
        .sort("client_id")
    )


def _statuses(source: Source, latest: pl.DataFrame) -> pl.DataFrame:
    """Say of each episode whether the client was in a relationship on the day of the first score."""
    spans = latest.drop_nulls("first_day").select("episode_id", "client_id", day="first_day")
    statuses = pl.DataFrame(source.statuses.collect().to_polars())
    together = in_a_relationship(nw.from_native(statuses.lazy()), nw.from_native(spans.lazy()))
    words = pl.when(pl.col("together") == 1).then(pl.lit(IN_RELATIONSHIP)).otherwise(pl.lit(NOT_IN_ONE))
    return pl.DataFrame(together.collect().to_polars()).select("episode_id", status=words)


def _earlier(source: Source, latest: pl.DataFrame) -> pl.DataFrame:
    """Count the episodes of each client that began before the one counted."""
    episodes = pl.DataFrame(source.episodes.collect().to_polars())
    others = episodes.select("client_id", other="episode_id", began=pl.coalesce("since", "ended"))
    own = latest.select("episode_id", "client_id", since=pl.coalesce("since", "ended"))
    before = own.join(others, on="client_id").filter(pl.col("began") < pl.col("since"))
    return before.group_by("episode_id").agg(earlier_episodes=pl.len().cast(pl.Int64))


@dataclass(frozen=True, slots=True)
class CaseMix:
    """Which columns of a table of case mix are part of the expectation."""

    reference_status: str
    statuses: tuple[str, ...]  # that have a coefficient: the difference from the reference
    rare_statuses: tuple[str, ...]  # of too few clients: they count as the reference
    earlier_episodes: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Of the coefficients."""
        words = ("each earlier episode of care",) if self.earlier_episodes else ()
        return ("constant", "each point of the first score", *self.statuses, *words)

    def design(self, measured: pl.DataFrame) -> FloatArray:
        """Give a row for each client: 1, first score, statuses, number of earlier episodes."""
        columns = [np.ones(measured.height), measured["first"].to_numpy()]
        columns += [(measured["status"] == name).to_numpy().astype(float) for name in self.statuses]
        if self.earlier_episodes:
            columns.append(measured["earlier_episodes"].to_numpy().astype(float))
        return np.column_stack(columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of case mix is not part of it, and why."""
        notes = [
            f"Fewer than {LEAST_OF_A_KIND} clients have '{name}': they count as '{self.reference_status}'."
            for name in self.rare_statuses
        ]
        if not self.earlier_episodes:
            notes.append(f"Fewer than {LEAST_OF_A_KIND} clients had earlier care: it is not adjusted for.")
        return tuple(notes)


def case_mix_of(measured: pl.DataFrame) -> CaseMix:
    """Choose what can be adjusted for: the most frequent status is the reference."""
    counts = {name: int((measured["status"] == name).sum()) for name in STATUSES}
    reference = max(STATUSES, key=lambda name: counts[name])
    return CaseMix(
        reference_status=reference,
        statuses=tuple(name for name in STATUSES if name != reference and counts[name] >= LEAST_OF_A_KIND),
        rare_statuses=tuple(name for name in STATUSES if 0 < counts[name] < LEAST_OF_A_KIND),
        earlier_episodes=int((measured["earlier_episodes"] > 0).sum()) >= LEAST_OF_A_KIND,
    )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What improvement is expected given case mix on one scale; it holds nobody's score."""

    instrument: str
    scale: str
    period: Period
    case_mix: CaseMix
    model: CaseMixModel

    def expected(self, table: pl.DataFrame) -> pl.DataFrame:
        """Add ``expected`` to a table of case mix: improvement, and the last score; null without a first score."""
        higher = instrument(self.instrument).scale(self.scale).higher_is_better
        known = table.drop_nulls("first")
        values = self.model.expected(self.case_mix.design(known)) if known.height else np.zeros(0)
        made = known.select("client_id", expected=pl.Series(values, dtype=pl.Float64))
        sign = 1 if higher else -1
        return table.join(made, on="client_id", how="left").with_columns(
            expected_last=pl.col("first") + sign * pl.col("expected")
        )


def learn_expectation(table: pl.DataFrame, key: str, scale: str | None, period: Period) -> Expectation:
    """Learn from a table of case mix what improvement is expected.

    Clients without a clinician are left out.

    Raises
    ------
    ModelError
        Where there is too little: 50 clients, five for each coefficient, three clinicians with five clients each;
        or if everybody had the same first score.
    """
    measured = measured_clients(table)
    chosen = case_mix_of(measured)
    if measured.height and measured["first"].n_unique() == 1:
        raise ModelError(
            f"All {measured.height} clients had the same first score: there is nothing to adjust for."
        )
    clinicians: Sequence[str] = measured["clinician_id"].to_list()
    outcome = measured["improvement"].to_numpy()
    model = fit_case_mix(outcome, chosen.design(measured), clinicians, chosen.names)
    return Expectation(key, instrument(key).scale(scale).key, period, chosen, model)


def measured_clients(table: pl.DataFrame) -> pl.DataFrame:
    """Keep clients with a first and a last score, and a clinician."""
    return table.drop_nulls(["improvement", "clinician_id"])
