"""Where scores, norms, models and the record meet: one client, a caseload, the clinic, the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.care.client.review import client_review as client_review
    from mbc.care.client.trajectory import client_trajectory as client_trajectory
    from mbc.care.clinic.caseload import caseload as caseload
    from mbc.care.clinic.clinician_outcomes import clinic_expectation as clinic_expectation
    from mbc.care.clinic.clinician_outcomes import compare_clinicians as compare_clinicians
    from mbc.care.clinic.clinician_outcomes import own_outcomes as own_outcomes
    from mbc.care.clinic.outcomes import clinic_report as clinic_report
    from mbc.care.clinic.releases import make_release as make_release
    from mbc.care.cohort.analysis_tables import first_and_last as first_and_last
    from mbc.care.cohort.analysis_tables import keyed_answers as keyed_answers
    from mbc.care.cohort.analysis_tables import scores_over_time as scores_over_time
    from mbc.care.cohort.analysis_tables import simulated_cohort as simulated_cohort
    from mbc.care.cohort.deidentified import deidentified_cohort as deidentified_cohort
    from mbc.care.cohort.twin.synthetic_twin import synthetic_twin as synthetic_twin
    from mbc.care.forecast.clinic_models import CohortModels as CohortModels
    from mbc.care.forecast.learned_model import CohortModel as CohortModel
    from mbc.care.safety import client_safety as client_safety
    from mbc.care.safety import safety_list as safety_list
    from mbc.care.scoring.scores import scores as scores
    from mbc.care.values.course import Trajectory as Trajectory
    from mbc.care.values.review import Caseload as Caseload
    from mbc.care.values.review import ClientReview as ClientReview

__getattr__, __dir__, _names = public_names(
    __name__,
    {
        "client.review": ("client_review",),
        "client.trajectory": ("client_trajectory",),
        "clinic.caseload": ("caseload",),
        "clinic.clinician_outcomes": ("clinic_expectation", "compare_clinicians", "own_outcomes"),
        "clinic.outcomes": ("clinic_report",),
        "clinic.releases": ("make_release",),
        "cohort.analysis_tables": ("first_and_last", "keyed_answers", "scores_over_time", "simulated_cohort"),
        "cohort.deidentified": ("deidentified_cohort",),
        "cohort.twin.synthetic_twin": ("synthetic_twin",),
        "forecast.clinic_models": ("CohortModels",),
        "forecast.learned_model": ("CohortModel",),
        "safety": ("client_safety", "safety_list"),
        "scoring.scores": ("scores",),
        "values.course": ("Trajectory",),
        "values.review": ("Caseload", "ClientReview"),
    },
)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
