"""A release of information covers what was agreed to, for as long as that holds, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from mbc.care.client.releases import is_in_force, releases_in_force, require_release, scores_in_scope
from mbc.errors import NotInRecord
from mbc.store import Client, ReleaseOfInformation, Store

SIGNED, END = date(2026, 5, 1), date(2026, 8, 1)
RELEASE = ReleaseOfInformation(
    "L1", "C1", "couples therapist", "joint work", "rses ecr_s.anxiety", SIGNED, END, date(2026, 1, 1), END
)
SCORES = pl.DataFrame(
    [
        ("rses", "total", date(2026, 2, 1)), ("ecr_s", "anxiety", date(2026, 2, 1)),
        ("ecr_s", "avoidance", SIGNED),
        ("csi16", "total", SIGNED), ("rses", "total", date(2025, 12, 31)), ("rses", "total", date(2026, 8, 2)),
    ],
    schema=["instrument", "scale", "taken_on"], orient="row",
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2026, 4, 30), False), (SIGNED, True), (END, True), (date(2026, 8, 2), False)],
)
def test_it_holds_from_its_signature_to_its_end(day, holds):
    assert is_in_force(RELEASE, day) is holds


def test_it_ends_with_the_day_on_which_the_client_withdraws_it():
    withdrawn = replace(RELEASE, withdrawn_on=date(2026, 6, 1))
    assert is_in_force(withdrawn, date(2026, 5, 31))
    assert not is_in_force(withdrawn, date(2026, 6, 1))


def test_scores_within_scales_and_days_are_covered_and_no_others():
    assert scores_in_scope(RELEASE, SCORES).rows() == SCORES.rows()[:2]
    assert scores_in_scope(replace(RELEASE, covers_from=None, covers_to=None), SCORES).height == 4


def test_those_in_force_are_listed_and_the_others_say_why_not():
    with Store.create("sqlite://") as store:
        with store.writing() as record:
            record.add_all([Client("C1"), RELEASE, replace(RELEASE, release_id="L2", withdrawn_on=SIGNED)])
        assert [each.release_id for each in releases_in_force(store, "C1", on=END)] == ["L1"]
        assert require_release(store, "C1", "L1", on=END) == RELEASE
        for name, day, why in (
            ("L1", date(2026, 9, 1), "expired on 1 August 2026"),
            ("L1", date(2026, 4, 1), "is valid from 1 May 2026, when it was signed"),
            ("L2", END, "withdrawn on 1 May 2026"),
            ("L9", END, "no release of information 'L9'"),
        ):
            with pytest.raises(NotInRecord, match=why):
                require_release(store, "C1", name, on=day)
