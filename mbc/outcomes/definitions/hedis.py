"""HEDIS DRR-E: follow-up, response and remission 120 to 240 days after an elevated score."""

from __future__ import annotations

from mbc.outcomes.definitions.follow_up import FIRST_RULE, LAST_RULE, Settings, groups

__all__ = ["FIRST_RULE", "LAST_RULE", "Settings", "groups"]
