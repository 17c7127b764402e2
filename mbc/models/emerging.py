"""Methods without a settled form: checks to argue with. No promise of stability; names here may change or go.

Import them by their full path: ``from mbc.models.emerging import joint_growth``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import chi_square_above, two_sided
from mbc.models.dropout.endings import PLANNED, read_endings
from mbc.models.dropout.joint.data import InPoints, fit_joint, in_points, joint_rows, mean_rows
from mbc.models.dropout.joint.likelihood import Association, JointLikelihood
from mbc.models.dropout.joint.risk_sets import RiskSets, leaving
from mbc.models.growth.data.shapes import Shape, ShapeName
from mbc.models.growth.growth_curve import GrowthCurve, growth_curve
from mbc.models.growth.inference.fitted_model import PredictsRows
from mbc.models.growth.inference.model_parts import Effects, ModelParts, parts_of_rows
from mbc.models.growth.inference.prediction import as_times
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.row_columns import RowColumns

FEWEST_CLIENTS = 50
FEWEST_DROPOUTS = 15
FEWEST_STAYS = 15
_NODES_TO_CHECK = 6  # more than used, for the check of the quadrature


@dataclass(frozen=True, slots=True)
class AssociationEstimate:
    """How the risk of dropping out goes with the course: log-odds per point."""

    name: str
    estimate: float
    standard_error: float
    lower: float
    upper: float

    @property
    def odds_ratio(self) -> float:
        """Factor on the odds of dropping out after a session, per point."""
        return _factor(self.estimate)


@dataclass(frozen=True, slots=True)
class JointGrowth(PredictsRows):
    """A growth model with dropout that depends on the client's own unseen course: a sensitivity analysis.

    It never corrects a result: that leaving depends on the course in just this form is an assumption which no data
    can check beyond the model itself.
    """

    association: tuple[AssociationEstimate, ...]
    link: Association
    mar: GrowthCurve = field(repr=False)  # the same growth model, leaving explained by the scores seen before
    coefficients: Floats = field(repr=False)  # joint model, names of ``mar.coefficients``
    covariance: Floats = field(repr=False)
    random_covariance: Floats = field(repr=False)
    residual_variance: float
    hazards: pl.DataFrame = field(repr=False)  # from, sessions, dropouts, share
    log_likelihood: float
    separate_log_likelihood: float  # scores and dropout each by themselves: gamma = 0
    confidence: float
    n_clients: int
    n_left: int
    n_planned: int
    nodes: int
    quadrature_error: float  # change of the log-likelihood with more nodes
    sentence: str
    _parts_of_fit: ModelParts = field(repr=False, compare=False)
    method: str = "shared-parameter joint model, discrete-time logistic risk of leaving; a sensitivity analysis"
    source: str = "Wu & Carroll (1988), Biometrics 44, 175-188; Rizopoulos (2012), Joint Models"

    def _parts(self) -> ModelParts:
        return self._parts_of_fit

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self._parts_of_fit.design.x_names, self.coefficients, self.covariance

    @property
    def p_value(self) -> float:
        """Likelihood-ratio test of gamma = 0, within this model."""
        gain = 2 * max(self.log_likelihood - self.separate_log_likelihood, 0.0)
        return chi_square_above(len(self.association), gain)

    def course(self, times: ArrayLike) -> pl.DataFrame:
        """Mean course under missing at random beside that of the joint model, at average covariates.

        Returns
        -------
        polars.DataFrame
            time; mar, mar_lower, mar_upper; joint, joint_lower, joint_upper; difference (joint - mar).
        """
        at = as_times(times)
        plain = self.mar.predict_mean(at, level=self.confidence)
        x = mean_rows(self.mar, at)
        joint = x @ self.coefficients
        half = two_sided(self.confidence) * np.sqrt(np.einsum("ti,ij,tj->t", x, self.covariance, x))
        return pl.DataFrame(
            {
                "time": at,
                "mar": plain.mean,
                "mar_lower": plain.lower,
                "mar_upper": plain.upper,
                "joint": joint,
                "joint_lower": joint - half,
                "joint_upper": joint + half,
                "difference": joint - plain.mean,
            }
        )

    def _columns(self) -> dict[str, Any]:
        """Make a table of the associations: name, estimate, standard_error, lower, upper, odds_ratio."""
        names = ("name", "estimate", "standard_error", "lower", "upper", "odds_ratio")
        return {name: [getattr(estimate, name) for estimate in self.association] for name in names}


@checked
def joint_growth(  # noqa: PLR0913 - options are keyword-only
    frame: object,
    *,
    outcome: str,
    time: str,
    client: str,
    ended: str | None = None,
    planned: Sequence[object] = PLANNED,
    until: float | None = None,
    link: Association = "value",
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    bands: int = 4,
    nodes: int = 9,
    confidence: float = 0.95,
) -> JointGrowth:
    """Check a growth curve against dropout that depends on where the client really was.

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, random
        As in `mbc.models.growth_curve`; at most two random effects.
    ended, planned
        Column that says how therapy ended (blank while it goes on), and its values that mean a planned ending;
        every other value is a dropout.
    until : float, optional
        Time from which nobody can drop out any more. Without ``ended``: the last time in the table unless given,
        and whoever has no score from then on dropped out.
    link : {"value", "effects"}
        The risk of dropping out after a session depends on the client's true score there, or on the client's
        random effects.
    bands : int
        Stretches of time with a risk of their own, where there are more than eight occasions.
    nodes : int
        Of the quadrature, per random effect.
    confidence : float

    Returns
    -------
    JointGrowth

    Raises
    ------
    ModelError
        If there are fewer than 50 clients, 15 dropouts or 15 sessions that were followed by another, or the data
        do not determine the model.

    Notes
    -----
    ``y = x'beta + z'b + e`` and ``logit P(no session follows) = alpha[band] + gamma (x'beta + z'b)``; b is
    integrated out by adaptive Gauss-Hermite quadrature. With gamma = 0 both parts are the separate fits. Intervals
    are Wald's, from the observed information.

    References
    ----------
    .. [1] Wu & Carroll (1988), Biometrics 44, 175-188: dropout through shared random effects.
    .. [2] Rizopoulos (2012), Joint Models for Longitudinal and Time-to-Event Data: current-value association.
    .. [3] Molenberghs, Beunckens, Sotto & Kenward (2008), doi:10.1111/j.1467-9868.2007.00640.x: every such model
       has a counterpart under missing at random with the same fit to the data.
    """
    _check(link, random, bands, nodes)
    options = {"outcome": outcome, "time": time, "client": client, "covariates": covariates, "random": random}
    mar = growth_curve(frame, **options, shape=shape, reml=False)  # pyright: ignore[reportArgumentType]
    columns = RowColumns.of(frame, **options, shape=mar.shape)  # pyright: ignore[reportArgumentType]
    people = read_endings(frame, client=client, time=time, outcome=outcome, ended=ended, planned=planned)
    place = people.places_in(columns.rows.ids)
    fitted = place >= 0
    dropped = np.zeros(columns.rows.clients, dtype=bool)
    dropped[place[fitted]] = (~people.planned & ~people.going_on)[fitted]
    end = until if until is not None else math.inf if ended is not None else float(columns.rows.time.max())
    risk = leaving(columns.rows.codes, columns.rows.time, dropped, until=end, bands=bands)
    _require_enough(columns.rows.clients, risk)
    rows = joint_rows(columns, risk, link, nodes)
    fit = fit_joint(rows)
    finer = JointLikelihood(rows.likelihood.parts, link, nodes + _NODES_TO_CHECK).value(fit.at)
    estimates = in_points(rows, fit, link)
    association = _association(estimates, link, columns.design.z_names, outcome, confidence)
    made = JointGrowth(
        association=association,
        link=link,
        mar=mar,
        coefficients=estimates.coefficients,
        covariance=estimates.covariance,
        random_covariance=estimates.random_covariance,
        residual_variance=estimates.residual_variance,
        hazards=_hazards(risk),
        log_likelihood=rows.in_points(fit.log_likelihood),
        separate_log_likelihood=rows.in_points(rows.separate_log_likelihood),
        confidence=confidence,
        n_clients=columns.rows.clients,
        n_left=risk.n_left,
        n_planned=int(people.planned[fitted].sum()),
        nodes=nodes,
        quadrature_error=abs(finer - fit.log_likelihood),
        sentence="",
        _parts_of_fit=_parts(columns, fit.at.beta, estimates, (outcome, time, client), frame),
    )
    last = min(end, float(columns.rows.time.max()))
    return replace(made, sentence=_sentence(made, time, last))


def _parts(
    columns: RowColumns, beta: Floats, estimates: InPoints, names: tuple[str, str, str], table: object
) -> ModelParts:
    """Take what predicts rows: the joint model's coefficients, and each client's most likely effects."""
    outcome, time, client = names
    coefficients = beta.copy()
    coefficients[0] += columns.sums.outcome_centre / columns.sums.outcome_spread
    effects = Effects(client, columns.rows.ids.tolist(), estimates.client_effects, estimates.random_covariance)
    return parts_of_rows(
        columns.rows,
        columns.sums,
        columns.terms,
        columns.design,
        (effects,),
        names=(outcome, time),
        coefficients=coefficients,
        residual_variance=estimates.residual_variance,
        table=table,
    )


def _check(link: str, random: Sequence[str], bands: int, nodes: int) -> None:
    if link not in {"value", "effects"}:
        raise ModelError(f"link must be 'value' or 'effects', got {link!r}.")
    if len([random] if isinstance(random, str) else list(random)) > 2 or "slopes" in random:
        raise ModelError(f"a joint model takes at most two random effects, got random={random!r}.")
    if bands < 1 or not 1 <= nodes <= 40:
        raise ModelError(f"bands must be at least 1 and nodes 1 to 40, got {bands} and {nodes}.")


def _require_enough(clients: int, risk: RiskSets) -> None:
    stayed = risk.rows.size - risk.n_left
    if clients < FEWEST_CLIENTS or risk.n_left < FEWEST_DROPOUTS or stayed < FEWEST_STAYS:
        raise ModelError(
            f"too few data for a joint model: {clients} clients, {risk.n_left} dropouts and {stayed} sessions "
            f"followed by another; it needs at least {FEWEST_CLIENTS}, {FEWEST_DROPOUTS} and {FEWEST_STAYS}. "
            "With fewer, models.dropout_sensitivity still shows what would reverse a result."
        )


def _association(
    estimates: InPoints, link: Association, effects: Sequence[str], outcome: str, confidence: float
) -> tuple[AssociationEstimate, ...]:
    names = [f"{outcome} (true score at the session)"] if link == "value" else list(effects)
    z = two_sided(confidence)
    return tuple(
        AssociationEstimate(name, value, error, value - z * error, value + z * error)
        for name, value, error in zip(
            names, estimates.gamma.tolist(), estimates.gamma_errors.tolist(), strict=True
        )
    )


def _hazards(risk: RiskSets) -> pl.DataFrame:
    left, sessions = risk.counts
    return pl.DataFrame(
        {
            "from": list(risk.starts),
            "sessions": sessions.astype(np.int64),
            "dropouts": left.astype(np.int64),
            "share": left / sessions,
        }
    )


def _sentence(made: JointGrowth, time: str, at: float) -> str:
    """Say what the check found, and what it is not."""
    row = made.course([at]).row(0, named=True)
    half = (row["mar_upper"] - row["mar_lower"]) / 2
    size = "more" if abs(row["difference"]) > half else "less"
    return (
        f"A sensitivity analysis, never a correction: {made.n_left} of {made.n_clients} clients dropped out. "
        f"{_describe_association(made)} The mean score at {time} {at:g} is then {row['joint']:.1f} points "
        f"instead of {row['mar']:.1f}: a difference of {row['difference']:+.1f}, {size} than the uncertainty of "
        f"that mean ({half:.1f}). Another form of the link would fit these scores equally well and give another "
        "result."
    )


def _describe_association(made: JointGrowth) -> str:
    percent = f"{100 * made.confidence:g} %"
    if made.link == "effects":
        each = [
            f"{estimate.name} {estimate.estimate:.2f} ({estimate.lower:.2f} to {estimate.upper:.2f})"
            for estimate in made.association
        ]
        return (
            "If the risk of dropping out follows how the client deviates from the mean course, its log-odds "
            f"change per unit by: {'; '.join(each)} ({percent} intervals)."
        )
    estimate = made.association[0]
    open_ = "" if estimate.lower > 0 or estimate.upper < 0 else ", so there may be no such link"
    return (
        "If the risk of dropping out after a session follows the client's true score there, its odds change by a "
        f"factor of {estimate.odds_ratio:.2f} per point ({percent} interval {_factor(estimate.lower):.2f} to "
        f"{_factor(estimate.upper):.2f}{open_})."
    )


def _factor(log_odds: float) -> float:
    """Exponentiate; infinite where scores are of so small a scale that a point means a lifetime."""
    return math.exp(log_odds) if log_odds < 700 else math.inf
