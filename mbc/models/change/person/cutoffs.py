"""Where the functional population begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol, Self, runtime_checkable

import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.reasons import Reason
from mbc.models.results.result import Explained

Criterion = Literal["a", "b", "c", "density"]
Side = Literal["<", "<=", ">", ">="]
Population = tuple[float, float]


@runtime_checkable
class HasMoments(Protocol):
    """Whatever states a mean and a spread; an instrument's norm does."""

    @property
    def mean(self) -> float | None: ...  # noqa: D102
    @property
    def sd(self) -> float | None: ...  # noqa: D102


class Cutoff(Explained, float):
    """A score that parts the clinical from the functional population: a number that knows where it is from.

    As a number it is NaN when there is none; then ``value`` is ``None`` and ``reason`` says why.
    """

    __slots__ = ("_origin", "clinical", "criterion", "functional", "higher_is_better", "reason")

    criterion: str
    higher_is_better: bool
    clinical: Population | None
    functional: Population | None
    reason: Reason | None

    def __new__(
        cls,
        value: float,
        *,
        criterion: str,
        higher_is_better: bool,
        clinical: Population | None = None,
        functional: Population | None = None,
        reason: Reason | None = None,
    ) -> Self:
        """Make the number and keep beside it what it was made from."""
        self = super().__new__(cls, value)
        self.criterion, self.higher_is_better, self.reason = criterion, higher_is_better, reason
        self.clinical, self.functional = clinical, functional
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[float], dict[str, object]]:
        """Say what a copy is made from."""
        names = ("criterion", "higher_is_better", "clinical", "functional", "reason")
        return (float(self),), {name: getattr(self, name) for name in names}

    def _columns(self) -> dict[str, Any]:
        """One row: the cutoff, its criterion, direction and populations."""
        (sick, sick_sd), (well, well_sd) = self.clinical or (None, None), self.functional or (None, None)
        numbers = {
            "clinical_mean": sick,
            "clinical_sd": sick_sd,
            "functional_mean": well,
            "functional_sd": well_sd,
        }
        return {
            "cutoff": pl.Series([self.value], dtype=pl.Float64),
            "criterion": [self.criterion],
            "higher_is_better": [self.higher_is_better],
            **{name: pl.Series([number], dtype=pl.Float64) for name, number in numbers.items()},
            "reason": pl.Series([self.reason], dtype=pl.String),
        }

    @property
    def value(self) -> float | None:
        """The cutoff in scale points, or ``None``."""
        return None if math.isnan(self) else float(self)

    @property
    def side(self) -> Side:
        """The comparison that means "clinical"; a score on the cutoff has not crossed it."""
        return "<=" if self.higher_is_better else ">="

    def __repr__(self) -> str:
        return f"Cutoff({self.value}, criterion={self.criterion!r}, reason={self.reason!r})"


@checked
def cutoff(
    criterion: Criterion,
    *,
    clinical: HasMoments | Sequence[float] | None = None,
    functional: HasMoments | Sequence[float] | None = None,
    higher_is_better: bool,
    width: float = 2.0,
    scale_range: tuple[float, float] | None = None,
    reliability: float | None = None,
    compat: Literal["clinicalsignificance"] | None = None,
) -> Cutoff:
    """Compute the score from which a person belongs to the functional population.

    Parameters
    ----------
    criterion : {"a", "b", "c", "density"}
        ``a``: beyond ``width`` SD of the clinical mean; ``b``: within ``width`` SD of the functional mean;
        ``c``: as many SDs from either mean; ``density``: where the two normal curves cross between the means.
    clinical, functional : (mean, sd)
        The two populations, in scale points. ``a`` needs the first, ``b`` the second, the others both.
    higher_is_better : bool
    width : float
        Standard deviations for ``a`` and ``b``.
    scale_range : (float, float), optional
        The scale's least and greatest score; a cutoff outside is none.
    reliability : float, optional
        Of the clinical sample. Given, the spreads are those of true scores (Hageman & Arrindell, 1999).
    compat : {"clinicalsignificance"}, optional
        ``b`` with the clinical sample's SD, as that R package has it.

    Returns
    -------
    Cutoff

    Raises
    ------
    ModelError
        If a population is missing, or the functional mean is not on the better side.

    References
    ----------
    .. [1] Jacobson & Truax (1991), doi:10.1037/0022-006X.59.1.12.

    Examples
    --------
    >>> float(cutoff("c", clinical=(40, 7.5), functional=(60, 7.5), higher_is_better=True))
    50.0
    >>> round(cutoff("density", clinical=(15.5, 5.5), functional=(3.3, 3.9), higher_is_better=False), 2)
    8.96
    """
    sick, well = _population(clinical, "clinical"), _population(functional, "functional")
    _check_given(criterion, sick, well, compat)
    direction = 1.0 if higher_is_better else -1.0
    if sick and well and not direction * (well[0] - sick[0]) > 0 and compat is None:
        raise ModelError(
            f"The functional mean {well[0]:g} is not {'above' if higher_is_better else 'below'} the clinical mean "
            f"{sick[0]:g}. Is higher_is_better={higher_is_better} right, or are the samples swapped?"
        )
    value, reason = _value(
        criterion, _true(sick, sick, reliability), _true(well, sick, reliability), direction * width, compat
    )
    if reason is None and scale_range is not None and not scale_range[0] <= value <= scale_range[1]:
        value, reason = math.nan, "outside_scale"
    return Cutoff(
        value,
        criterion=criterion,
        higher_is_better=higher_is_better,
        clinical=sick,
        functional=well,
        reason=reason,
    )


def _value(
    criterion: str, sick: Population | None, well: Population | None, reach: float, compat: str | None
) -> tuple[float, Reason | None]:
    if any(population is not None and math.isnan(population[1]) for population in (sick, well)):
        return math.nan, "error_exceeds_spread"
    if criterion == "a" and sick:
        return sick[0] + reach * sick[1], None
    if criterion == "b" and well:
        spread = sick[1] if compat and sick else well[1]
        return well[0] - reach * spread, None
    if not (sick and well) or sick[1] + well[1] == 0:
        return math.nan, "zero_variance"
    if criterion == "c":
        return (sick[1] * well[0] + well[1] * sick[0]) / (sick[1] + well[1]), None
    return _equal_density(sick, well)


def _equal_density(sick: Population, well: Population) -> tuple[float, Reason | None]:
    """Solve ``log n(x; m1, s1) = log n(x; m0, s0)`` for the root between the means."""
    (m1, s1), (m0, s0) = sick, well
    if s1 == 0 or s0 == 0:
        return math.nan, "zero_variance"
    if s1 == s0:
        return (m1 + m0) / 2.0, None
    square, linear = 1.0 / s1**2 - 1.0 / s0**2, -2.0 * (m1 / s1**2 - m0 / s0**2)
    constant = (m1 / s1) ** 2 - (m0 / s0) ** 2 + 2.0 * math.log(s1 / s0)
    root = math.sqrt(max(linear**2 - 4.0 * square * constant, 0.0))
    for sign in (1.0, -1.0):
        # The numerically stable pair of roots of a quadratic.
        x = (-linear + sign * root) / (2.0 * square)
        if min(m0, m1) <= x <= max(m0, m1):
            return x, None
    return math.nan, "not_estimable"


def _true(
    population: Population | None, clinical: Population | None, reliability: float | None
) -> Population | None:
    """Replace the spread by that of true scores; the error is the clinical sample's."""
    if population is None or reliability is None:
        return population
    if clinical is None:
        raise ModelError(
            "A true-score cutoff needs clinical=(mean, sd): the error is that of the clinical sample."
        )
    variance = population[1] ** 2 - clinical[1] ** 2 * (1.0 - reliability)
    return population[0], math.sqrt(variance) if variance >= 0 else math.nan


def _population(given: HasMoments | Sequence[float] | None, name: str) -> Population | None:
    if given is None:
        return None
    if isinstance(given, HasMoments):
        moments: Sequence[float | None] = (given.mean, given.sd)
    else:
        moments = tuple(given)
    if len(moments) != 2 or any(value is None or not math.isfinite(value) for value in moments):
        raise ModelError(f"{name} must be (mean, sd) in scale points, got {given!r}.")
    mean, sd = (float(value) for value in moments if value is not None)
    if sd < 0:
        raise ModelError(f"{name}: sd must be at least 0, got {sd:g}.")
    return mean, sd


def _check_given(criterion: str, sick: Population | None, well: Population | None, compat: str | None) -> None:
    needs = {"a": (True, False), "b": (bool(compat), True), "c": (True, True), "density": (True, True)}.get(
        criterion
    )
    if needs is None:
        raise ModelError(f"criterion must be 'a', 'b', 'c' or 'density', got {criterion!r}.")
    for needed, given, name in zip(needs, (sick, well), ("clinical", "functional"), strict=True):
        if needed and given is None:
            raise ModelError(f"Cutoff {criterion} needs {name}=(mean, sd).")
