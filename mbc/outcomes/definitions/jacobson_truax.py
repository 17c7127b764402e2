"""Reliable and clinically significant change (Jacobson & Truax 1991), each scale by itself.

Of those with a first and a later score: improved or deteriorated by more than measurement error explains (1.96
times the standard error of a difference, SD sqrt(2 (1 - r))), or by a change that a source itself calls reliable;
recovered = improved, and from the distressed to the other side of the cutoff; unchanged is the rest. A scale about
a relationship counts while the rated relationship lasts.
"""

from __future__ import annotations

import math
from typing import Literal

import narwhals.stable.v2 as nw
from pydantic import Field

from mbc.errors import UnknownInstrument
from mbc.instruments import CONSTRUCTS, Instrument, Scale, instrument
from mbc.instruments.short_names import short_name
from mbc.models.change.inputs.distributions import two_sided
from mbc.outcomes.applicability import not_applicable, of_the_last_relationship
from mbc.outcomes.cohorts import Cohort, Period, in_cohort, last_day_counted
from mbc.outcomes.definitions.definition_file import Definition, Part
from mbc.outcomes.definitions.quantities import Group, Mean, Rate, Step
from mbc.outcomes.pairs import first_and_last, improvement, scores_of, within_episodes
from mbc.outcomes.source import Lazy, Source
from mbc.privacy.small_numbers.attacker import Relation

CONFIDENCE = 0.95
NOT_JUDGED = "No measurement error is published for this scale, so change is not counted."


class Measure(Part):
    """One scale and its limits."""

    instrument: str
    scale: str = "total"
    change: float | None = Field(default=None, gt=0)  # None: change is not judged
    at_least: bool = False  # a change as large as this counts already
    cutoff: float | None = None
    side: Literal["<", "<=", ">", ">="] = "<"
    source: str = ""
    cutoff_source: str = ""
    verified: bool = True

    @property
    def key(self) -> str:
        """Prefix of its metrics."""
        return f"{self.instrument}_{self.scale}"


class Settings(Definition):
    """The file of these rules."""

    from_catalogue: bool = True
    measures: tuple[Measure, ...] = ()


def groups(source: Source, settings: Settings, cohort: Cohort, period: Period) -> tuple[Group, ...]:
    """Give what is to be counted: a group for each scale on record, one row per episode of care."""
    own = {measure.key: measure for measure in settings.measures}
    people = source.keep(source.episodes.filter(in_cohort(cohort, period)))  # each scale reads them
    judged: list[tuple[Instrument, Scale, Measure]] = []
    for chosen, scale in scales_on_record(source):
        measure = own.get(f"{chosen.key}_{scale.key}")
        if measure is None and settings.from_catalogue:
            measure = catalogue_measure(chosen, scale)
        if measure is not None:
            judged.append((chosen, scale, measure))
    if not judged:
        return ()
    # The scores of these people are found once; each scale then reads its own.
    scores = within_episodes(source.scores, people, until=last_day_counted(cohort, period)).filter(
        nw.any_horizontal(*(_of_scale(chosen, scale) for chosen, scale, _ in judged), ignore_nulls=True)
    )
    needed = ("instrument", "scale", "episode_id", "taken", "place", "score", "about")
    scores = source.keep(scores.select(*needed))
    return tuple(
        _group(people, scores, source, chosen, scale, measure, period) for chosen, scale, measure in judged
    )


def _of_scale(chosen: Instrument, scale: Scale) -> nw.Expr:
    return (nw.col("instrument") == chosen.key) & (nw.col("scale") == scale.key)


def scales_on_record(source: Source) -> list[tuple[Instrument, Scale]]:
    """Find the scales that have scores, in reading order.

    Of scales that share items, such as a mean and a sum of the same answers, the first counts; questionnaires that
    are not in the catalogue, and those of the safety channel, are left out.
    """
    pairs = source.scores.select("instrument", "scale").unique().collect().to_polars()
    keys: dict[str, set[str]] = {}
    for key, scale in pairs.iter_rows():
        keys.setdefault(str(key), set()).add(str(scale))
    chosen: list[tuple[Instrument, Scale]] = []
    for key in sorted(keys):
        try:
            known = instrument(key)
        except UnknownInstrument:
            continue
        if not known.safety_channel:
            chosen += [(known, scale) for scale in separate_scales(known) if scale.key in keys[key]]
    return sorted(chosen, key=lambda pair: (_rank(pair[0].construct), pair[0].key))


def separate_scales(known: Instrument) -> tuple[Scale, ...]:
    """Give the main scale, and others that share no item with those before them."""
    kept: list[Scale] = []
    taken: set[str] = set()
    for scale in known.scales:
        if taken.isdisjoint(scale.items):
            kept.append(scale)
            taken |= set(scale.items)
    return tuple(kept)


def _rank(construct: str) -> int:
    return CONSTRUCTS.index(construct) if construct in CONSTRUCTS else len(CONSTRUCTS)


def catalogue_measure(chosen: Instrument, scale: Scale) -> Measure:
    """Take the limits of a scale from its instrument's file."""
    cutoff, norm = scale.cutoff, scale.change_norm
    change, at_least, source, verified = None, False, "", True
    if norm is not None:
        z = two_sided(CONFIDENCE)
        change = z * norm.sd * math.sqrt(2 * (1 - norm.reliability))
        sources = dict.fromkeys((norm.source, norm.reliability_source))
        source = "; ".join(chosen.source(key).citation for key in sources)
        verified = norm.confidence != "unverified"
    elif scale.change is not None and scale.change.kind == "reliable":
        change, at_least = scale.change.points, True
        source = chosen.source(scale.change.source).citation
        verified = scale.change.confidence != "unverified"
    return Measure(
        instrument=chosen.key,
        scale=scale.key,
        change=change,
        at_least=at_least,
        cutoff=None if cutoff is None else cutoff.value,
        side="<" if cutoff is None else cutoff.side,
        source=source,
        cutoff_source="" if cutoff is None else cutoff.source,
        verified=verified and (cutoff is None or cutoff.verified),
    )


def _group(
    people: Lazy,
    scores: Lazy,
    source: Source,
    chosen: Instrument,
    scale: Scale,
    measure: Measure,
    period: Period,
) -> Group:
    rows = scores_of(scores, chosen.key, scale.key)
    frame = people
    if chosen.applicability.needs_relationship:
        away = not_applicable(source.statuses, people, period.days[1])
        frame = people.join(away, on="episode_id", how="anti")
        rows = of_the_last_relationship(rows)
    frame = frame.join(first_and_last(rows, ["episode_id"]), on="episode_id", how="left")
    return Group(
        frame=_judged(frame, measure, higher_is_better=scale.higher_is_better),
        rates=_rates(measure),
        means=(_mean(),),
        steps=_steps(),
        key=measure.key,
        title=f"{scale.title}: {short_name(chosen.key)}",
        relations=_relations(measure, for_everybody=not chosen.applicability.needs_relationship),
        hide_first=(
            "began_not_paired",
            "not_measured",
            "not_paired",
            "present",
            "measured",
            "unchanged",
            "improved",
        ),
        unpublished=("@cohort",),
        rules=(f"{scale.title}, {short_name(chosen.key)}: {_rule(measure)}",),
    )


def _judged(frame: Lazy, measure: Measure, *, higher_is_better: bool) -> Lazy:
    better = improvement(higher_is_better)
    frame = frame.with_columns(
        measured=~nw.col("first").is_null(),
        paired=~nw.col("last").is_null(),
        better=better,
        present=nw.lit(value=True),
    )
    if measure.change is None:
        return frame
    if measure.at_least:
        improved, worse = nw.col("better") >= measure.change, nw.col("better") <= -measure.change
    else:
        improved, worse = nw.col("better") > measure.change, nw.col("better") < -measure.change
    frame = frame.with_columns(gained=improved.fill_null(value=False), lost=worse.fill_null(value=False))
    if measure.cutoff is None:
        return frame.with_columns(began=nw.lit(value=False), recovered=nw.lit(value=False))
    frame = frame.with_columns(
        began=distressed(measure, nw.col("first")).fill_null(value=False),
        ended_well=(~distressed(measure, nw.col("last"))).fill_null(value=False),
    )
    return frame.with_columns(recovered=nw.col("gained") & nw.col("began") & nw.col("ended_well"))


def distressed(measure: Measure, score: nw.Expr) -> nw.Expr:
    """Whether a score is on the distressed side of the cutoff."""
    limit = measure.cutoff
    match measure.side:
        case "<":
            return score < limit
        case "<=":
            return score <= limit
        case ">":
            return score > limit
        case ">=":
            return score >= limit


def _rates(measure: Measure) -> tuple[Rate, ...]:
    paired, measured, present = nw.col("paired"), nw.col("measured"), nw.col("present")
    of_pairs = "clients with a first and a later score"
    known = (
        Rate("paired", "Have a later score", "clients with a first score", paired, measured, of="measured",
             completeness=True, unknown="not_paired"),
        Rate("measured", "Have a first score", "clients to whom the scale applies", measured, present,
             of="present", completeness=True, unknown="not_measured"),
    )  # fmt: skip
    if measure.change is None:
        return known
    gained, lost, recovered = nw.col("gained"), nw.col("lost"), nw.col("recovered")

    def rate(name: str, numerator: nw.Expr) -> Rate:
        title = name.capitalize()
        return Rate(name, title, of_pairs, numerator, paired, paired, measured, of="paired", unknown="not_paired")

    rates = [
        rate("improved", gained & ~recovered), rate("unchanged", ~gained & ~lost), rate("deteriorated", lost)
    ]  # fmt: skip
    if measure.cutoff is not None:
        began = nw.col("began")
        rates.insert(0, rate("recovered", recovered))
        rates.append(
            Rate("recovered_of_distressed", "Recovered, of those who began beyond the cutoff",
                 f"{of_pairs}, beyond the cutoff at first", recovered, paired & began, paired,
                 measured & began, of="began", unknown="began_not_paired")
        )  # fmt: skip
    return (*rates, *known)


def _relations(measure: Measure, *, for_everybody: bool) -> tuple[Relation, ...]:
    applies = (
        Relation("measured", ("paired", "not_paired"), kinds=False),
        Relation("present", ("measured", "not_measured"), kinds=False),
        Relation("@cohort", ("present",), exact=for_everybody),
    )
    if measure.change is None:
        return applies
    parts = ("improved", "unchanged", "deteriorated")
    if measure.cutoff is None:
        return (*applies, Relation("paired", parts))
    return (
        *applies,
        Relation("not_paired", ("began_not_paired",), exact=False),
        Relation("paired", ("recovered", *parts)),
        Relation("paired", ("began",), exact=False),
        Relation("began", ("recovered_of_distressed",), exact=False),
        Relation("recovered", ("recovered_of_distressed",)),
    )


def _mean() -> Mean:
    return Mean(
        "effect_size",
        "Mean improvement (d)",
        "clients with a first and a later score",
        value=nw.col("better"),
        of=nw.col("measured"),
        unit="SD",
        scale=nw.col("first"),
        count="paired",
    )


def _steps() -> tuple[Step, ...]:
    return (
        Step("applies", "Clients to whom the scale applies", nw.col("present"), cell="present"),
        Step("measured", "Have a first score", nw.col("measured"), "no score on record", cell="measured"),
        Step("paired", "Have a later score", nw.col("paired"), "one occasion only", cell="paired"),
    )


def _rule(measure: Measure) -> str:
    if measure.change is None:
        return NOT_JUDGED
    beyond = "at least" if measure.at_least else "more than"
    words = f"reliable change is {beyond} {measure.change:.1f} points ({measure.source or 'the clinic'})."
    if measure.cutoff is None:
        words += " No cutoff is published, so nobody counts as recovered."
    else:
        source = f" ({measure.cutoff_source})" if measure.cutoff_source else ""
        words += f" Distressed: {measure.side} {measure.cutoff:g}{source}."
    return words if measure.verified else f"{words} Unverified."
