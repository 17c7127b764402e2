"""How much do scores vary without change: by measurement error, and by fluctuation that fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.errors import ModelError
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.occasions.level_filter import Settings
from mbc.models.results.result import Result

# Standard deviation that the level gains between two scores, in standard deviations of one score about the level.
# The three are averaged over, equally weighted before any score. They are chosen so that somebody whose level
# never changes is called clearly better at some of 24 sessions with a probability of about 5 %
# (docs/validation.md).
WANDER = (0.125, 0.25, 0.5)
# Where nothing is known of fluctuation: its variance in parts of the error variance, and when it has faded to 1/e,
# in usual gaps between scores. Alpha and omega leave fluctuation out; a retest reliability holds it.
UNKNOWN_FLUCTUATION = (0.0, 0.25, 0.75)
UNKNOWN_SHARE = (0.0, 0.3, 0.6)
UNKNOWN_FADING = 3.0
_RETEST = {"retest", "test-retest", "stability", "icc"}


@dataclass(frozen=True, slots=True)
class ScoreVariation(Result):
    """How the scores of one questionnaire vary about a client's level, in score points.

    Several fluctuations represent the uncertainty: they are averaged, weighted by their likelihood.
    """

    error: tuple[float, ...]  # standard deviation of measurement error, one per fluctuation
    fluctuation: tuple[float, ...]  # standard deviation
    fading_time: tuple[float, ...]  # time after which a fluctuation has faded to 1/e, in the unit of time
    gap: float  # usual time between two scores, in the unit of time
    start_mean: float | None = None  # true level of clients at the start; None: nothing is assumed
    start_sd: float | None = None
    expected_change: float | None = None  # of the level, in the end: amount (1 - exp(-t / time)) after t
    expected_time: float | None = None
    clients: int = 0  # learned from; 0: from norms
    learned_on: str = ""  # date, ISO 8601
    source: str = ""

    def __post_init__(self) -> None:
        lengths = {len(self.error), len(self.fluctuation), len(self.fading_time)}
        if len(lengths) != 1 or 0 in lengths:
            raise ModelError("error, fluctuation and fading_time must have the same length, at least 1.")
        _require_positive("gap", self.gap)
        _require_positive("error", *self.error)
        _require_positive("fading_time", *self.fading_time)
        if not all(0 <= value < np.inf for value in self.fluctuation):
            raise ModelError(f"fluctuation must be finite and at least 0, got {self.fluctuation}.")
        if (self.start_mean is None) != (self.start_sd is None):
            raise ModelError("start_mean and start_sd must be given together, or neither.")
        if self.start_sd is not None:
            _require_positive("start_sd", self.start_sd)
        if (self.expected_change is None) != (self.expected_time is None):
            raise ModelError("expected_change and expected_time must be given together, or neither.")
        if self.expected_time is not None:
            _require_positive("expected_time", self.expected_time)

    @classmethod
    def of(
        cls,
        error: float,
        *,
        gap: float,
        fluctuation: float = 0.0,
        fading_time: float | None = None,
        start: tuple[float, float] | None = None,
        source: str = "as given",
    ) -> ScoreVariation:
        """State the variation by hand.

        Parameters
        ----------
        error, fluctuation : float
            Standard deviations in score points.
        gap, fading_time : float
            In the unit of time; the fading time is three gaps unless given.
        start : tuple of float, optional
            Mean and standard deviation of clients' true level at the start.

        Examples
        --------
        >>> ScoreVariation.of(2.05, gap=1, fluctuation=0.84).fading_time
        (3.0,)
        """
        mean, sd = (None, None) if start is None else start
        fading = UNKNOWN_FADING * gap if fading_time is None else fading_time
        return cls((float(error),), (float(fluctuation),), (float(fading),), float(gap), mean, sd, source=source)

    @classmethod
    def from_norms(cls, norms: Norms, *, gap: float) -> ScoreVariation:
        """Take measurement error from norms, and average over how much of it, or beside it, fluctuates.

        Parameters
        ----------
        norms : Norms
            With spread and reliability. Of a retest (``kind="retest"``) the error holds fluctuation already; of
            alpha or omega, or where nothing is said, it comes on top.
        gap : float
            Usual time between two scores.
        """
        sem = norms.sem
        if sem is None or not sem > 0:
            raise ModelError(
                "The measurement error is not known: give sd= and reliability= (below 1), norms= with both, or "
                "variation= learned from clients by score_variation()."
            )
        if (norms.kind or "").casefold() in _RETEST:
            shares = np.array(UNKNOWN_SHARE)
            errors, fluctuations = sem * np.sqrt(1.0 - shares), sem * np.sqrt(shares)
        else:
            errors, fluctuations = np.full(3, sem), sem * np.sqrt(UNKNOWN_FLUCTUATION)
        return cls(
            tuple(errors.tolist()),
            tuple(fluctuations.tolist()),
            (UNKNOWN_FADING * gap,) * len(errors),
            gap,
            source=norms.source or norms.sample or "norms given",
        )

    @property
    def sd(self) -> float:
        """Standard deviation of one score about the level: error and fluctuation, averaged over those held."""
        return float(np.sqrt(np.mean(np.square(self.error) + np.square(self.fluctuation))))

    @property
    def settings(self) -> Settings:
        """Every fluctuation with every wander of the level."""
        wander = (np.array(WANDER) * self.sd) ** 2 / self.gap
        number = len(self.error)
        return Settings(
            wander=np.tile(wander, number),
            fluctuation=np.repeat(np.square(self.fluctuation), len(WANDER)),
            fading_time=np.repeat(self.fading_time, len(WANDER)),
            weight=np.full(number * len(WANDER), 1.0 / (number * len(WANDER))),
            error=np.repeat(np.square(self.error), len(WANDER)),
        )


def _require_positive(name: str, *values: float) -> None:
    for value in values:
        if not 0 < value < np.inf:
            raise ModelError(f"{name} must be finite and above 0, got {value:g}.")
