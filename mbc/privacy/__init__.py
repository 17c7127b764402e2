"""What may leave the clinic: small numbers suppressed, people de-identified."""

from __future__ import annotations

from mbc.privacy.deidentify import StudyIds, days_since, fold_rare, guard, random_study_ids
from mbc.privacy.suppression import PublishedCounts, rounded_percent, suppress

__all__ = [
    "PublishedCounts",
    "StudyIds",
    "days_since",
    "fold_rare",
    "guard",
    "random_study_ids",
    "rounded_percent",
    "suppress",
]
