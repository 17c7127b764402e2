"""Releases by groups of clients: the groups add up to everybody, and hide no less for it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
import runpy
from collections.abc import Iterator

import polars as pl
import pytest

from dashboards.pages.outcomes.layout import release_content
from mbc import outcomes
from mbc.care.clinic.releases import make_release, period_of, release_table
from mbc.care.clinic.strata import NOT_RECORDED, strata_tables
from mbc.errors import SettingsError
from mbc.outcomes.publication import publish_reports
from mbc.reports.clinic_report import clinic_document
from mbc.reports.document import all_words
from mbc.reports.recompute.pack import PROGRAM, pack_files
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
    return make_people(seed=5, size=100)


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
    counts = sorted({name.partition(".")[2] for name in known if name.startswith(".")})
    sums = [(f"{code}.{total}", tuple(f"{code}.{part}" for part in parts))
            for code in figures for total, parts in NHS_SUMS]  # fmt: skip
    sums += [(f".{name}", tuple(f"{code}.{name}" for code in strata(store))) for name in counts]
    nested = [(f"{code}.{total}", f"{code}.{part}") for code in figures for total, part in NHS_NESTED]
    small = sorted(name for name in known.keys() & true.keys() if 0 < true[name] < 5)
    assert len(small) > 10
    for name in small:
        low, high = attack(known, {name: 1}, sums, nested)
        assert low <= 1 <= 4 <= high, name


def test_groups_have_no_means_and_are_in_the_order_of_their_codes(store):
    content = store.release(QUARTER).content
    assert [each["code"] for each in content["strata"]] == ["a", "b", "c", NOT_RECORDED]
    for each in content["strata"]:
        assert all(figure["unit"] == "percent" or figure["hidden"] for figure in each["figures"])
    assert content["strata"][0]["field"] == "gender"


def test_they_stand_in_the_table_the_report_the_page_and_the_pack(store):
    release = store.release(QUARTER)
    assert "nhs, gender a" in set(release_table(release)["definition"])
    words = " ".join(all_words(clinic_document(store).blocks))
    assert "Appendix E: groups of clients" in words
    (table,) = strata_tables(release)
    assert table.headings == (
        "Gender", "Recovered", "Improved reliably", "Deteriorated reliably", "Recovered reliably"
    )  # fmt: skip
    page = str(release_content(release, "light"))
    for row in table.rows:
        for cell in row:
            assert cell in words
            assert cell in page
    files = pack_files(release)
    again = runpy.run_path(str(PROGRAM))
    compared, wrong = again["differences"](json.loads(files["release.json"]))
    rows = list(csv.DictReader(io.StringIO(files["figures.csv"].decode())))
    assert wrong == again["table_differences"](json.loads(files["release.json"]), rows) == []
    assert compared > 5 * 60


def test_fields_that_there_are_not_and_codes_that_nobody_has_are_refused(store):
    with pytest.raises(SettingsError, match="age_band, gender"):
        make_release(store, "2026-Q3", by=["name"], today=TODAY)
    with pytest.raises(SettingsError, match=r"No client has a code for 'age_band'.*--age-band CODE"):
        make_release(store, "2026-Q3", by=["age-band"], definitions=["nhs"], today=TODAY)
    assert [release.name for release in store.releases()] == [QUARTER]


def test_a_headline_does_not_tell_that_nobody_was_a_case():
    """That all are of one kind is hidden, and would follow from there being no rate."""
    day, names = dt.date, [f"P{number}" for number in range(8)]
    frames = {
        "episodes": pl.DataFrame({"episode_id": names, "client_id": names, "referred_on": [day(2026, 1, 5)] * 8,
                                  "ended_on": [day(2026, 5, 4)] * 8}),
        "sessions": pl.DataFrame({"episode_id": names * 2, "attended": [True] * 16,
                                  "held_on": [day(2026, 2, 2)] * 8 + [day(2026, 2, 9)] * 8}),
        "scores": pl.DataFrame({"client_id": names * 4, "instrument": ["phq9"] * 16 + ["gad7"] * 16,
                                "scale": ["total"] * 32, "score": [2] * 32,
                                "taken_on": ([day(2026, 2, 2)] * 8 + [day(2026, 2, 9)] * 8) * 2}),
    }  # fmt: skip
    report = outcomes.report(frames, "nhs", "finished", start=day(2026, 4, 1), end=day(2026, 6, 30))
    assert "there is no rate" in report.headline
    ((published,), _) = publish_reports([report])
    assert published.counts["at_caseness"].rounded is None
    assert published.headline == "No headline: too few people, or too few of them measured."
