"""Other definitions against plain Python over the rows; files of definitions and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import polars as pl
import pytest

from mbc import outcomes
from mbc.care.course.relationships import timelines
from mbc.errors import SettingsError
from mbc.instruments import instrument
from mbc.outcomes.applicability import not_applicable
from mbc.outcomes.definitions.definition_file import definition, definition_text, definitions
from mbc.outcomes.source import open_source
from tests.outcomes.made_people import Tables, add_score, days
from tests.outcomes.test_nhs import KINDS, counted, frames_of

START, END = dt.date(2026, 1, 1), dt.date(2026, 12, 31)


@pytest.fixture(scope="module")
def people() -> Tables:
    """Clients over two years, with scores on each side of every limit of days and points."""
    draw = random.Random(11)
    tables = Tables()
    for number in range(160):
        who = f"W{number:03d}"
        referred = dt.date(2025, 1, 6) + days(draw.randint(0, 500))
        ended = draw.choice([None, referred + days(draw.choice([100, 300])), END, START, START - days(1)])
        ended = None if ended is not None and ended < referred else ended
        tables.episodes.append(
            {"episode_id": f"{who}.E1", "client_id": who, "clinician_id": draw.choice(["K1", "K2"]),
             "referred_on": referred, "started_on": referred, "ended_on": ended}
        )  # fmt: skip
        for key in ("phq9", "gad7"):
            first = referred + days(draw.choice([0, 0, 30]))
            add_score(tables, who, key, first, draw.choice([9, 10, 11, 16, 20]))
            for gap in draw.sample(
                [60, 119, 120, 121, 200, 240, 241, 304, 305, 365, 425, 426], draw.randint(0, 5)
            ):
                add_score(tables, who, key, first + days(gap), draw.choice([0, 4, 5, 6, 8, 10, 12]))
    return tables


def episodes_with(tables: Tables, cohort: str):
    for episode in tables.episodes:
        since, ended = episode["referred_on"], episode["ended_on"]
        inside = {
            "finished": ended is not None and START <= ended <= END,
            "started": START <= since <= END,
            "in-care": since <= END and (ended is None or ended >= START),
        }[cohort]
        if inside:
            yield episode


def of_client(tables: Tables, client: str, key: str):
    rows = [row for row in tables.scores if row["client_id"] == client and row["instrument"] == key]
    return sorted((row["taken_on"], row["score"]) for row in rows)


def by_hand(tables: Tables, cohort: str, low: int, high: int):
    """Follow-up, response and remission, client by client."""
    counts = {"follow_up": 0, "response": 0, "remission": 0, "eligible": 0}
    for episode in episodes_with(tables, cohort):
        last_day = min(episode["ended_on"] or END, END)
        taken = of_client(tables, episode["client_id"], "phq9")
        index = [(day, score) for day, score in taken if episode["referred_on"] <= day <= last_day and score >= 10]
        if not index or index[0][0] + days(high) > END:
            continue
        counts["eligible"] += 1
        day, base = index[0]
        later = [score for when, score in taken if low <= (when - day).days <= high]
        if later:
            counts["follow_up"] += 1
            counts["response"] += later[-1] <= base / 2
            counts["remission"] += later[-1] < 5
    return counts


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "cohort"),
    [
        *(("polars", cohort) for cohort in outcomes.COHORTS),
        ("duckdb", "in-care"),
        *(
            pytest.param(kind, cohort, marks=pytest.mark.slow)
            for kind in ("pandas", "duckdb")
            for cohort in outcomes.COHORTS
            if (kind, cohort) != ("duckdb", "in-care")
        ),
    ],
)
def test_windows_after_an_elevated_score(people, kind, cohort):
    for name, low, high in (("hedis", 120, 240), ("cms159", 305, 425)):
        expected = by_hand(people, cohort, low, high)
        report = outcomes.report(frames_of(people, kind), name, cohort, start=START, end=END)
        for metric in report.metrics:
            assert (metric.numerator, metric.denominator) == (expected[metric.metric], expected["eligible"])
        assert ("response" in counted(report)) is (name == "hedis")
        assert expected["eligible"] > 5 or (name, cohort) == ("cms159", "started")  # no window of theirs is over


def test_the_severity_adjusted_effect_size_by_numpy(people):
    """The reference is regressed with numpy, and the two zeros differ by M / SD exactly."""
    pairs = {"before": [], "now": []}
    for episode in people.episodes:
        ended = episode["ended_on"]
        if ended is None or not (ended < START or ended <= END):
            continue
        taken = [
            pair for pair in of_client(people, episode["client_id"], "phq9")
            if episode["referred_on"] <= pair[0] <= ended
        ]  # fmt: skip
        if len(taken) > 1 and taken[0][1] >= 10:
            pairs["before" if ended < START else "now"].append((taken[0][1], taken[0][1] - taken[-1][1]))
    reference, now = (np.array(pairs[name], dtype=float) for name in ("before", "now"))
    text = definition_text("saes").replace("least_reference = 30", f"least_reference = {len(reference)}")
    report = outcomes.report(frames_of(people), _file(text), "finished", start=START, end=END)
    slope, intercept = np.polyfit(reference[:, 0], reference[:, 1], 1)
    sd, mean = reference[:, 0].std(ddof=1), reference[:, 1].mean()
    residuals = now[:, 1] - (intercept + slope * now[:, 0])
    acorn, openfit = report["phq9_total_saes_acorn"], report["phq9_total_saes_openfit"]
    assert openfit.denominator == acorn.denominator == len(now)
    assert openfit.value == pytest.approx(residuals.mean() / sd)
    assert acorn.value - openfit.value == pytest.approx(mean / sd)


def test_without_enough_earlier_care_there_is_no_adjusted_effect_size(people):
    text = definition_text("saes").replace("least_reference = 30", "least_reference = 1000")
    report = outcomes.report(frames_of(people), _file(text), start=START, end=END)
    assert "phq9_total_saes_acorn" not in counted(report)
    assert any("fewer than 1000 clients" in rule for rule in report.rules)


def test_a_reference_of_ones_own_is_used_and_named(people):
    text = definition_text("saes").replace(
        "references = []",
        "[[references]]\ninstrument = 'phq9'\nn = 900\nmean_improvement = 6.0\nsd = 5.0\nintercept = 0.0\n"
        "slope = 0.4\nsource = 'a published sample'",
    )
    report = outcomes.report(frames_of(people), _file(text), "finished", start=START, end=END)
    difference = report["phq9_total_saes_acorn"].value - report["phq9_total_saes_openfit"].value
    assert difference == pytest.approx(6 / 5)
    assert any("a published sample" in rule for rule in report.rules)


def _file(text: str):
    from mbc.outcomes.definitions.definition_file import _parse  # noqa: PLC0415

    return _parse(text, "test.toml")


def test_every_definition_says_what_it_is_and_where_it_is_from(people):
    for name in definitions():
        settings = definition(name)
        assert settings.rules == name
        assert settings.title
        assert settings.sources
        report = outcomes.report(frames_of(people), name, "in-care", start=START, end=END)
        assert report.title in report.summary()
        assert report.heading[1:] in report.summary()
        assert {metric.metric for metric in report.metrics}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('rules = "hedis"', 'rules = "hedes"'), "must name its rules"),
        (("elevated = 10", 'elevated = "ten"'), "elevated"),
        (("first = 120", "first = 300"), "last \\(240\\) is before first"),
        (("response = 0.5", "respons = 0.5"), "respons"),
        (("elevated = 10", "elevated = = 10"), "TOML"),
    ],
)
def test_a_fault_of_a_definition_file_is_named(tmp_path, change, fault):
    file = tmp_path / "ours.toml"
    file.write_text(definition_text("hedis").replace(*change))
    with pytest.raises(SettingsError, match=fault):
        definition(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        definition(tmp_path / "absent.toml")


@pytest.mark.parametrize("kind", ["polars", "duckdb"])
def test_who_is_in_no_relationship_is_found_as_the_client_s_page_finds_it(kind):
    """Drawn histories of statuses, on the last day of each episode, against the timelines of `mbc.care`."""
    draw = random.Random(7)
    day = dt.date(2026, 1, 1)
    episodes, statuses = [], []
    for number in range(200):
        who = f"S{number:03d}"
        ended = draw.choice([None, day + days(draw.randint(0, 120))])
        episodes.append((f"{who}.E", who, day, ended))
        dates = sorted(draw.sample(range(-30, 150), draw.randint(0, 5)))
        statuses += [
            (who, draw.choice([None, "R1", "R2"]),
             draw.choice(["single", "dating", "married", "ended", "separated"]), day + days(date))
            for date in dates
        ]  # fmt: skip
    statuses = [
        (who, whose, "single" if whose is None and status == "ended" else status, since)
        for who, whose, status, since in statuses
        if not (whose is not None and status == "single")
    ]
    end = day + days(100)
    table = pl.DataFrame(statuses, ["client_id", "relationship_id", "status", "since"], orient="row")
    frames = frames_of(Tables(), kind) | {
        "episodes": KINDS[kind](
            pl.DataFrame(episodes, {"episode_id": pl.String, "client_id": pl.String, "referred_on": pl.Date,
                                    "ended_on": pl.Date}, orient="row")
        ),
        "statuses": KINDS[kind](table),
    }  # fmt: skip
    source = open_source(frames)
    found = not_applicable(source.statuses, source.episodes, outcomes.Period(day, end).days[1])
    away = set(found.collect().to_polars()["episode_id"].to_list())
    courses = timelines(table, pl.DataFrame(schema={"client_id": pl.String, "relationship_id": pl.String,
                                                    "label": pl.String}))  # fmt: skip
    csi16 = instrument("csi16")
    expected = {
        episode
        for episode, who, _, ended in episodes
        if who in courses and courses[who].target_on(csi16, "self", min(ended or end, end)) is None
    }
    assert away == expected
    assert 20 < len(away) < 180
