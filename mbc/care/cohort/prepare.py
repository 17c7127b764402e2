"""A cohort as it leaves the clinic: de-identified, as coarse as its profile asks, its risk measured."""

from __future__ import annotations

from dataclasses import dataclass

from mbc.care.cohort.coarsen import coarsen
from mbc.care.cohort.deidentified import Cohort, deidentified_cohort
from mbc.care.cohort.profiles import DAYS, Profile
from mbc.care.cohort.risk_report import CohortRisk, cohort_risk
from mbc.privacy import StudyIds
from mbc.store import Store


@dataclass(frozen=True, slots=True)
class PreparedCohort:
    """Tables, their risk, and the key to them."""

    cohort: Cohort
    risk: CohortRisk
    study_ids: StudyIds


def prepare_cohort(store: Store, *, profile: Profile = DAYS, k: int = 5) -> PreparedCohort:
    """De-identify the record as a profile asks, and measure how easily people can still be recognised.

    Parameters
    ----------
    store : Store
        The record; a user's own view of it must hold the permission ``cohort:read``.
    profile : Profile
        How much detail is kept; see `mbc.care.cohort.profiles`.
    k : int
        Categories of fewer people become "other", as in `mbc.care.deidentified_cohort`.

    Raises
    ------
    AccessDenied
        If this user may not have a cohort.
    IdentityLeft
        If a table still holds a date, an identifier or free text, or fewer people look alike than the profile
        asks.
    """
    original, study_ids = deidentified_cohort(store, k=k)
    coarse = coarsen(original, profile)
    return PreparedCohort(coarse.cohort, cohort_risk(coarse, original), study_ids)
