"""Honest rates: who is counted, what is complete, and what is too small to be shown."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack

import pytest

from mbc.care import clinic_outcomes
from mbc.errors import AccessDenied, MbcError
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Relationship,
    RelationshipStatus,
    Store,
)

pytestmark = pytest.mark.long

START, END = dt.date(2026, 1, 5), dt.date(2026, 3, 30)

# RSES: reliable beyond 5.6 points (SD 6.78, alpha .911: 1.96 * 6.78 * sqrt(2 * .089) = 5.606); low below 15.
RECOVERED, IMPROVED, UNCHANGED, DETERIORATED = (10, 20), (16, 24), (12, 15), (20, 10)


@pytest.fixture
def store_with():
    """Make records with one client for each pair of scores; they are closed when the test ends."""
    with ExitStack() as opened:

        def make(*args, **options):
            store = opened.enter_context(Store.create("sqlite://"))
            fill(store, *args, **options)
            return store

        yield make


def fill(store, pairs, *, instrument="rses", alone=0, target="self"):
    with store.writing(by="test") as record:
        record.add(Clinician("K1", "Ada"))
        for number, (pre, *post) in enumerate([*pairs, *[(14,)] * alone]):
            name = f"C{number:03d}"
            record.add(Client(name, clinician_id="K1"))
            record.add(Episode(f"E{number}", name, "K1", started_on=START))
            for week, score in enumerate((pre, *post)):
                day = START + dt.timedelta(weeks=8 * week)
                record.add(Administration(name, instrument, day, totals={"total": score}, target=target))


def only_row(outcomes):
    (row,) = outcomes.rows
    return row


def test_every_category_is_counted_over_those_who_could_be_judged(store_with):
    pairs = [RECOVERED] * 12 + [IMPROVED] * 9 + [UNCHANGED] * 20 + [DETERIORATED] * 6
    row = only_row(clinic_outcomes(store_with(pairs, alone=13), start=START, end=END))
    assert {rate.category: rate.count for rate in row.rates} == {
        "recovered": 12, "improved": 9, "unchanged": 20, "deteriorated": 6,
    }  # fmt: skip
    assert (row.in_care, row.measured, row.paired) == (60, 60, 47)
    assert (row.completeness, row.coverage) == (80, 100)  # 47 of 60 is 78 %, rounded to 5


def test_recovery_is_counted_over_those_who_began_beyond_the_cutoff(store_with):
    pairs = [RECOVERED] * 12 + [IMPROVED] * 9 + [UNCHANGED] * 20 + [DETERIORATED] * 6
    recovery = only_row(clinic_outcomes(store_with(pairs), start=START, end=END)).recovery
    assert recovery.count == 12
    assert recovery.estimate == pytest.approx(12 / 32)  # 12 recovered and 20 unchanged began below 15
    # Wilson (1927): (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), worked by hand for 12 of 32
    assert (recovery.lower, recovery.upper) == pytest.approx((0.2294, 0.5475), abs=1e-4)


def test_effect_size_is_positive_for_improvement_and_worked_by_hand(store_with):
    # five of each: differences 4, 6, 4, 6, 5, mean 5; squares about the mean 14 sum to 5 * 40: SD = sqrt(200/24)
    pairs = [(10, 14), (12, 18), (14, 18), (16, 22), (18, 23)] * 5
    row = only_row(clinic_outcomes(store_with(pairs), start=START, end=END))
    assert row.effect == pytest.approx(5 / (200 / 24) ** 0.5)


def test_what_those_without_a_later_score_must_have_done_to_undo_the_mean_change(store_with):
    """75 % changed by d: with the other 25 % changed by -3 d the mean over all is nothing."""
    pairs = [(10, 14), (12, 18), (14, 18), (16, 22), (18, 23)] * 6
    row = only_row(clinic_outcomes(store_with(pairs, alone=10), start=START, end=END))
    assert row.completeness == 75
    assert 0.75 * row.effect + 0.25 * row.tipping_point == pytest.approx(0, abs=1e-12)
    assert 3 * row.effect > 3
    assert "worsened by more than 3 SD on average" in row.tipping_point_words
    few = only_row(clinic_outcomes(store_with(pairs, alone=60), start=START, end=END))
    assert few.completeness == 35
    assert few.tipping_point == pytest.approx(-few.effect * 35 / 65)
    assert f"worsened by about {few.effect * 35 / 65:.1f} SD on average" in few.tipping_point_words
    worse = only_row(clinic_outcomes(store_with([(b, a) for a, b in pairs], alone=10), start=START, end=END))
    assert "had improved by more than 3 SD" in worse.tipping_point_words


@pytest.mark.parametrize(
    ("pairs", "alone"),
    [
        ([(10, 14), (12, 18), (14, 18), (16, 22), (18, 23)] * 6, 0),  # nobody is missing
        ([(10, 14), (14, 10), (12, 12)] * 10, 10),  # no mean change to undo
        ([RECOVERED] * 4, 10),  # too few to show an effect
    ],
)
def test_where_nothing_could_undo_it_nothing_is_said(pairs, alone, store_with):
    row = only_row(clinic_outcomes(store_with(pairs, alone=alone), start=START, end=END))
    assert (row.tipping_point, row.tipping_point_words) == (None, None)


def test_a_small_cell_is_hidden_and_takes_a_neighbour_with_it(store_with):
    pairs = [RECOVERED] * 12 + [UNCHANGED] * 20 + [DETERIORATED] * 2
    outcomes = clinic_outcomes(store_with(pairs), start=START, end=END)
    row = only_row(outcomes)
    assert row.rate("deteriorated").suppressed
    assert row.rate("unchanged").suppressed
    assert row.rate("improved").count == 0  # a zero is a finding
    assert row.rate("recovered").count == 12
    assert 2 not in outcomes.to_frame()["count"].to_list()


def test_fewer_clients_than_k_show_nothing(store_with):
    row = only_row(clinic_outcomes(store_with([RECOVERED] * 4), start=START, end=END))
    assert (row.in_care, row.measured, row.paired, row.effect, row.completeness) == (None,) * 5
    assert all(rate.suppressed for rate in row.rates)


def test_the_few_who_are_missing_cannot_be_counted_from_completeness(store_with):
    # 30 of 31 paired: measured (31) beside n (30) would tell that one person has no second score
    row = only_row(clinic_outcomes(store_with([UNCHANGED] * 30, alone=1), start=START, end=END))
    assert (row.paired, row.measured, row.completeness) == (30, None, 95)


def test_satisfaction_after_the_relationship_ended_is_in_no_rate(store_with):
    store = store_with([(40, 20)] * 6 + [(40, 60)] * 6, instrument="csi16")
    with store.writing(by="test") as record:
        for number in range(6):  # those whose satisfaction fell have left since
            name = f"C{number:03d}"
            record.add(Relationship(f"R-{name}", name, "R1"))
            record.add(RelationshipStatus(name, "partnered", START, f"R-{name}"))
            record.add(RelationshipStatus(name, "ended", END - dt.timedelta(days=5), f"R-{name}"))
    row = only_row(clinic_outcomes(store, start=START, end=END))
    assert row.paired == 6
    assert row.rate("deteriorated").count == 0
    assert row.rate("recovered").count == 6


def test_the_first_score_of_the_care_counts_even_when_it_lies_before_the_period(store_with):
    later = START + dt.timedelta(weeks=4)
    row = only_row(clinic_outcomes(store_with([IMPROVED] * 10), start=later, end=END))
    assert row.rate("improved").count == 10


def test_without_anything_on_record_the_page_says_so(store_with):
    outcomes = clinic_outcomes(store_with([]))
    assert outcomes.rows == ()
    assert "no outcomes" in outcomes.caption


def test_a_period_that_ends_before_it_starts_is_refused(store_with):
    with pytest.raises(MbcError, match="swapped"):
        clinic_outcomes(store_with([]), start=END, end=START)


def test_an_analyst_gets_rates_though_no_person_exists_for_them(store_with):
    store = store_with([IMPROVED] * 10 + [UNCHANGED] * 10)
    store.accounts.add("ana", "a long enough passphrase", "analyst")
    analyst = store.as_user("ana")
    with pytest.raises(AccessDenied):
        analyst.clients()
    quarter = (dt.date(2026, 1, 1), dt.date(2026, 3, 31))
    assert only_row(clinic_outcomes(analyst, start=quarter[0], end=quarter[1])).rate("improved").count == 10
    assert clinic_outcomes(analyst) == clinic_outcomes(analyst, start=quarter[0], end=quarter[1])
    assert clinic_outcomes(analyst, k=3).smallest == 5


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, END),
        (dt.date(2026, 1, 1), dt.date(2026, 3, 30)),  # a day less: whoever came on the 31st would stand out
        (dt.date(2026, 1, 2), dt.date(2026, 3, 31)),
        (dt.date(2025, 4, 1), dt.date(2026, 3, 31)),  # a year, but none of the calendar
        (dt.date(2026, 1, 1), dt.date(2026, 6, 30)),
        (dt.date(2026, 1, 1), None),
        (None, dt.date(2026, 3, 31)),
        (dt.date(9998, 1, 1), dt.date(9998, 12, 31)),  # not over
        (dt.date(9999, 1, 1), dt.date(9999, 12, 31)),
    ],
)
def test_an_analyst_cannot_move_a_period_by_a_day(start, end, store_with):
    store = store_with([IMPROVED] * 10)
    store.accounts.add("ana", "a long enough passphrase", "analyst")
    with pytest.raises(AccessDenied, match="quarters and years that are over"):
        clinic_outcomes(store.as_user("ana"), start=start, end=end)
    assert store.audit.entries(last=1)["action"].to_list() == ["refused"]


def test_an_analyst_is_not_told_of_a_quarter_that_is_not_over(store_with):
    store = store_with([IMPROVED] * 10)
    with store.writing() as record:
        days = [dt.date(9990, 1, 5), dt.date(9990, 2, 5)]
        record.add_all([Administration("C001", "rses", day, totals={"total": 12}) for day in days])
    store.accounts.add("ana", "a long enough passphrase", "analyst")
    shown = clinic_outcomes(store.as_user("ana"))
    assert shown.end is not None
    assert shown.end.year < 9990


def test_no_client_is_named_anywhere_in_what_is_published(store_with):
    outcomes = clinic_outcomes(store_with([IMPROVED] * 10), start=START, end=END)
    assert "C00" not in repr(outcomes)
