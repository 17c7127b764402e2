"""A comparison with what is expected given case mix, in plain sentences: what it says and does not say."""

from __future__ import annotations

from collections.abc import Iterator

from mbc.care.clinic.clinician_outcomes import LEVELS, ClinicianLine, ClinicianOutcomes
from mbc.instruments import instrument
from mbc.instruments.short_names import short_name
from mbc.models.change.groups.overdispersion import FEWEST_UNITS
from mbc.outcomes.case_mix import Expectation
from mbc.outcomes.cohorts import heading

NOT_SAID = (
    (
        "A difference does not explain its cause. It is not a measure of skill: what is not on record (diagnosis, "
        "risk, what else happened in a client's life, who was referred to whom) is not adjusted for."
    ),
    "Clients without a first and a last score are not counted; they may have fared otherwise.",
    (
        "With few clients a difference is uncertain: the shrunken difference allows for their number. Its limits "
        "take the variance between clinicians as known."
    ),
    "About one interval in twenty misses the true value by chance; with many clinicians, some will.",
)
ORDER = "Clinicians are in the order of their identifiers. They are not ranked."
POINTS = "Improvement is in points; positive is better. Limits are 95 % limits."
HEADINGS = ("Clinician", "Measured", "Observed", "Expected", "Difference", "Shrunken")


def title_words(outcomes: ClinicianOutcomes) -> str:
    """Say what is compared, and on which scale."""
    return f"Improvement compared with what is expected given case mix: {scale_words(outcomes)}"


def scale_words(outcomes: ClinicianOutcomes) -> str:
    """Name the scale."""
    expectation = outcomes.expectation
    scale = instrument(expectation.instrument).scale(expectation.scale)
    return f"{scale.title}, {short_name(expectation.instrument)}"


def expectation_lines(expectation: Expectation, *, rounded: bool) -> Iterator[str]:
    """Say what improvement is expected, and how well; ``rounded`` for those who do not see the clinic's."""
    model, mix = expectation.model, expectation.case_mix
    clients = f"about {5 * round(model.clients / 5)}" if rounded else str(model.clients)
    clinicians = "" if rounded else f" of {model.clinicians} clinicians"
    yield (
        f"Expected improvement, in points, learned from {clients} clients{clinicians} with a first and a last "
        "score, with a random intercept for each clinician:"
    )
    digits = 1 if rounded else 3
    for name, value, error in zip(model.names, model.coefficients, model.standard_errors, strict=True):
        spread = "" if rounded else f" (standard error {error:.{digits}f})"
        written = signed(value, 2 if "each point" in name else digits)
        yield f"    {written}{spread}  {name}"
    yield f"    Statuses are compared with clients {_status_words(mix.reference_status)}."
    if not rounded:
        yield from (f"    {note}" for note in mix.notes)
    yield (
        f"Case mix explains {100 * model.r_squared:.0f} % of the variance of improvement (R2). Of the rest, "
        f"{100 * model.intraclass_correlation:.0f} % lies between clinicians."
    )
    if model.between == 0:
        yield (
            "Clinicians do not differ by more than chance: shrunken differences are 0, without limits. That does "
            "not show that they are equal."
        )


def _status_words(status: str) -> str:
    return f"with {status}" if status.startswith("no ") else status


def own_words(line: ClinicianLine) -> str:
    """Say in a sentence or two how one's own clients fared."""
    clients, observed, expected, difference, shrunken = line_words(line)
    if line.difference.shrunken_lower is None:
        last = "Clinicians do not differ by more than chance, so that no difference is left once it is shrunken."
    else:
        last = f"Shrunken for the number of clients: {shrunken}."
    return (
        f"{clients} finished clients were measured. Their mean improvement is {observed} points; {expected} is "
        f"expected given their case mix: a difference of {difference}. {last}"
    )


def line_words(line: ClinicianLine) -> tuple[str, str, str, str, str]:
    """Give measured of finished clients, observed, expected, difference and shrunken difference, with limits."""
    each = line.difference
    shrunken = signed(each.shrunken)
    if each.shrunken_lower is not None and each.shrunken_upper is not None:
        shrunken += f" ({signed(each.shrunken_lower)} to {signed(each.shrunken_upper)})"
    return (
        f"{each.clients} of {line.finished}",
        signed(each.observed),
        signed(each.expected),
        f"{signed(each.difference)} ({signed(each.lower)} to {signed(each.upper)})",
        shrunken,
    )


def signed(value: float, digits: int = 1) -> str:
    """Write points with a sign; what is rounded to 0 has none."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def comparison_notes(outcomes: ClinicianOutcomes) -> Iterator[str]:
    """Say who is in the list, who is not, and what the funnel's limits are."""
    yield ORDER
    if outcomes.left_out:
        yield f"Clinicians with fewer than {outcomes.least} measured clients are left out: {outcomes.left_out}."
    if outcomes.without_clinician:
        yield f"Measured clients without a clinician on record, who are left out: {outcomes.without_clinician}."
    yield outside_words(outcomes)
    yield limits_words(outcomes)


def outside_words(outcomes: ClinicianOutcomes) -> str:
    """Name who lies outside the wider limits of the funnel, and say what that is."""
    outside = [line.clinician_id for line in outcomes.lines if abs(line.difference.difference) > line.limits[-1]]
    wide = f"{100 * LEVELS[-1]:g} %"
    return (
        f"Outside the {wide} limits of the funnel: {', '.join(outside) or 'nobody'}. That is a reason to ask, "
        "not a verdict."
    )


def limits_words(outcomes: ClinicianOutcomes) -> str:
    """Say whether the funnel's limits are those of chance alone."""
    if len(outcomes.lines) < FEWEST_UNITS:
        return f"The funnel's limits are of chance: over-dispersion is judged from {FEWEST_UNITS} clinicians on."
    if outcomes.beyond_chance > 0:
        return (
            "The funnel's limits allow for over-dispersion: a standard deviation of "
            f"{outcomes.beyond_chance**0.5:.1f} points between clinicians beyond chance."
        )
    return "Clinicians differ no more than by chance: there is no over-dispersion to allow for."


def nobody_listed(outcomes: ClinicianOutcomes) -> str:
    """Say that a list is empty."""
    return f"No clinician has {outcomes.least} measured clients."


def not_measured(line: ClinicianLine) -> str:
    """Say how many finished clients are not counted in a line, and why."""
    missing = line.unscored + line.scored_once
    if not missing:
        return f"All {line.finished} finished clients were measured."
    reasons = ((line.unscored, "without a score that counts"), (line.scored_once, "with scores of one day only"))
    named = ", ".join(f"{count} {why}" for count, why in reasons if count)
    return f"Not measured: {missing} of {line.finished} ({named})."


def counted(outcomes: ClinicianOutcomes, *, own: bool) -> str:
    """Say whose care is counted; the clinic's first and last day are somebody's, and not for one clinician."""
    if own:
        return "Your clients whose care has ended; the last such care of each client."
    return f"{heading('finished', outcomes.expectation.period)}; the last such care of each client."
