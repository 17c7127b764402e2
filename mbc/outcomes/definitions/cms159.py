"""CMS159: remission twelve months, 60 days more or less, after an elevated score."""

from __future__ import annotations

from mbc.outcomes.definitions.follow_up import FIRST_RULE, LAST_RULE, Settings, groups

__all__ = ["FIRST_RULE", "LAST_RULE", "Settings", "groups"]
