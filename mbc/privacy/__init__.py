"""What may leave the clinic: small numbers suppressed, people de-identified."""

from __future__ import annotations

from mbc.privacy.deidentify import OTHER, StudyIds, days_since, fold_rare, guard, label_prefix, random_study_ids
from mbc.privacy.suppression import PublishedCounts, rounded_percent, suppress

__all__ = [
    "OTHER",
    "PublishedCounts",
    "StudyIds",
    "days_since",
    "fold_rare",
    "guard",
    "label_prefix",
    "random_study_ids",
    "rounded_percent",
    "suppress",
]
