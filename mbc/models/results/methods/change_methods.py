"""How change of a person or group was judged: sentences for methods sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

# Method -> how the expected follow-up score and its error are found, and by whom.
RELIABLE_CHANGE = {
    "jacobson-truax": (
        "as a multiple of the standard error of the difference, sd sqrt(2 (1 - reliability)) [@jacobson1991]"
    ),
    "gulliksen-lord-novick": (
        "against the first score regressed to the mean of the reference sample, with the standard error "
        "of prediction [@lord1968; @hsu1989]"
    ),
    "hsu-linn-lord": (
        "against the first score regressed to the mean and centred on the follow-up mean, with the "
        "standard error of prediction [@hsu1989]"
    ),
    "edwards-nunnally": (
        "against the first score regressed to the mean, with the standard error of measurement [@speer1992]"
    ),
    "nunnally-kotsch": (
        "against the first score regressed to the mean, with the errors of both scores [@nunnally1983]"
    ),
    "hageman-arrindell": (
        "by the index of Hageman and Arrindell, which uses the reliability of differences and bounds the "
        "risk of a false claim in one direction [@hageman1999]"
    ),
    "christensen-mendoza": (
        "as a multiple of the standard deviation of retest differences [@christensen1986; @temkin1999]"
    ),
    "chelune": (
        "as a multiple of the standard error of the difference around the mean practice effect [@chelune1993]"
    ),
    "iverson": ("with the standard errors of both occasions around the mean practice effect [@iverson2001]"),
    "mcsweeny": (
        "by the standard error of estimate of the regression of the retest on the first score [@mcsweeny1993]"
    ),
    "crawford-howell": (
        "by regression on the first score with the error of predicting one new case, referred to a t "
        "distribution [@crawford1998]"
    ),
    "maassen": ("by the regression-based index of Maassen, Bossema and Brand [@maassen2006]"),
    "growth": ("by each client's slope in a growth model against its standard error [@laird1982]"),
}
# The functions that make a ReliableChange of another kind.
_OTHER_CHANGE = {
    "irt_change": (
        "on the latent trait of a graded response model, with the precision of each person's own answers "
        "[@samejima1969]"
    ),
    "conditional_change": ("against the errors of both scores, each conditional on the score itself"),
    "mean_baseline_change": (
        "between the means of several baseline and follow-up scores, with the standard error of "
        "measurement divided accordingly [@jacobson1991]"
    ),
}
_CRITERIA = {
    "a": "two standard deviations beyond the clinical mean (criterion a)",
    "b": "two standard deviations from the functional mean (criterion b)",
    "c": "the point as many standard deviations from the clinical as from the functional mean (criterion c)",
    "density": "the point at which the normal densities of the two populations cross",
}


def reliable_change(result: Any) -> Iterator[str]:
    """Which index, and which distribution."""
    function = "" if result.origin is None else result.origin.function
    how = _OTHER_CHANGE.get(function) or RELIABLE_CHANGE.get(result.method, f"by the method {result.method!r}")
    yield f"Reliable change was judged {how}."
    df = result.degrees_of_freedom
    reference = (
        "a standard normal distribution" if df is None else f"a t distribution with {df:g} degrees of freedom"
    )
    yield f"An index beyond {result.critical:.3f}, from {reference}, counted as reliable."


def clinical_significance(result: Any) -> Iterator[str]:
    """Index and cutoff together."""
    yield (
        "Clinical significance was classified as recovered, improved, unchanged, deteriorated or harmed from "
        f"change ({result.method}) together with the side of the cutoff before and after [@jacobson1991; "
        "@wise2004]."
    )
    if result.cutoff is not None:
        yield f"The cutoff between the clinical and the functional population was {result.cutoff:.4g}."


def cutoff(result: Any) -> Iterator[str]:
    """Which criterion, and which populations."""
    yield f"The cutoff was {_CRITERIA[result.criterion]} [@jacobson1991]."
    for name, moments in (("clinical", result.clinical), ("functional", result.functional)):
        if moments:
            yield (
                f"The {name} population had a mean of {moments[0]:.4g} and a standard deviation of "
                f"{moments[1]:.4g}."
            )


def meaningful_change(result: Any) -> Iterator[str]:
    """Points, or per cent of the first score."""
    unit = "scale points" if result.method == "anchor" else "of the first score (as a proportion)"
    yield (
        f"An improvement of at least {result.improvement:g} and a worsening of at least {result.deterioration:g} "
        f"{unit} counted as change [@jaeschke1989]."
    )


def true_change(result: Any) -> Iterator[str]:
    """Posterior of the change."""
    yield (
        "The true change was described by its posterior distribution given both scores, their standard error of "
        f"measurement and a {result.prior} prior [@lord1968]."
    )
    if result.meaningful is not None:
        yield f"A true change of {result.meaningful:g} points was taken as meaningful."


def true_change_course(result: Any) -> Iterator[str]:
    """All scores by a state-space model."""
    yield (
        "The true level now was compared with the true level at the start, from all scores so far, by a "
        "state-space model with a level that may wander, fluctuation that fades, and measurement error, "
        "averaged over the uncertainty of these [@harvey1989]."
    )
    yield f"Variation of scores was taken from: {result.variation.source or 'values given'}."
    if result.meaningful is not None:
        yield f"A change of {result.meaningful:g} points was taken as meaningful."


def score_variation(result: Any) -> Iterator[str]:
    """Learned, or from norms."""
    if result.clients:
        yield (
            f"Measurement error and fading fluctuation were estimated from the variogram of {result.clients} "
            f"clients' scores (learned on {result.learned_on}) [@harvey1989]."
        )
    else:
        yield f"Measurement error was taken from {result.source or 'values given'} [@harvey1989]."


def reliable_trend(result: Any) -> Iterator[str]:
    """Slope against measurement error."""
    yield (
        "Each client's least-squares slope over all occasions was divided by its standard error from "
        f"measurement error alone (standard error of measurement {result.sem:.4g} points) [@jacobson1991]."
    )


def first_reliable_change(result: Any) -> Iterator[str]:
    """Give testing at each session."""
    corrected = result.origin is not None and result.origin.option("correction") == "dunnett"
    against = "with Dunnett's correction for repeated testing [@dunnett1955]" if corrected else "at each session"
    yield (
        f"Change from the first score was tested {against}; the first of {result.consecutive} reliable changes "
        f"in a row counted (critical value {result.critical:.3f}) [@jacobson1991]."
    )


def client_slopes(result: Any) -> Iterator[str]:  # noqa: ARG001 - every description takes its result
    """Slopes from a growth model."""
    yield (
        "Each client's slope is the fixed slope with the conditional mean of the random slope; its standard error "
        "includes the uncertainty of both [@laird1982]."
    )


def latent_scores(result: Any) -> Iterator[str]:
    """Trait estimates."""
    yield f"Trait levels were estimated ({result.estimator}) under a graded response model [@samejima1969]."


def proportion(result: Any) -> Iterator[str]:  # noqa: ARG001
    """Wilson's interval."""
    yield "Intervals of proportions are Wilson's [@wilson1927]."


def outcome_rates(result: Any) -> Iterator[str]:  # noqa: ARG001
    """Rates with Wilson intervals."""
    yield (
        "Rates of each category are among those who could be judged, with Wilson intervals [@wilson1927]; those "
        "who could not be judged are counted separately."
    )


def group_outcomes(result: Any) -> Iterator[str]:
    """Clinical significance by group."""
    yield (
        f"Clinical significance was judged group by group, with {result.parameters} parameters "
        "[@jacobson1991; @wilson1927]."
    )


def method_comparison(result: Any) -> Iterator[str]:
    """All methods on the same pairs."""
    names = ", ".join(result.changes)
    yield f"The same pairs of scores were judged by several methods: {names} [@jacobson1991; @claus2024]."


def group_change(result: Any) -> Iterator[str]:
    """Mean against a meaningful change."""
    yield (
        f"The group's mean change was compared with the least change that matters ({result.meaningful:g} points) "
        f"by its interval ({result.estimation}) [@claus2024]."
    )


def hageman_arrindell_rates(result: Any) -> Iterator[str]:  # noqa: ARG001
    """Rates from the distribution of true scores."""
    yield (
        "The shares of clients who changed and who ended in the functional range are those of the estimated "
        "distribution of true scores [@hageman1999]."
    )


def two_occasions(result: Any) -> Iterator[str]:
    """Two occasions of each client."""
    yield f"Two occasions of each client were compared: {result.n} clients, {result.n_complete} with both scores."


def effect_size(result: Any) -> Iterator[str]:
    """Which standardiser and interval."""
    yield (
        f"The standardised mean change {result.kind} was computed from {result.n} complete pairs, with Hedges' "
        "correction for small samples [@hedges1981; @morris2002; @lakens2013]."
    )
    if result.reason is None:
        by = " [@algina2003]" if "noncentral" in result.method else ""
        by = " [@bonett2008]" if result.interval == "approximate" and result.kind == "d_av" else by
        yield f"Its interval: {result.method}{by}."


def controlled_effect(result: Any) -> Iterator[str]:
    """Pretest-posttest-control design."""
    yield (
        f"The difference of two groups' standardised changes ({result.kind}) was computed from {result.n_treated} "
        f"treated and {result.n_control} control clients, with a large-sample normal interval [@morris2008]."
    )


DESCRIPTIONS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "ReliableChange": reliable_change,
    "ClinicalSignificance": clinical_significance,
    "Cutoff": cutoff,
    "MeaningfulChange": meaningful_change,
    "TrueChange": true_change,
    "TrueChangeCourse": true_change_course,
    "ScoreVariation": score_variation,
    "ReliableTrend": reliable_trend,
    "FirstReliableChange": first_reliable_change,
    "ClientSlopes": client_slopes,
    "LatentScores": latent_scores,
    "Proportion": proportion,
    "OutcomeRates": outcome_rates,
    "GroupOutcomes": group_outcomes,
    "MethodComparison": method_comparison,
    "GroupChange": group_change,
    "HagemanArrindellRates": hageman_arrindell_rates,
    "Pairs": two_occasions,
    "EffectSize": effect_size,
    "ControlledEffect": controlled_effect,
}
