"""What a cohort's folder says of its own risk: risk.json, and the first lines of the README."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mbc.care.cohort.coarsen import Coarsened
from mbc.care.cohort.deidentified import Cohort
from mbc.care.cohort.knowledge import NOT_PROTECTED, Exposure, exposures
from mbc.errors import IdentityLeft
from mbc.privacy.risk import Disclosure, disclosure

_MOST_ROWS = 20  # people with two scores, before a mean change is compared


@dataclass(frozen=True, slots=True)
class CohortRisk:
    """Measured risk and cost of a cohort."""

    profile: str
    asked_k: int | None
    measured: Disclosure
    quasi_identifiers: tuple[str, ...]
    knowledge: tuple[Exposure, ...]
    left_out: int
    cost: tuple[dict[str, object], ...]

    def to_dict(self) -> dict[str, object]:
        """Give everything as plain values, for risk.json."""
        measured = self.measured.to_dict()
        return {
            "profile": self.profile,
            "k": self.measured.k,
            "unique": self.measured.unique,
            "quasi_identifiers": list(self.quasi_identifiers),
            "asked_k": self.asked_k,
            "people": self.measured.people,
            "people_left_out": self.left_out,
            "prosecutor": measured["prosecutor"],
            "journalist": measured["journalist"],
            "l_diversity": {
                "value": self.measured.diversity,
                "of": "thirds of the first score on the scale that most people have",
            },
            "knowledge": {exposure.who: exposure.to_dict() for exposure in self.knowledge},
            "not_protected": sorted(NOT_PROTECTED),
            "cost": list(self.cost),
        }


def cohort_risk(coarse: Coarsened, original: Cohort) -> CohortRisk:
    """Measure a cohort as it would leave the clinic.

    Parameters
    ----------
    coarse : Coarsened
    original : Cohort
        The same people in days: what it costs is measured against it.

    Raises
    ------
    IdentityLeft
        If the profile asks for people who look alike, and somebody could know more than it protects.
    """
    cohort = coarse.cohort
    people = cohort.people.with_columns(_third_of_first_score(cohort))
    measured = disclosure(people, coarse.known, sensitive="third")
    narrowed = exposures(cohort)
    k = coarse.profile.k
    if k is not None:
        short = [each.who for each in narrowed if each.k < k and each.who not in NOT_PROTECTED]
        if measured.k < k or short:
            raise IdentityLeft(
                f"With profile '{coarse.profile.name}' fewer than {k} people look alike to "
                f"{', '.join(short) or 'a reader'}. Nothing was written."
            )
    return CohortRisk(
        profile=coarse.profile.name,
        asked_k=k,
        measured=measured,
        quasi_identifiers=coarse.known,
        knowledge=narrowed,
        left_out=coarse.left_out,
        cost=tuple(_cost(cohort, original)),
    )


def _third_of_first_score(cohort: Cohort) -> pl.Series:
    """Give the third of the cohort that a person's first score lies in; null without one."""
    first = cohort.scores.drop_nulls("score").sort("day").unique(["study_id", "instrument", "scale"], keep="first")
    counts = first.group_by("instrument", "scale").len().sort("len", "instrument", "scale", descending=True)
    if counts.is_empty():
        return pl.Series("third", [None] * cohort.people.height, dtype=pl.String)
    instrument, scale, _ = counts.row(0)
    seen = first.filter((pl.col("instrument") == instrument) & (pl.col("scale") == scale))
    thirds = seen.select("study_id", third=pl.col("score").rank("ordinal") * 3 // (pl.len() + 1))
    joined = cohort.people.select("study_id").join(thirds, on="study_id", how="left", maintain_order="left")
    return joined["third"].cast(pl.String)


def _cost(coarse: Cohort, original: Cohort) -> list[dict[str, object]]:
    """Compare, for each scale, how many scores are left and how far the mean change moved."""
    before, after = _changes(original), _changes(coarse)
    rows: list[dict[str, object]] = []
    for key, (n_scores, n_pairs, mean, spread) in before.items():
        if n_pairs < _MOST_ROWS:
            continue
        left = after.get(key)
        moved = None if left is None or left[1] < 2 or not spread else round((left[2] - mean) / spread, 3)
        rows.append(
            {
                "instrument": key[0],
                "scale": key[1],
                "scores_kept": round((left[0] if left else 0) / n_scores, 3),
                "pairs_kept": round((left[1] if left else 0) / n_pairs, 3),
                "mean_change_moved_sd": moved,
            }
        )
    return rows


def _changes(cohort: Cohort) -> dict[tuple[str, str], tuple[int, int, float, float]]:
    """Scores, pairs, mean change from the first to the last, and spread of first scores, by scale."""
    course = ["study_id", "instrument", "scale", "target"]
    ordered = cohort.scores.drop_nulls("score").sort("day")
    by_person = ordered.group_by(course).agg(
        pl.len().alias("n"), pl.col("score").first().alias("first"), pl.col("score").last().alias("last")
    )
    paired = pl.col("n") > 1
    table = by_person.group_by("instrument", "scale").agg(
        pl.col("n").sum().alias("scores"),
        paired.sum().alias("pairs"),
        (pl.col("last") - pl.col("first")).filter(paired).mean().alias("mean"),
        pl.col("first").std().alias("spread"),
    )
    return {
        (row["instrument"], row["scale"]): (row["scores"], row["pairs"], row["mean"] or 0.0, row["spread"] or 0.0)
        for row in table.sort("instrument", "scale").iter_rows(named=True)
    }
