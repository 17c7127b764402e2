"""Entries of the safety channel: that there is a plan and when it is reviewed, never what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from mbc.errors import StoreError
from mbc.store.schema.field_types import CheckedRecord, Identifier, RowNumber, ShortText
from mbc.store.schema.validation import check_order

ReviewReason = Literal[
    "scheduled", "new risk answer", "asked by the client", "life event", "relationship ended", "threat", "other"
]
DutyOutcome = Literal["considered, not reported", "advice sought", "reported"]
ContraindicationReason = Literal["violence or fear", "coercive control", "acute risk", "other"]


@dataclass(frozen=True, slots=True)
class SafetyPlan(CheckedRecord):
    """That a safety plan was made, and when it was and will be reviewed. Its content is kept elsewhere."""

    client_id: Identifier
    made_on: date
    last_review_on: date | None = None
    next_review_on: date | None = None
    review_reason: ReviewReason | None = None
    ended_on: date | None = None  # the plan holds no more

    def check(self) -> None:
        """Refuse reviews before the plan was made."""
        for later in ("last_review_on", "next_review_on", "ended_on"):
            check_order(self, "made_on", later)


@dataclass(frozen=True, slots=True)
class DutyToReport(CheckedRecord):
    """That a duty to report was considered, and with what outcome."""

    client_id: Identifier
    considered_on: date
    outcome: DutyOutcome


@dataclass(frozen=True, slots=True)
class CouplesContraindication(CheckedRecord):
    """From this day on, and until it ends, work as a couple is contraindicated."""

    client_id: Identifier
    since: date
    reason: ContraindicationReason
    ended_on: date | None = None

    def check(self) -> None:
        """Refuse an end before the start."""
        check_order(self, "since", "ended_on")


@dataclass(frozen=True, slots=True)
class SafetyChange(CheckedRecord):
    """That a signal led to a change that concerns safety; for everybody else its answer is "seen"."""

    signal_id: Identifier
    client_id: Identifier
    answered_on: date


@dataclass(frozen=True, slots=True)
class SecondReview(CheckedRecord):
    """That a second person has looked at an answer that raised a flag, after somebody had acknowledged it."""

    administration_id: RowNumber
    item: Identifier
    client_id: Identifier
    reviewed_on: date


@dataclass(frozen=True, slots=True)
class FlagResponse(CheckedRecord):
    """What was done about an answer that raised a flag."""

    administration_id: RowNumber
    item: Identifier
    client_id: Identifier
    responded_on: date
    action: ShortText

    def check(self) -> None:
        """Refuse a number that no questionnaire has."""
        if self.administration_id == 0:
            raise StoreError("administration_id is 0; questionnaires are numbered from 1.")
