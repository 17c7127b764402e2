"""Is a client's true level now better or worse than at the start? A verdict from all scores, not from two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    FloatArray,
    like_input,
    number_column,
    word_column,
    words_of,
)
from mbc.models.change.occasions.course_summaries import NUMBERS, Asked, Summaries, summarise
from mbc.models.change.occasions.level_filter import ExpectedChange, Prior
from mbc.models.change.occasions.sequences import LongScores, limits_of, padded, read_long, read_single
from mbc.models.change.occasions.variation import ScoreVariation
from mbc.models.results.result import Result

StartPrior = Literal["flat", "norms", "clients"]
CourseVerdict = Literal["clearly better", "no clear change", "clearly worse"]
VERDICTS: tuple[str | None, ...] = (
    "no clear change",
    "clearly better",
    None,
    "clearly worse",
)  # by code 0, 1, 2, -1
NO_VERDICT = 2
HORIZON = 24  # further sessions looked at
WIDE = 30.0  # standard deviations of one score: a level at the start of which nothing is assumed
Number = TypeVar("Number")
Word = TypeVar("Word")


@dataclass(frozen=True, slots=True, eq=False)
class TrueChangeCourse(Result, WithReasons, Generic[Number, Word]):
    """What all scores so far say of the true level now against the true level at the start.

    One client's result holds floats and words, a frame's holds arrays: one entry per client, or with
    ``each_session=True`` one per client and session. Missing numbers are ``None`` or NaN.
    """

    p_better: Number  # that the true level now is better than at the start, 0 to 1
    p_worse: Number
    p_meaningful: Number  # that it is better by at least ``meaningful``; missing where that was not given
    change: Number  # level now - level at the start, scale points
    change_lower: Number
    change_upper: Number
    level: Number  # the true level now, scale points
    level_lower: Number
    level_upper: Number
    start: Number  # the true level at the start
    sessions: Any  # scores known
    sessions_needed: Number  # further sessions until clear, about; 0 where clear, missing where over ``horizon``
    higher_is_better: bool
    confidence: float  # of the verdict and of the intervals
    meaningful: float | None
    horizon: int
    variation: ScoreVariation
    n: int
    n_missing: int  # without a verdict
    client_ids: pl.Series | None = field(repr=False, default=None)
    times: pl.Series | None = field(repr=False, default=None)
    codes: CodeArray = field(repr=False, default_factory=lambda: np.array(NO_VERDICT, dtype=np.int8))
    reason_codes: CodeArray = field(repr=False, default_factory=lambda: np.array(0, dtype=np.int8))
    method: str = "wandering level, fading fluctuation, measurement error"
    words: ClassVar[tuple[str | None, ...]] = VERDICTS

    @property
    def verdict(self) -> Word:
        """``clearly better``, ``clearly worse`` or ``no clear change``; ``None`` where it cannot be said."""
        return cast("Word", words_of(self.codes, VERDICTS))

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per client, or per client and session."""
        columns: dict[str, Any] = {} if self.client_ids is None else {"client": self.client_ids}
        if self.times is not None:
            columns["time"] = self.times
        columns["sessions"] = np.atleast_1d(self.sessions)
        columns["verdict"] = word_column(self.codes, VERDICTS)
        for name in (*NUMBERS, "sessions_needed"):
            columns[name] = number_column(_floats(getattr(self, name)))
        columns["reason"] = word_column(self.reason_codes, reasons.WORDS)
        return columns

    def sentence(self) -> str:
        """Say it in words: one client's verdict, or how many clients have which."""
        if self.codes.ndim == 0:
            return _sentence(cast("TrueChangeCourse[float | None, str | None]", self))
        counts = [f"{int((self.codes == VERDICTS.index(word)).sum())} {word}" for word in VERDICTS[:2]]
        counts.append(f"{int((self.codes == -1).sum())} clearly worse")
        unit = "clients" if self.times is None else "verdicts"
        lacking = f"; {self.n_missing} with too few scores" if self.n_missing else ""
        return f"Of {self.n} {unit}, {', '.join(counts)} (at {self.confidence:.0%}){lacking}."

    def _headline(self) -> str:
        return self.sentence()


@checked
def true_change_course(  # noqa: PLR0913 - options are keyword-only
    scores: object = None,
    times: object = None,
    *,
    data: object = None,
    client: str = "client",
    time: str = "time",
    score: str = "score",
    higher_is_better: bool,
    sd: float | None = None,
    reliability: float | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    variation: ScoreVariation | None = None,
    prior: StartPrior = "flat",
    gap: float | None = None,
    baselines: int | str = 1,
    score_range: tuple[float, float] | None = None,
    step: float | None = None,
    meaningful: float | None = None,
    confidence: float = 0.95,
    each_session: bool = False,
    intervals: bool = True,
    horizon: int = HORIZON,
) -> TrueChangeCourse[Any, Any]:
    """Say from all scores so far whether the true level now is better or worse than at the start.

    Parameters
    ----------
    scores, times : column of floats, shape (k,)
        One client's scores in scale points, and when they were taken (numbers in any unit; sessions 0, 1, ...
        unless given); or
    data, client, time, score
        a frame with one row per client and occasion, and its columns; time may be a number or a date (then all
        times are in days).
    higher_is_better : bool
    sd, reliability, norms
        The reference sample that measurement error is computed from; or
    variation : ScoreVariation
        measurement error and fluctuation, as learned from clients by `score_variation`.
    prior : {"flat", "norms", "clients"}
        What is taken to be known before any score: nothing, so that a client's own scores alone decide; that the
        level at the start is like those of the reference sample (``norms`` with a mean); or that it is like those
        of the clients whom ``variation`` was learned from, and is expected to change as theirs did on average. The
        last is right more often where clients are like those, and calls somebody better sooner where most were; of
        those who do not change it then calls more than 5 % better.
    gap : float, optional
        Usual time between two scores, in the unit of time; the median of those given unless stated. How fast the
        level may wander is counted by it.
    baselines : int or str
        So many first scores are of the start: the level may change only after the last of them. Or a column of
        ``data`` that is true for them.
    score_range : tuple of float, optional
        Lowest and highest possible score. A score at either end then says only "there or beyond".
    step : float, optional
        Least difference of two scores; 1 where all are whole numbers, else 0, unless given.
    meaningful : float, optional
        Scale points of improvement that matter; > 0.
    confidence : float
        A change is clear when its probability is at least this; also of the intervals.
    each_session : bool
        Judge after every session, from the scores up to it, instead of after the last.
    intervals : bool
        False leaves the ends of the intervals missing, which takes about a third of the time.
    horizon : int
        Most further sessions that are looked at for ``sessions_needed``.

    Returns
    -------
    TrueChangeCourse
        With ``to_frame()`` and ``summary()``. With one score only there is no verdict.

    Raises
    ------
    ModelError
        If the measurement error is not known, a column is missing, or scores are outside the scale.

    Notes
    -----
    A score is the level, plus a fluctuation that fades exponentially with time, plus measurement error; the level
    wanders as a random walk [1]_. A Kalman filter whose state also holds the level at the start gives the normal
    distribution of the change from all scores, with any gaps [2]_. How much the level wanders is not assumed:
    three values are averaged over, each weighted by the likelihood of the client's own scores; so is the
    fluctuation where it is not known. A score at an end of the scale is censored; after it the state is the
    normal distribution with the same mean and variance [3]_. ``p_better + p_worse`` is 1: that a level stays
    exactly where it was has no probability of its own.

    The wander values are chosen so that of clients who never change about 5 % are called clearly better at any of
    24 sessions, at a confidence of 0.95; see the validation page, also for what happens when scores do not follow
    this model.

    ``sessions_needed`` takes the level to stay where it is estimated to be. It is a planning figure.

    References
    ----------
    .. [1] Harvey (1989), Forecasting, structural time series models and the Kalman filter, section 2.3.
    .. [2] Diggle, Heagerty, Liang & Zeger (2002), Analysis of Longitudinal Data, 2nd ed., section 5.2: lasting
       level, serial correlation and measurement error together.
    .. [3] Maybeck (1982), Stochastic models, estimation, and control, vol. 2, section 12.7: assumed density
    filter.

    Examples
    --------
    >>> course = true_change_course([14, 13, 15, 17, 18, 21, 20, 22, 23], higher_is_better=True, sd=6.98,
    ...     reliability=0.914, meaningful=3, score_range=(0, 30))
    >>> course.verdict, round(course.p_better, 2), round(course.change, 1)
    ('clearly better', 0.97, 5.0)
    """
    _check(higher_is_better, confidence, meaningful, horizon, baselines)
    if (data is None) == (scores is None):
        raise ModelError("Give either scores (of one client) or data= (a frame), and not both.")
    if data is None:
        long = read_single(scores, times, baselines)
    else:
        long = read_long(data, client=client, time=time, score=score, baselines=baselines)
    used = _variation(long, variation, gap, (norms, sd, reliability))
    limits = limits_of(long, score_range, step)
    better = 1.0 if higher_is_better else -1.0
    asked = Asked(better, confidence, meaningful, horizon, used.gap, each_session, intervals)
    before = _prior(prior, used, stated_norms(norms, sd, reliability))
    sequences, order = padded(long)
    summaries = summarise(sequences, used.settings, limits, before, asked)
    return _result(summaries, long, order, used, asked)


def _variation(
    long: LongScores,
    variation: ScoreVariation | None,
    gap: float | None,
    reference: tuple[NormLike | Mapping[str, object] | None, float | None, float | None],
) -> ScoreVariation:
    if variation is not None:
        if any(value is not None for value in (*reference, gap)):
            raise ModelError(
                "variation= already includes measurement error and gap; leave out norms, sd, reliability and gap."
            )
        return variation
    return ScoreVariation.from_norms(stated_norms(*reference), gap=long.usual_gap if gap is None else float(gap))


def _prior(prior: StartPrior, used: ScoreVariation, reference: Norms) -> Prior:
    """Say what is taken to be known before any score."""
    if prior == "flat":
        return Prior(None, WIDE * used.sd)
    if prior == "clients":
        if used.start_mean is None or used.start_sd is None:
            raise ModelError(
                "prior='clients' needs variation= with a start level, as estimated by score_variation()."
            )
        change = None
        if used.expected_change is not None and used.expected_time is not None:
            change = ExpectedChange(used.expected_change, used.expected_time)
        return Prior(used.start_mean, used.start_sd, change)
    if prior != "norms":
        raise ModelError(f"prior must be 'flat', 'norms' or 'clients', got {prior!r}.")
    if reference.mean is None or reference.sd is None or not reference.reliability:
        raise ModelError("prior='norms' needs norms= with mean, sd and reliability.")
    return Prior(reference.mean, reference.sd * math.sqrt(reference.reliability))


def _result(
    summaries: Summaries, long: LongScores, order: NDArray[np.intp], used: ScoreVariation, asked: Asked
) -> TrueChangeCourse[Any, Any]:
    """Bring summaries into the order of the clients, with verdicts."""
    back = np.empty(order.size, dtype=np.intp)
    back[order] = np.arange(order.size)
    numbers, needed = summaries.numbers[:, back], summaries.needed[back]
    session = long.count.copy()
    ids, times = long.clients, None
    if asked.each_session:
        own: NDArray[np.bool_] = np.arange(int(numbers.shape[2]))[None, :] < long.count[:, None]
        numbers = numbers[:, own]
        codes_of_rows = np.repeat(np.arange(long.count.size), long.count)
        session = np.arange(codes_of_rows.size) - long.first[codes_of_rows] + 1
        needed = np.full(session.size, np.nan)
        ids, times = None if ids is None else ids.gather(codes_of_rows), long.original_time
        few = session <= long.baselines[codes_of_rows]
    else:
        few = long.count <= long.baselines
    numbers[:6, few] = np.nan
    needed[few] = np.nan
    why = np.where(few, reasons.CODE["too_few_scores"], 0).astype(np.int8)
    better, worse = numbers[0] >= asked.confidence, numbers[1] >= asked.confidence
    codes = np.where(few, NO_VERDICT, better.astype(np.int8) - worse.astype(np.int8)).astype(np.int8)
    shape = () if long.clients is None and not asked.each_session else codes.shape
    values_by_name = {
        name: like_input(values.reshape(shape), shape) for name, values in zip(NUMBERS, numbers, strict=True)
    }
    return TrueChangeCourse(
        **values_by_name,
        sessions=session if shape else int(session[0]),
        sessions_needed=like_input(needed.reshape(shape), shape),
        higher_is_better=asked.better > 0,
        confidence=asked.confidence,
        meaningful=asked.meaningful,
        horizon=asked.horizon,
        variation=used,
        n=codes.size,
        n_missing=int(few.sum()),
        client_ids=ids,
        times=times,
        codes=codes.reshape(shape),
        reason_codes=why.reshape(shape),
    )


def _sentence(course: TrueChangeCourse[float | None, str | None]) -> str:
    """Say one client's verdict."""
    verdict, change = course.verdict, course.change
    if verdict is None or change is None or course.p_better is None or course.p_worse is None:
        scores = f"{course.sessions} score{'s' if course.sessions != 1 else ''}"
        return f"No verdict from {scores}: only the start is known."
    interval = f"{change:+.1f} points ({course.change_lower:+.1f} to {course.change_upper:+.1f})"
    sure = max(course.p_better, course.p_worse)
    word = "better" if course.p_better >= course.p_worse else "worse"
    text = f"{verdict.capitalize()} from {course.sessions} scores: {interval}; "
    text += f"{word} with a probability of {sure:.1%}"
    if verdict != "no clear change":
        return f"{text}."
    if course.sessions_needed is None:
        return f"{text}. At this level, even {course.horizon} more sessions would hardly be enough to tell."
    number = int(course.sessions_needed)
    return f"{text}. Needs about {number} more session{'s' if number != 1 else ''} to tell."


def _check(
    higher_is_better: object, confidence: float, meaningful: float | None, horizon: int, baselines: int | str
) -> None:
    if not isinstance(higher_is_better, bool):
        raise ModelError(f"higher_is_better must be True or False, got {higher_is_better!r}.")
    if not 0.5 < confidence < 1.0:
        raise ModelError(f"confidence must be in (0.5, 1), got {confidence:g}. Is it a percentage?")
    if meaningful is not None and not 0 < meaningful < np.inf:
        raise ModelError(f"meaningful must be above 0 scale points, got {meaningful:g}.")
    if isinstance(horizon, bool) or not 0 <= horizon <= 1000:
        raise ModelError(f"horizon must be 0 to 1000 sessions, got {horizon}.")
    if not isinstance(baselines, str) and (isinstance(baselines, bool) or baselines < 1):
        raise ModelError(f"baselines must be at least 1, or the name of a column, got {baselines}.")


def _floats(values: object) -> FloatArray:
    return np.asarray(np.nan if values is None else values, dtype=float)
