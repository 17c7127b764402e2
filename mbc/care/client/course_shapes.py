"""How uneven a client's courses are: setbacks, time to regain, plateaus; beside those of the clinic's clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mbc.care.client.trajectory import Cohort
from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.forecast.clinic_models import CohortModels
from mbc.care.forecast.clinic_shape import LEAST_CLIENTS, LEAST_SCORES, ClinicShape
from mbc.care.values.course import Trajectory
from mbc.care.words import count, number, span
from mbc.instruments import instrument as load

_DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class CourseShape:
    """One scale of a client: how its present course ran, and how those of the clinic's clients did."""

    title: str
    scores: int
    setbacks: int  # larger than measurement error
    open_setback: bool  # whether the last one is not yet regained
    days_to_regain: float | None  # median, of those that were regained
    plateau_days: int | None
    clinic: ClinicShape | None

    @property
    def setback_words(self) -> str:
        """How many setbacks, in how many scores."""
        own = f"{self.setbacks} in {count(self.scores, 'score')}"
        clinic = self.clinic
        return (
            own if clinic is None else f"{own}; clinic {number(clinic.setbacks, 1)} in {number(clinic.scores, 1)}"
        )

    @property
    def regain_words(self) -> str:
        """How long it took to regain what was lost."""
        days = self.days_to_regain
        parts = [] if days is None else [span(round(days))]
        parts += ["the last one not yet" if parts else "not yet"] if self.open_setback else []
        return _with_clinic(", ".join(parts), None if self.clinic is None else self.clinic.days_to_regain)

    @property
    def plateau_words(self) -> str:
        """How long the longest stretch within measurement error was."""
        own = "" if self.plateau_days is None else span(self.plateau_days)
        return _with_clinic(own, None if self.clinic is None else self.clinic.plateau_days)


def _with_clinic(own: str, clinic_days: float | None) -> str:
    own = own or _DASH
    return own if clinic_days is None else f"{own}; clinic {span(round(clinic_days))}"


def course_shapes(trajectories: Sequence[Trajectory], cohort: Cohort | None = None) -> tuple[CourseShape, ...]:
    """Sum up the present course on each scale with scores enough and a known measurement error.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        Of :func:`mbc.care.client_review`; the alliance is left out.
    cohort : CohortModel or CohortModels, optional
        For the clinic's own figures.
    """
    return tuple(
        shape for course in trajectories if course.construct != ALLIANCE and (shape := _shape(course, cohort))
    )


def _shape(course: Trajectory, cohort: Cohort | None) -> CourseShape | None:
    live = course.current
    scores = 0 if live is None else sum(occasion.score is not None for occasion in live.occasions)
    if live is None or live.noise is None or scores < LEAST_SCORES:
        return None
    definition = load(course.instrument)
    clinic = cohort.shape(definition, definition.scale(course.scale)) if isinstance(cohort, CohortModels) else None
    shape, days = live.shape, live.shape.days_to_regain
    return CourseShape(
        title=course.title,
        scores=scores,
        setbacks=len(shape.setbacks),
        open_setback=any(setback.regained_on is None for setback in shape.setbacks),
        days_to_regain=median(days) if days else None,
        plateau_days=None if shape.plateau is None else (shape.plateau[1] - shape.plateau[0]).days,
        clinic=clinic,
    )


def clinic_note(shapes: Sequence[CourseShape]) -> str:
    """Say whose figures the clinic's are, and which are left out."""
    clients = sorted({shape.clinic.n_clients for shape in shapes if shape.clinic is not None})
    least = f"at least {LEAST_SCORES} scores"
    if not clients:
        return f"Figures for this clinic need {LEAST_CLIENTS} clients with {least}, and are computed once a week."
    many = f"{clients[0]}" if len(clients) == 1 else f"{clients[0]} to {clients[-1]}"
    return (
        f"Clinic: medians of {many} clients with {least}, computed once a week; figures based on fewer than "
        f"{LEAST_CLIENTS} are left out."
    )
