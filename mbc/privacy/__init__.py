"""What may leave the clinic: small numbers suppressed, people de-identified."""

from __future__ import annotations

from mbc.privacy.deidentify import OTHER, StudyIds, days_since, fold_rare, guard, label_prefix, random_study_ids
from mbc.privacy.small_numbers.protect import Table, protect
from mbc.privacy.small_numbers.rounded_counts import small_number_rule

__all__ = [
    "OTHER",
    "StudyIds",
    "Table",
    "days_since",
    "fold_rare",
    "guard",
    "label_prefix",
    "protect",
    "random_study_ids",
    "small_number_rule",
]
