"""What is entered day by day stands on the client's time axis: homework, small wins, conflicts, ruptures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from mbc.care import client_review
from mbc.care.client.review_words import agenda
from mbc.figures.client_page.paper import paper_chart
from mbc.figures.client_page.sheet import shared_sheet
from mbc.figures.client_page.timeline_chart import TIME_TO_REPAIR, lives_of, repair_caption, timeline_chart
from mbc.store import (
    Administration,
    AllianceRupture,
    Client,
    Homework,
    RelationshipConflict,
    SmallWin,
    Store,
)

FIRST = date(2026, 1, 5)


def day(week: int) -> date:
    return FIRST + timedelta(weeks=week)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add(Client("C1"))
            record.add_all([Administration("C1", "gad7", day(week), (1,) * 7) for week in (0, 2, 4, 8)])
            record.add(Homework("H-1", "C1", day(1), "ask once a day", "done", 7, day(2)))
            record.add(Homework("H-2", "C1", day(3), "write it down", "not done"))
            record.add(Homework("H-3", "C1", day(7), "say no"))
            record.add(SmallWin("W-1", "C1", day(3), "said no at work"))
            record.add(RelationshipConflict("X-1", "C1", day(2), 7, repaired=True, hours_to_repair=3))
            record.add(RelationshipConflict("X-2", "C1", day(6), repaired=False, count=3))
            record.add(
                AllianceRupture("A-1", "C1", day(4), repaired=True, repaired_on=day(5), label="<b>late</b>")
            )
            record.add(SmallWin("W-2", "C1", day(30), "of a later day than is read"))
        yield made


def test_entries_are_marks_in_order_of_time_with_what_they_say(store: Store):
    review = client_review(store, "C1", as_of=day(8))
    assert [(mark.on, mark.kind, mark.words) for mark in review.strips] == [
        (day(2), "conflict repaired", "Conflict, strength 7 of 10, repaired after 3 h"),
        (day(2), "homework done", "Homework: ask once a day, done, helpful 7"),
        (day(3), "homework not done", "Homework: write it down, not done"),
        (day(3), "small win", "Small win: said no at work"),
        (day(4), "rupture repaired", "Rupture: <b>late</b>, repaired"),
        (day(6), "conflict", "3 conflicts, not repaired"),
        (day(7), "homework open", "Homework: say no, not asked yet"),
    ]
    assert "Homework: 1 open" in agenda(review)


def test_each_has_a_row_where_there_is_something_to_show(store: Store):
    review = client_review(store, "C1", as_of=day(8))
    sheet = shared_sheet(review.trajectories)
    assert sheet is not None
    chart = timeline_chart(lives_of(review), sheet)
    axis = chart["layout"]["yaxis"]
    rows = dict(zip(axis["ticktext"], axis["tickvals"], strict=True))
    assert list(rows) == [
        "Questionnaires", "Sessions", "Alliance", "Homework, wins", "Conflicts", "Events", "Relationship",
    ]  # fmt: skip
    drawn = {trace["meta"]["role"]: trace for trace in chart["data"]}
    for role, row in (
        ("homework done", "Homework, wins"),
        ("small win", "Homework, wins"),
        ("conflict", "Conflicts"),
        ("rupture repaired", "Alliance"),
    ):
        assert set(drawn[role]["y"]) == {rows[row]}
    assert "<b>" not in drawn["rupture repaired"]["hovertext"][0]
    assert paper_chart(chart, caption="Timeline", width=180, height=50)


def test_a_view_that_may_not_read_them_has_none(store: Store):
    plain = client_review(store, "C1", as_of=FIRST)
    sheet = shared_sheet(plain.trajectories)
    assert plain.strips == ()
    assert (
        sheet is None or "Conflicts" not in timeline_chart(lives_of(plain), sheet)["layout"]["yaxis"]["ticktext"]
    )


def test_a_repair_outside_the_usual_range_is_named():
    hours = (10, 12, 9, 11, 10, 12, 10, 40)
    with Store.create("sqlite://") as made:
        with made.writing() as record:
            record.add(Client("C1"))
            for place, lasted in enumerate(hours):
                record.add(RelationshipConflict(f"K-{place}", "C1", day(place), 5, True, lasted))
            record.add_all([Administration("C1", "gad7", day(week), (1,) * 7) for week in (0, 9)])
        reviews = [client_review(made, "C1", as_of=day(week)) for week in (4, 5, 9)]
    charts = []
    for review in reviews:
        sheet = shared_sheet(review.trajectories, until=review.as_of)
        assert sheet is not None
        charts.append(timeline_chart(lives_of(review), sheet))
    few, enough, review = reviews
    assert few.repair_words == "Time to repair is known of 5 conflicts; limits are drawn from 6 on."
    assert [TIME_TO_REPAIR in chart["layout"]["yaxis"]["ticktext"] for chart in charts] == [False, True, True]
    assert few.repair_band is None
    assert enough.repair_band is not None
    drawn = {trace["meta"]["role"]: trace for trace in charts[-1]["data"]}
    (row,) = [
        at
        for at, name in zip(*(charts[-1]["layout"]["yaxis"][key] for key in ("tickvals", "ticktext")), strict=True)
        if name == TIME_TO_REPAIR
    ]
    height = {0: row - 0.4, 40: row + 0.4}  # from no time at all to the longest
    assert drawn["repair"]["y"][-1] == pytest.approx(height[40])
    band = drawn["repair limits"]["y"]
    assert (min(band), max(band)) == pytest.approx((height[0], row - 0.4 + 0.8 * (14.25 + 3 / 1.128 * 6) / 40))
    assert drawn["repair outside"]["x"] == [day(7).isoformat()]
    assert paper_chart(charts[-1], caption="Timeline", width=180, height=50)
    said = repair_caption(review, drawn=True)
    assert said.endswith("the grey band is the usual range, a diamond one outside it.")
    assert repair_caption(review, drawn=False) == review.repair_words
    words = review.repair_words
    # by hand: mean 14.25, mean moving range (2+3+2+1+2+2+30)/7 = 6, limits 14.25 +- 3/1.128*6 = -1.71 and 30.21
    assert words == (
        "Repair takes 14.2 h on average over 8 conflicts, usually 0 to 30.2 h (few so far). Outside: 40 h on "
        "23 Feb 2026."
    )
