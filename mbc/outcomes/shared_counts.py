"""How counts of different definitions hang together: whoever knows the definitions knows this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mbc.outcomes.definitions import jacobson_truax, nhs
from mbc.outcomes.definitions.definition_file import Definition
from mbc.outcomes.publication import count_name
from mbc.outcomes.results import OutcomeReport
from mbc.privacy.small_numbers.attacker import Relation


def relations_between(reports: Sequence[OutcomeReport], settings: Sequence[Definition]) -> Iterator[Relation]:
    """Relate the courses of NHS Talking Therapies to the scales that Jacobson & Truax judge.

    Whoever has a first and a last score on every measure has them on each.

    Parameters
    ----------
    reports : sequence of OutcomeReport
        Of one cohort and period.
    settings : sequence of Definition
        The files they were made by, in the same order.
    """
    for place, (report, each) in enumerate(zip(reports, settings, strict=True)):
        if not isinstance(each, nhs.Settings):
            continue
        every = next(metric.metric for metric in report.metrics if metric.completeness)
        for other, scales in enumerate(reports):
            if isinstance(settings[other], jacobson_truax.Settings):
                judged = {metric.key for metric in scales.metrics}
                for measure in each.measures:
                    if measure.key in judged:
                        paired = count_name(other, measure.key, "paired")
                        yield Relation(paired, (count_name(place, "", every),), exact=False)
