"""The clinic's report from the record: who is counted, when, and by which limits."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.care import CohortModels, clinic_report
from mbc.care.course.noise import noise_of
from mbc.errors import AccessDenied, MbcError
from mbc.instruments import instrument
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


def fill(store, pairs, *, instrument="rses", alone=0, target="self", ended=None, episodes=True):
    with store.writing(by="test") as record:
        people: list = [Clinician("K1", "Ada")]
        for number, (pre, *post) in enumerate([*pairs, *[(14,)] * alone]):
            name = f"C{number:03d}"
            people.append(Client(name, clinician_id="K1"))
            if episodes:
                people.append(Episode(f"E{number}", name, "K1", started_on=START, ended_on=ended))
            for week, score in enumerate((pre, *post)):
                day = START + dt.timedelta(weeks=8 * week)
                people.append(Administration(name, instrument, day, totals={"total": score}, target=target))
        record.add_all(people)


def in_care(store, *, start=START, end=END, **options):
    return clinic_report(store, start=start, end=end, definition="jacobson-truax", cohort="in-care", **options)


def counts(report, key="rses_total"):
    names = ("recovered", "improved", "unchanged", "deteriorated")
    return {name: report[f"{key}_{name}"].numerator for name in names}


def test_every_category_is_counted_over_those_who_could_be_judged(store_with):
    pairs = [RECOVERED] * 12 + [IMPROVED] * 9 + [UNCHANGED] * 20 + [DETERIORATED] * 6
    report = in_care(store_with(pairs, alone=13))
    assert counts(report) == {"recovered": 12, "improved": 9, "unchanged": 20, "deteriorated": 6}
    assert (report["rses_total_paired"].numerator, report["rses_total_paired"].denominator) == (47, 60)
    assert report["rses_total_improved"].denominator == 47
    # the 13 without a later score could all have improved, or none
    assert (report["rses_total_improved"].worst, report["rses_total_improved"].best) == pytest.approx(
        (100 * 9 / 60, 100 * 22 / 60)
    )


def test_recovery_is_counted_over_those_who_began_beyond_the_cutoff(store_with):
    pairs = [RECOVERED] * 12 + [IMPROVED] * 9 + [UNCHANGED] * 20 + [DETERIORATED] * 6
    recovery = in_care(store_with(pairs))["rses_total_recovered_of_distressed"]
    assert (recovery.numerator, recovery.denominator) == (12, 32)  # 12 recovered and 20 unchanged began below 15
    # Wilson (1927): (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), worked by hand for 12 of 32
    assert (recovery.lower, recovery.upper) == pytest.approx((22.94, 54.75), abs=0.01)


def test_effect_size_is_positive_for_improvement_and_worked_by_hand(store_with):
    # five of each: differences 4, 6, 4, 6, 5, mean 5; squares about the mean 14 sum to 5 * 40: SD = sqrt(200/24)
    pairs = [(10, 14), (12, 18), (14, 18), (16, 22), (18, 23)] * 5
    effect = in_care(store_with(pairs))["rses_total_effect_size"]
    assert effect.value == pytest.approx(5 / (200 / 24) ** 0.5)
    by_models = models.effect_size([a for a, _ in pairs], [b for _, b in pairs], higher_is_better=True)
    assert (effect.value, effect.lower, effect.upper) == pytest.approx(
        (by_models.d, by_models.lower, by_models.upper)
    )


def test_the_limits_are_those_of_the_client_s_page(store_with):
    """Drawn pairs, judged one by one with the noise and cutoff of the charts."""
    draw = np.random.default_rng(4)
    for key, most in (("rses", 30), ("csi16", 81), ("phq9", 27)):
        pairs = [tuple(map(int, draw.integers(0, most + 1, 2))) for _ in range(60)]
        scale = instrument(key).scale()
        noise, better = noise_of(instrument(key), scale), 1 if scale.higher_is_better else -1
        verdicts = [noise.verdict(b - a, higher_is_better=scale.higher_is_better) for a, b in pairs]
        made = counts(in_care(store_with(pairs, instrument=key)), f"{key}_total")
        assert made["deteriorated"] == verdicts.count("clearly worse")
        assert made["unchanged"] == verdicts.count("no clear change")
        assert made["recovered"] + made["improved"] == verdicts.count("clearly better")
        change = models.reliable_change(
            [float(a) for a, _ in pairs], [float(b) for _, b in pairs],
            sd=noise.sd or noise.threshold / 1.959964 / 2**0.5, reliability=noise.reliability or 0.0,
            higher_is_better=better > 0,
        )  # fmt: skip
        if not noise.inclusive:
            judged = models.clinical_significance(
                [float(a) for a, _ in pairs], [float(b) for _, b in pairs], change=change, cutoff=scale.cutoff
            )
            assert made["recovered"] == list(map(str, judged.category)).count("recovered")


def test_scales_without_published_error_are_judged_by_the_clinic_s_own_records(store_with):
    """Well-being (WHO-5) has none: with twenty clients on record it is judged, and the rule says by what."""
    draw = np.random.default_rng(2)
    store = store_with([tuple(map(int, 4 * draw.integers(5, 20, 4))) for _ in range(40)], instrument="who5")
    end = START + dt.timedelta(weeks=40)
    assert "who5_total_improved" not in {metric.metric for metric in in_care(store, end=end).metrics}
    judged = in_care(store, end=end, models=CohortModels(store))
    assert judged["who5_total_improved"].denominator == 40
    assert any("own records" in rule for rule in judged.rules)


def test_satisfaction_after_the_relationship_ended_is_in_no_rate(store_with):
    store = store_with([(40, 20)] * 6 + [(40, 60)] * 6, instrument="csi16")
    with store.writing(by="test") as record:
        for number in range(6):  # those whose satisfaction fell have left since
            name = f"C{number:03d}"
            record.add(Relationship(f"R-{name}", name, "R1"))
            record.add(RelationshipStatus(name, "partnered", START, f"R-{name}"))
            record.add(RelationshipStatus(name, "ended", END - dt.timedelta(days=5), f"R-{name}"))
    report = in_care(store)
    assert report["csi16_total_paired"].numerator == 6
    assert counts(report, "csi16_total")["deteriorated"] == 0
    assert counts(report, "csi16_total")["recovered"] == 6


def test_a_client_who_ended_counts_with_a_last_score_from_before_the_period(store_with):
    """Whoever is discharged in a quarter without a questionnaire in it is still complete."""
    ended = dt.date(2026, 5, 20)
    report = clinic_report(
        store_with([IMPROVED] * 9, alone=1, ended=ended),
        start=dt.date(2026, 4, 1), end=dt.date(2026, 6, 30), definition="jacobson-truax", cohort="finished",
    )  # fmt: skip
    assert (report["rses_total_paired"].numerator, report["rses_total_paired"].denominator) == (9, 10)
    assert report["rses_total_improved"].numerator == 9


def test_quarters_of_finished_care_add_up_and_count_nobody_twice(store_with):
    store = store_with([IMPROVED] * 10, ended=dt.date(2026, 5, 20))
    quarters = [(1, 31, 3), (4, 30, 6), (7, 30, 9)]
    found = [
        clinic_report(store, start=dt.date(2026, a, 1), end=dt.date(2026, c, b), definition="jacobson-truax")
        for a, b, c in quarters
    ]
    assert [report["rses_total_measured"].denominator for report in found] == [0, 10, 0]


def test_the_first_score_of_the_care_counts_even_when_it_lies_before_the_period(store_with):
    later = START + dt.timedelta(weeks=4)
    assert in_care(store_with([IMPROVED] * 10), start=later)["rses_total_improved"].numerator == 10


def test_clients_without_an_episode_on_record_are_in_care_while_they_are_seen(store_with):
    store = store_with([IMPROVED] * 10, episodes=False)
    assert in_care(store)["rses_total_improved"].numerator == 10
    later = in_care(store, start=dt.date(2027, 1, 1), end=dt.date(2027, 3, 31))
    assert later["rses_total_measured"].denominator == 0


def test_without_anything_on_record_there_are_no_figures(store_with):
    report = in_care(store_with([]))
    assert report.metrics == ()
    assert "no rate" in report.headline


def test_a_period_that_ends_before_it_starts_or_lies_outside_is_refused(store_with):
    with pytest.raises(MbcError, match="swapped"):
        in_care(store_with([]), start=END, end=START)
    with pytest.raises(MbcError, match="outside"):
        clinic_report(store_with([IMPROVED]), start=dt.date(2030, 1, 1), definition="jacobson-truax")


def test_clustering_by_clinician_widens_the_limits(store_with):
    """Half the clients have a clinician with whom all recover, half one with whom none do."""
    store = store_with([RECOVERED] * 20 + [UNCHANGED] * 20)
    alike = in_care(store)["rses_total_recovered"]
    with store.writing(by="test") as record:
        record.add(Clinician("K2", "Bo"))
        for number in range(20, 40):
            record.add(
                Episode(f"E{number}", f"C{number:03d}", "K2", started_on=START), supersede="has another clinician"
            )
    apart = in_care(store)["rses_total_recovered"]
    assert (apart.numerator, apart.denominator, apart.clinicians) == (20, 40, 2)
    assert apart.upper - apart.lower > 2 * (alike.upper - alike.lower)


def test_an_analyst_gets_no_exact_count(store_with):
    store = store_with([IMPROVED] * 10)
    store.accounts.add("ana", "a long enough passphrase", "analyst")
    with pytest.raises(AccessDenied, match="only see published figures"):
        in_care(store.as_user("ana"))
    assert store.audit.entries(last=1)["action"].to_list() == ["refused"]


def test_no_client_is_named_in_a_report(store_with):
    report = in_care(store_with([IMPROVED] * 10))
    assert "C00" not in repr(report)
    assert isinstance(report.to_frame(), pl.DataFrame)
