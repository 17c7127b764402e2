"""Severity-adjusted effect size: improvement beyond what is expected of the first score, with both zeros in use.

Of clients whose first score is in the clinical range, the improvement expected of the first score is taken from a
reference sample by linear regression. With r the mean difference between actual and expected improvement, M the
mean improvement and SD the standard deviation of first scores of the reference:

* ACORN's zero: (M + r) / SD. The reference sample itself has M / SD.
* OpenFIT's zero: r / SD. The reference sample itself has 0.
"""

from __future__ import annotations

import math

import narwhals.stable.v2 as nw
import polars as pl
from pydantic import Field

from mbc.days import day_words
from mbc.instruments import Instrument, Scale
from mbc.instruments.short_names import short_name
from mbc.outcomes.applicability import of_the_last_relationship
from mbc.outcomes.cohorts import Cohort, Period, in_cohort, last_day_counted
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.jacobson_truax import Measure, catalogue_measure, distressed, scales_on_record
from mbc.outcomes.definitions.quantities import Group, Mean, Rate, Step
from mbc.outcomes.pairs import first_and_last, improvement, scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation


class Reference(Part):
    """A reference sample of one scale."""

    instrument: str
    scale: str = "total"
    n: int = Field(ge=3)
    mean_improvement: float
    sd: float = Field(gt=0)  # of first scores
    intercept: float
    slope: float
    source: str

    @property
    def key(self) -> str:
        """Instrument and scale."""
        return f"{self.instrument}_{self.scale}"


class Settings(Definition):
    """The file of these rules."""

    from_catalogue: bool = True
    least_reference: int = Field(default=30, ge=3)
    references: tuple[Reference, ...] = ()

    @property
    def unpublishable(self) -> str:
        """Why it may not be published: a reference of the clinic's own clients is exact to the digit."""
        if not self.from_catalogue:
            return ""
        return (
            "takes its reference from this clinic's own clients: their number, mean and regression would be "
            "published exactly, and the next release would say what was added. Give [[references]] from elsewhere "
            "in a file of your own, and set from_catalogue = false"
        )


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: a group for each scale with a cutoff, one row per episode of care."""
    given = {reference.key: reference for reference in settings.references}
    until = last_day_counted(cohort, period)
    made: list[Group] = []
    for known, scale in scales_on_record(source):
        measure = catalogue_measure(known, scale)
        if measure.cutoff is None or not (settings.from_catalogue or measure.key in given):
            continue
        paired = _paired(source, known, scale, measure, until)
        reference = given.get(measure.key) or _own_reference(paired, measure, settings, period)
        made.append(_group(paired.filter(in_cohort(cohort, period)), scale, measure, reference, settings))
    return tuple(made)


def _paired(source: Source, known: Instrument, scale: Scale, measure: Measure, until: int | None) -> Lazy:
    rows = scores_of(within_episodes(source.scores, source.episodes, until=until), known.key, scale.key)
    if known.applicability.needs_relationship:
        rows = of_the_last_relationship(rows)
    frame = source.episodes.join(first_and_last(rows, ["episode_id"]), on="episode_id", how="left")
    return frame.with_columns(
        better=improvement(scale.higher_is_better),
        clinical=distressed(measure, nw.col("first")).fill_null(value=False),
        member=nw.lit(value=True),
    )


def _own_reference(paired: Lazy, measure: Measure, settings: Settings, period: Period) -> Reference | None:
    """Regress improvement on the first score, over care that ended before the period; None where too little."""
    known = paired.filter(nw.col("clinical"), ~nw.col("better").is_null(), nw.col("ended") < period.days[0])
    x, y = nw.col("first"), nw.col("better")
    terms = {"x": x, "y": y, "xx": x * x, "xy": x * y}
    summed = known.select(*(term.cast(nw.Float64).alias(name) for name, term in terms.items())).select(
        nw.len().alias("n"), *(nw.col(name).sum().alias(name) for name in terms)
    )
    row = pl.DataFrame(summed.collect().to_polars()).row(0, named=True)
    people = int(row["n"] or 0)
    if people < settings.least_reference:
        return None
    mean_x, mean_y = row["x"] / people, row["y"] / people
    spread = row["xx"] / people - mean_x**2
    if spread <= 0:
        return None
    slope = (row["xy"] / people - mean_x * mean_y) / spread
    return Reference(
        instrument=measure.instrument,
        scale=measure.scale,
        n=people,
        mean_improvement=mean_y,
        sd=math.sqrt(spread * people / (people - 1)),
        intercept=mean_y - slope * mean_x,
        slope=slope,
        source=f"this clinic's own care that ended before {day_words(period.start)} "
        f"({people} clients in the clinical range)",
    )


def _group(frame: Lazy, scale: Scale, measure: Measure, reference: Reference | None, settings: Settings) -> Group:
    clinical = nw.col("clinical")
    paired = clinical & ~nw.col("better").is_null()
    among = "clients in the clinical range at first, with a later score"
    title = f"{scale.title}: {short_name(measure.instrument)}"
    means: tuple[Mean, ...] = ()
    rule = (
        f"{title}: no severity-adjusted effect size, since fewer than {settings.least_reference} clients in the "
        "clinical range are on record from before the period."
    )
    if reference is not None:
        residual = nw.col("better") - (reference.intercept + reference.slope * nw.col("first"))
        frame = frame.with_columns(
            saes_openfit=residual / reference.sd,
            saes_acorn=(residual + reference.mean_improvement) / reference.sd,
        )
        means = (
            Mean("saes_acorn", "Severity-adjusted effect size, ACORN's zero", among, nw.col("saes_acorn"),
                 clinical, "SD", count="paired"),
            Mean("saes_openfit", "Severity-adjusted effect size, OpenFIT's zero", among, nw.col("saes_openfit"),
                 clinical, "SD", count="paired"),
        )  # fmt: skip
        rule = (
            f"{title}: expected improvement is {reference.intercept:.2f} {reference.slope:+.2f} x first score; "
            f"reference mean {reference.mean_improvement:.2f} points, SD {reference.sd:.2f} ({reference.source}). "
            "ACORN's zero is no improvement, OpenFIT's zero is as the reference."
        )
    return Group(
        frame=frame,
        rates=(Rate("paired", "Have a later score", "clients in the clinical range at first", paired, clinical,
                    of="clinical", completeness=True, unknown="not_paired"),),
        means=means,
        steps=(
            Step("cohort", "In the cohort", nw.col("member")),
            Step("clinical", "First score in the clinical range", clinical, "no first score, or below the cutoff"),
            Step("paired", "Have a later score", paired, "one occasion only"),
        ),
        key=measure.key,
        title=title,
        relations=(Relation("clinical", ("paired", "not_paired"), kinds=False),),
        hide_first=("not_paired", "clinical"),
        rules=(rule,),
    )  # fmt: skip
