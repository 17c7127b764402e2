"""``mbc review`` says in words what the charts show."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import NotInRecord, StoreNotFound, UnknownInstrument
from mbc.store import Administration, Client, Clinician, Event, Flag, Goal, GoalRating, Store

START = dt.date(2025, 1, 6)


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as made, made.writing(by="test") as record:
        record.add(Clinician("K1", "Dr. Ilse Marten"))
        record.add(Client("C1", "Amber alder", "K1"))
        record.add(Client("C2", clinician_id="K1"))
        for n, answers in enumerate(((2,) * 9, (1,) * 9, (0,) * 9)):
            day = START + dt.timedelta(weeks=2 * n)
            flags = (Flag("i9"),) if answers[8] else ()
            record.add(Administration("C1", "phq9", day, answers=answers, session_number=n + 1, flags=flags))
        record.add(Goal("G1", "C1", "Take up [running] again", START, baseline=2, target=7))
        record.add(GoalRating("G1", START + dt.timedelta(weeks=2), 5))
        record.add(Event("V1", "C1", START + dt.timedelta(weeks=1), "social", "Joined a choir", "growth"))
    return address


def run(*arguments: str) -> str:
    result = CliRunner().invoke(program, arguments, catch_exceptions=False, standalone_mode=False)
    assert result.exit_code == 0
    return " ".join(result.output.split())


def test_the_chart_is_told_in_words(url):
    told = run("review", "C1", "--store", url)
    assert "C1 (Amber alder), clinician: Dr. Ilse Marten" in told
    # 18 to 9 to 0: both beyond the 6 points of NHS Talking Therapies
    assert "From 18 on 6 January to 0 on 3 February: clearly better since 3 February" in told
    assert "Latest score compared with the first score only: 18 points better" in told
    assert "Recorded as growth: Joined a choir" in told


def test_every_occasion_is_listed_with_its_count(url):
    told = run("review", "C1", "--store", url)
    assert "2025-01-06 1 18 9 of 9" in told
    assert "2025-01-20 2 9 9 of 9 −9 clear change" in told
    assert "2025-01-20 2" not in run("review", "C1", "--store", url, "--no-table")


def test_goals_and_completeness_are_told_and_markup_is_not_obeyed(url):
    told = run("review", "C1", "--store", url)
    assert "Take up [running] again. From 2 to 5 on 20 January 2025; 2 points to the target of 7." in told
    assert "PHQ-9: 3 answered; usually within 2 weeks; last on 3 February 2025, due." in run(
        "review", "C1", "--store", url, "--as-of", "2025-03-01"
    )


def test_the_safety_channel_is_not_part_of_it(url):
    told = run("review", "C1", "--store", url).lower()
    assert not any(word in told for word in ("i9", "flag", "risk", "suicid", "safety"))


def test_one_questionnaire_can_be_asked_for(url):
    assert "No answers on record." in run("review", "C1", "--store", url, "-i", "rses")


def test_a_client_without_answers_has_a_review(url):
    assert "No scores on record yet." in run("review", "C2", "--store", url)


@pytest.mark.parametrize(
    ("arguments", "fault", "words"),
    [
        (("C9",), NotInRecord, "There is no client 'C9' on record"),
        (("C1", "-i", "phq99"), UnknownInstrument, "phq9"),
    ],
)
def test_what_is_not_there_is_refused(url, arguments, fault, words):
    with pytest.raises(fault, match=words) as refused:
        run("review", *arguments, "--store", url)
    assert "C1" not in str(refused.value)  # other ids are not offered


def test_a_record_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreNotFound):
        run("review", "C1", "--store", f"sqlite:///{tmp_path}/none.db")
