"""The longitudinal record: who was asked what, when, and what they answered; nothing lost, nothing overwritten."""

from __future__ import annotations

from mbc.store.access.roles import ROLES, Permission, Role, User
from mbc.store.schema.records import (
    Administration,
    Client,
    Clinician,
    Definition,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    ImportSource,
    Record,
    Relationship,
    RelationshipStatus,
    Session,
)
from mbc.store.store import Store
from mbc.store.writing.result import Outcome, Preview

__all__ = [
    "ROLES",
    "Administration",
    "Client",
    "Clinician",
    "Definition",
    "Episode",
    "Event",
    "Flag",
    "Goal",
    "GoalRating",
    "ImportSource",
    "Outcome",
    "Permission",
    "Preview",
    "Record",
    "Relationship",
    "RelationshipStatus",
    "Role",
    "Session",
    "Store",
    "User",
]
