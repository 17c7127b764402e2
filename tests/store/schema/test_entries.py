"""Entries of the working day refuse what cannot be; one declaration gives their table, reader, file and rights."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import get_args

import pytest

from mbc.errors import StoreError
from mbc.store import (
    AllianceRupture,
    CouplesContraindication,
    CouplesReadiness,
    FlagResponse,
    Homework,
    ImaginedPartnerView,
    MeasurePause,
    PlannedMeasure,
    Record,
    RelationshipConflict,
    RelationshipStatus,
    ReleaseOfInformation,
    SafetyPlan,
    SignalAnswer,
    SmallWin,
)
from mbc.store.access.roles import ACCESS, PERSON_READERS, SAFETY_READERS
from mbc.store.reading.entry_readers import EntryReaders
from mbc.store.schema.kinds import DEMOGRAPHICS_READER, ENTRIES, KINDS
from mbc.store.schema.records import Administration
from tests.store.conftest import entries_of

DAY = date(2026, 5, 1)
LATER = DAY + timedelta(days=7)


def release(**change):
    given = {"recipient": "couples therapist", "purpose": "joint work", "scales": "rses", "signed_on": DAY}
    return ReleaseOfInformation("L1", "C1", **{**given, "expires_on": LATER, **change})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Homework("H1", "C1", DAY, ""), "task is ''; it must be a short text"),
        (lambda: Homework("H1", "C1", DAY, "talk", "mostly"), "accepted are done, partly, not done"),
        (lambda: Homework("H1", "C1", DAY, "talk", "done", 11), "helpful is 11; it must be from 0 to 10"),
        (lambda: Homework("H1", "C1", DAY, "talk", helpful=3), "helpful is given without completion"),
        (lambda: Homework("H1", "C1", LATER, "talk", "done", reviewed_on=DAY), "is before set_on"),
        (lambda: SmallWin("W 1", "C1", DAY, "hug"), "win_id is 'W 1'"),
        (lambda: SmallWin("W1", "C1", datetime(2026, 5, 1), "hug"), "it must be a datetime.date"),  # noqa: DTZ001
        (lambda: RelationshipConflict("K1", "C1", DAY, hours_to_repair=2), "hours_to_repair requires repaired"),
        (
            lambda: RelationshipConflict("K1", "C1", DAY, repaired="yes"),
            "'yes'; it must be True or False",
        ),
        (
            lambda: RelationshipConflict("K1", "C1", DAY, count=0),
            "count is 0; it must be an integer from 1",
        ),
        (lambda: RelationshipConflict("K1", "C1", DAY, intensity=-1), "intensity is -1; it must be from 0"),
        (lambda: AllianceRupture("A1", "C1", DAY, "quarrel"), "accepted are withdrawal, confrontation, mixed"),
        (lambda: AllianceRupture("A1", "C1", DAY, repaired_on=LATER), "repaired_on requires repaired"),
        (lambda: CouplesReadiness("C1", DAY, math.nan), "rating is missing"),
        (lambda: CouplesReadiness("C1", DAY, "high"), "rating is 'high'; it must be a number"),
        (lambda: ImaginedPartnerView("C1", "R1", DAY, 5, "looks"), "accepted are relationship, closeness"),
        (lambda: release(scales="rses, csi16"), "scales is 'rses,'"),
        (lambda: release(expires_on=DAY - timedelta(days=1)), "expires_on .* is before signed_on"),
        (lambda: release(covers_from=LATER, covers_to=DAY), "covers_to .* is before covers_from"),
        (lambda: PlannedMeasure("C1", "rses", DAY), "has no schedule: give every_days"),
        (lambda: PlannedMeasure("C1", "rses", DAY, before_sessions="1,8"), "session numbers are required"),
        (lambda: PlannedMeasure("C1", "rses", DAY, baseline_askings=6), "at most 5 fit into a fortnight"),
        (lambda: MeasurePause("C1", LATER, DAY), "is before starts_on"),
        (lambda: SignalAnswer("S1", "C1", DAY, "changed"), "change must be given with the answer 'changed'"),
        (
            lambda: SignalAnswer("S1", "C1", DAY, "seen", "alliance"),
            "change must be given with the answer 'changed'",
        ),
        (lambda: SignalAnswer("S1", "C1", DAY, "not now"), "'not now' requires a reason"),
        (lambda: SafetyPlan("C1", LATER, next_review_on=DAY), "next_review_on .* is before made_on"),
        (lambda: CouplesContraindication("C1", DAY, "because"), "accepted are violence or fear"),
        (lambda: FlagResponse(0, "i9", "C1", DAY, "asked"), "numbered from 1"),
        (
            lambda: RelationshipStatus("C1", "dating", DAY, "R1", step_forward=True),
            "applies only where a relationship ends",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(StoreError, match=says):
        make()


def test_what_nobody_said_stays_empty_and_zero_stays_zero():
    conflict = RelationshipConflict("K1", "C1", DAY, intensity=0, hours_to_repair=math.nan)
    assert (conflict.intensity, conflict.hours_to_repair, conflict.repaired) == (0.0, None, None)


def test_the_questionnaires_of_a_release_follow_from_its_scales():
    assert release(scales="csi16.total rses csi16").instruments == ("csi16", "rses")


def test_every_kind_of_record_is_declared():
    assert {*KINDS, Administration} == set(get_args(Record))
    assert [type(entry) for entry in entries_of("C1", DAY)] == [kind.record for kind in ENTRIES[:-2]]


@pytest.mark.parametrize("kind", ENTRIES, ids=lambda kind: kind.noun)
def test_one_declaration_gives_table_reader_and_rights(kind):
    columns = {*(field.name for field in fields(kind.record)), "entry_id"}
    assert set(kind.table.columns.keys()) == columns
    assert tuple(kind.table.primary_key.columns.keys()) == tuple(n for n in kind.columns if n in kind.key)
    assert kind.reader in vars(EntryReaders)
    assert (kind.reader in SAFETY_READERS, kind.reader in PERSON_READERS) == (
        kind.channel == "safety", kind.channel == "care" and kind.reader != DEMOGRAPHICS_READER,
    )  # fmt: skip
    by_role = {role for role, access in ACCESS.items() if kind.record in access.writes}
    assert by_role == (set() if kind.reader == DEMOGRAPHICS_READER else {"clinician"})


def test_an_entry_of_the_safety_channel_holds_no_text_but_what_was_done():
    typed = {kind.noun: kind.texts for kind in ENTRIES if kind.channel == "safety" and kind.texts}
    assert typed == {"flag response": ("action",)}
