"""How easily a person can be recognised in tables that leave the clinic: measured, before they do."""

from __future__ import annotations

from mbc.privacy.risk.classes import Disclosure, disclosure, unlike_others
from mbc.privacy.risk.generalisation import Hierarchy, generalise

__all__ = ["Disclosure", "Hierarchy", "disclosure", "generalise", "unlike_others"]
