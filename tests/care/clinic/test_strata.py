"""Releases by groups of clients: the groups add up to everybody, and hide no less for it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mbc.care.clinic.releases import make_release, period_of, release_table
from mbc.care.clinic.strata import NOT_RECORDED
from mbc.errors import SettingsError
from mbc.reports.clinic_report import clinic_document
from mbc.reports.document import all_words
from mbc.store import Demographics, Store
from tests.care.clinic.test_releases import (
    NHS_NESTED,
    NHS_SUMS,
    TODAY,
    attack,
    exact,
    fill,
    ranges,
)
from tests.outcomes.made_people import make_people, nhs_by_hand

QUARTER = "2026-Q2"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def people():
    return make_people(seed=5, size=150)


@pytest.fixture(scope="module")
def codes(people) -> dict[str, str]:
    draw = random.Random(4)
    names = [row["client_id"] for row in people.clients]
    drawn = {name: draw.choices(("a", "b", "c", None), (10, 8, 2, 3))[0] for name in names}
    return {name: code for name, code in drawn.items() if code is not None}


@pytest.fixture(scope="module")
def store(tmp_path_factory, people, codes) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path_factory.mktemp('strata') / 'clinic.db'}") as made:
        fill(made, people)
        with made.writing(by="test") as record:
            day = TODAY
            record.add_all([Demographics(client, day, gender=code) for client, code in codes.items()])
        make_release(made, QUARTER, definitions=["nhs"], by=["gender"], today=TODAY)
        yield made


def by_hand(people, codes, code: str) -> dict[str, tuple[int, int]]:
    chosen = {row["client_id"] for row in people.clients if codes.get(row["client_id"], NOT_RECORDED) == code}
    kept = type(people)(*(
        [row for row in rows if row["client_id"] in chosen]
        for rows in (people.clients, people.episodes, people.sessions, people.scores)
    ))  # fmt: skip
    period = period_of(QUARTER)
    return nhs_by_hand(kept, period.start, period.end)


def strata(store) -> dict[str, dict[str, dict]]:
    reports = store.release(QUARTER).content["strata"]
    return {each["code"]: {figure["metric"]: figure for figure in each["figures"]} for each in reports}


def test_each_group_is_counted_by_the_same_rules(store, people, codes):
    shown = 0
    assert set(strata(store)) == {"a", "b", "c", NOT_RECORDED}
    for code, figures in strata(store).items():
        for name, (count, of) in by_hand(people, codes, code).items():
            figure = figures[name]
            if figure["count"] is not None:
                shown += 1
                assert abs(figure["count"] - count) <= 2
                assert abs(figure["of"] - of) <= 2
    assert shown > 10


def test_nothing_hidden_follows_from_adding_the_groups_up(store, people, codes):
    """The attacker knows everybody's counts, each group's, and that they add up."""
    (whole,) = store.release(QUARTER).content["reports"]
    figures = {"": {figure["metric"]: figure for figure in whole["figures"]}, **strata(store)}
    known, true = {}, {}
    for code, each in figures.items():
        known |= {f"{code}.{name}": value for name, value in ranges(each, 5).items()}
    for metric in exact(store, QUARTER, "nhs").metrics:
        true[f".{metric.metric}"] = metric.numerator
    for code in strata(store):
        true |= {f"{code}.{name}": pair[0] for name, pair in by_hand(people, codes, code).items()}
    counts = {name.partition(".")[2] for name in known if name.startswith(".")}
    sums = [(f"{code}.{total}", tuple(f"{code}.{part}" for part in parts))
            for code in figures for total, parts in NHS_SUMS]  # fmt: skip
    sums += [(f".{name}", tuple(f"{code}.{name}" for code in strata(store))) for name in counts]
    nested = [(f"{code}.{total}", f"{code}.{part}") for code in figures for total, part in NHS_NESTED]
    small = [name for name in known.keys() & true.keys() if 0 < true[name] < 5]
    assert len(small) > 10
    for name in small:
        low, high = attack(known, {name: 1}, sums, nested)
        assert low <= 1 <= 4 <= high, name


def test_they_stand_in_the_table_and_in_the_report(store):
    assert "nhs, gender a" in set(release_table(store.release(QUARTER))["definition"])
    words = " ".join(all_words(clinic_document(store).blocks))
    assert "Appendix E: groups of clients" in words
    assert "gender not recorded" in words


def test_a_field_that_there_is_not_is_refused(store):
    with pytest.raises(SettingsError, match="age_band, gender"):
        make_release(store, "2026-Q3", by=["name"], today=TODAY)
