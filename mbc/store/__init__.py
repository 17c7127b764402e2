"""The longitudinal record: who was asked what, when, and what they answered; nothing lost, nothing overwritten."""

from __future__ import annotations

from mbc.store.access.roles import ROLES, Permission, Role, User
from mbc.store.schema.entries import (
    AllianceRupture,
    CouplesReadiness,
    DecisionClarity,
    Homework,
    ImaginedPartnerView,
    MeasurePause,
    PlannedMeasure,
    RelationshipConflict,
    ReleaseOfInformation,
    Signal,
    SignalAnswer,
    SmallWin,
)
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
from mbc.store.schema.safety_entries import CouplesContraindication, DutyToReport, FlagResponse, SafetyPlan
from mbc.store.store import Store
from mbc.store.writing.result import Outcome, Preview

__all__ = [
    "ROLES",
    "Administration",
    "AllianceRupture",
    "Client",
    "Clinician",
    "CouplesContraindication",
    "CouplesReadiness",
    "DecisionClarity",
    "Definition",
    "DutyToReport",
    "Episode",
    "Event",
    "Flag",
    "FlagResponse",
    "Goal",
    "GoalRating",
    "Homework",
    "ImaginedPartnerView",
    "ImportSource",
    "MeasurePause",
    "Outcome",
    "Permission",
    "PlannedMeasure",
    "Preview",
    "Record",
    "Relationship",
    "RelationshipConflict",
    "RelationshipStatus",
    "ReleaseOfInformation",
    "Role",
    "SafetyPlan",
    "Session",
    "Signal",
    "SignalAnswer",
    "SmallWin",
    "Store",
    "User",
]
