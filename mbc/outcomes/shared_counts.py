"""How counts of different definitions hang together: whoever knows the definitions knows this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mbc.instruments import instrument
from mbc.outcomes.definitions import jacobson_truax, nhs, saes
from mbc.outcomes.definitions.definition_file import Definition
from mbc.outcomes.definitions.jacobson_truax import catalogue_measure
from mbc.outcomes.publication import count_name
from mbc.outcomes.results import OutcomeReport
from mbc.privacy.small_numbers.attacker import Relation


def relations_between(reports: Sequence[OutcomeReport], settings: Sequence[Definition]) -> Iterator[Relation]:
    """Relate what definitions count of the same people.

    Whoever has a first and a last score on every measure of NHS Talking Therapies has them on each scale that
    Jacobson & Truax judge. Those whose first score is in the clinical range, with a later score and without, are
    the same for a severity-adjusted effect size and for Jacobson & Truax, by the same cutoff.

    Parameters
    ----------
    reports : sequence of OutcomeReport
        Of one cohort and period.
    settings : sequence of Definition
        The files they were made by, in the same order.
    """
    for other, scales in enumerate(settings):
        if not isinstance(scales, jacobson_truax.Settings):
            continue
        for place, (report, each) in enumerate(zip(reports, settings, strict=True)):
            if isinstance(each, nhs.Settings):
                yield from _paired_on_every_measure(place, report, each, other, reports[other])
            if isinstance(each, saes.Settings):
                yield from _in_the_clinical_range(place, each, other, scales)


def _paired_on_every_measure(
    place: int, report: OutcomeReport, each: nhs.Settings, other: int, scales: OutcomeReport
) -> Iterator[Relation]:
    every = next(metric.metric for metric in report.metrics if metric.completeness)
    judged = {metric.key for metric in scales.metrics}
    for measure in each.measures:
        if measure.key in judged:
            paired = count_name(other, measure.key, "paired")
            yield Relation(paired, (count_name(place, "", every),), exact=False)


def _in_the_clinical_range(
    place: int, settings: saes.Settings, other: int, scales: jacobson_truax.Settings
) -> Iterator[Relation]:
    own = {measure.key: measure for measure in scales.measures}
    for reference in settings.references:
        known = instrument(reference.instrument)
        if known.applicability.needs_relationship:  # only one of the two leaves out whom it does not apply to
            continue
        here = catalogue_measure(known, known.scale(reference.scale))
        there = own.get(reference.key, here)
        if (here.cutoff, here.side) == (there.cutoff, there.side):
            for ours, theirs in (("began", "paired"), ("began_not_paired", "not_paired")):
                parts = (count_name(place, reference.key, theirs),)
                yield Relation(count_name(other, reference.key, ours), parts)
