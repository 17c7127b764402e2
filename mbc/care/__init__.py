"""Where scores, norms, models and the record meet: one client, a caseload, the clinic, the cohort."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mbc.care.client.review import client_review
    from mbc.care.client.trajectory import client_trajectory
    from mbc.care.clinic.caseload import caseload
    from mbc.care.clinic.outcomes import clinic_outcomes
    from mbc.care.cohort.deidentified import deidentified_cohort
    from mbc.care.forecast.clinic_models import CohortModel, CohortModels
    from mbc.care.safety import client_safety, safety_list
    from mbc.care.scoring.scores import scored
    from mbc.care.values.course import Trajectory
    from mbc.care.values.review import Caseload, ClientReview

__all__ = [
    "Caseload",
    "ClientReview",
    "CohortModel",
    "CohortModels",
    "Trajectory",
    "caseload",
    "client_review",
    "client_safety",
    "client_trajectory",
    "clinic_outcomes",
    "deidentified_cohort",
    "safety_list",
    "scored",
]

_HOME = {
    "Caseload": "values.review",
    "ClientReview": "values.review",
    "CohortModel": "forecast.clinic_models",
    "CohortModels": "forecast.clinic_models",
    "Trajectory": "values.course",
    "caseload": "clinic.caseload",
    "client_review": "client.review",
    "client_safety": "safety",
    "client_trajectory": "client.trajectory",
    "clinic_outcomes": "clinic.outcomes",
    "deidentified_cohort": "cohort.deidentified",
    "safety_list": "safety",
    "scored": "scoring.scores",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mbc.care' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mbc.care.{_HOME[name]}"), name)
    globals()[name] = value
    return value
