"""Where scores, norms, models and the record meet: one client, a caseload, the clinic, the cohort."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mbc.care.caseloads import caseload
    from mbc.care.cohort import deidentified_cohort
    from mbc.care.course import Trajectory
    from mbc.care.expected import CohortModel, CohortModels
    from mbc.care.outcomes import clinic_outcomes
    from mbc.care.review import client_review
    from mbc.care.reviewing import Caseload, ClientReview
    from mbc.care.safety import client_safety, safety_list
    from mbc.care.scores import scored
    from mbc.care.trajectory import client_trajectory

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
    "Caseload": "reviewing",
    "ClientReview": "reviewing",
    "CohortModel": "expected",
    "CohortModels": "expected",
    "Trajectory": "course",
    "caseload": "caseloads",
    "client_review": "review",
    "client_safety": "safety",
    "client_trajectory": "trajectory",
    "clinic_outcomes": "outcomes",
    "deidentified_cohort": "cohort",
    "safety_list": "safety",
    "scored": "scores",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mbc.care' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mbc.care.{_HOME[name]}"), name)
    globals()[name] = value
    return value
