"""Answers that look as if they were numbered otherwise: made up so that what they show can be seen by eye."""

from __future__ import annotations

import random

import pytest

from mbc.errors import ImportRefused, MbcError
from mbc.exchange import plan_import
from mbc.exchange.files import delimited_pages

pytestmark = pytest.mark.long


def table(key: str, items: int, rows: list[list[int]]) -> str:
    header = ",".join(["client", "date", *(f"{key}_{n}" for n in range(1, items + 1))])
    lines = [f"C{n},2026-01-05,{','.join(map(str, row))}" for n, row in enumerate(rows, start=1)]
    return "\n".join([header, *lines]) + "\n"


def drawn(items: int, people: int, low: int, high: int) -> list[list[int]]:
    random.seed(1)
    return [[random.randint(low, high) for _ in range(items)] for _ in range(people)]


@pytest.mark.parametrize(("key", "items", "rows", "words"), [
    ("phq9", 9, [*drawn(9, 30, 1, 3), [4] * 9], "numbered 1 to 4"),
    ("phq9", 9, drawn(9, 30, 1, 3), "numbered from 1"),
    ("phq9", 9, [[1, 2, 4, 1, 1, 2, 3, 1, 1], [2, 2, 3, 1, 1, 2, 3, 1, 1]], "numbered 1 to 4"),  # two people only
    ("who5", 5, [*drawn(5, 10, 1, 5), [6] * 5], "numbered 1 to 6"),
    ("ecr_s", 12, drawn(12, 30, 1, 5), "is above 5"),
    ("ecr12", 12, drawn(12, 30, 1, 4), "is above 4"),
    ("rses", 10, [*drawn(10, 5, 1, 3), [4] * 10], "but all of them fit 1-4"),
], ids=str)  # fmt: skip
def test_a_doubt_refuses_all_answers_and_skipping_stores_none(store, write, now, key, items, rows, words):
    path = write(table(key, items, rows))
    plan = plan_import(path, store, clinician="K1", now=now)
    assert plan.counts["refused"] == len(rows)
    assert words in plan.refusals[0]
    with pytest.raises(ImportRefused):
        plan.apply(store, skip_refused=True)
    assert store.administrations().is_empty()


@pytest.mark.parametrize(("key", "items", "rows"), [
    ("phq9", 9, [*drawn(9, 30, 1, 3), [0] * 9]),  # somebody without complaints
    ("phq9", 9, drawn(9, 5, 1, 3)),  # too few to wonder
    ("ecr_s", 12, [*drawn(12, 30, 1, 5), [7] * 12]),
    ("kmss", 3, drawn(3, 80, 3, 7)),  # satisfied: nobody at the foot
    ("rses", 10, drawn(10, 30, 0, 3)),
])  # fmt: skip
def test_answers_that_use_their_scale_raise_no_doubt(store, write, now, key, items, rows):
    plan = plan_import(write(table(key, items, rows)), store, clinician="K1", now=now)
    assert plan.counts["refused"] == 0


def test_the_user_may_confirm_the_coding(store, write, now):
    rows = drawn(9, 30, 1, 3)
    plan = plan_import(write(table("phq9", 9, rows)), store, clinician="K1", coding="0-3", now=now)
    assert plan.counts["stored"] == len(rows)


def test_or_say_what_each_number_counts_as(store, write, now):
    counts = {"phq9": {str(n + 1): n for n in range(4)}}
    path = write(table("phq9", 9, [*drawn(9, 30, 1, 3), [4] * 9]))
    plan = plan_import(path, store, clinician="K1", values=counts, now=now)
    assert plan.counts["stored"] == 31
    assert plan.administrations["answers"].to_list()[-1] == [3.0] * 9


@pytest.mark.parametrize("length", [1_500, pytest.param(6_000, marks=pytest.mark.slow)])
def test_a_long_file_read_in_pages_is_doubted_as_a_whole(store, write, now, monkeypatch, length):
    monkeypatch.setattr(delimited_pages, "PAGE", delimited_pages.PAGE * length // 60_000)
    rows = [*drawn(9, length, 1, 3), [4] * 9]
    plan = plan_import(write(table("phq9", 9, rows)), store, clinician="K1", now=now)
    assert plan.counts["refused"] == len(rows)


@pytest.mark.parametrize(("key", "items", "words", "numbers"), [
    ("rses", 10, ("Strongly agree", "agree", "DISAGREE", "Strongly disagree"), (3, 2, 1, 0)),
    ("gad7", 7, ("Nearly every day", "Several days", "Not at all", "Several days"), (3, 1, 0, 1)),
    ("who5", 5, ("All of the time", "At no time", "Most of the time", "Some of the time"), (5, 0, 4, 1)),
    ("k10", 10, ("None of the time", "All of the time", "Most of the time", "A little of the time"), (1, 5, 4, 2)),
])  # fmt: skip
def test_answers_in_the_questionnaires_own_words_need_no_mapping(store, write, now, key, items, words, numbers):
    rows = [[words[n % 4] for n in range(items)]]
    plan = plan_import(write(table(key, items, rows)), store, clinician="K1", now=now)
    assert plan.administrations["answers"].to_list() == [[numbers[n % 4] for n in range(items)]]
    assert any("answers in words are read as" in note for note in plan.notes)


def test_words_of_another_scale_are_refused(store, write, now):
    plan = plan_import(write(table("phq9", 9, [["Agree"] * 9])), store, clinician="K1", now=now)
    assert "'Agree' is not a number" in plan.refusals[0]


def test_words_in_a_file_that_is_read_in_another_coding_count_the_same(store, write, now):
    rows = [["Nearly every day", "Not at all", "1", "2", "3", "4", "Several days"]]
    plan = plan_import(write(table("gad7", 7, rows)), store, clinician="K1", coding="1-4", now=now)
    assert plan.administrations["answers"].to_list() == [[4, 1, 1, 2, 3, 4, 2]]


def of_one_trait(people: int, reverse: set[int]) -> list[list[int]]:
    """Answers of 0 to 3 to ten items that follow one trait; the reversed ones the other way."""
    random.seed(2)
    rows: list[list[int]] = []
    for _ in range(people):
        trait = random.gauss(1.5, 0.9)
        keyed = [min(3, max(0, round(random.gauss(trait, 0.6)))) for _ in range(10)]
        rows.append([3 - value if n in reverse else value for n, value in enumerate(keyed, start=1)])
    return rows


ORDER_A, ORDER_B = {2, 5, 6, 8, 9}, {3, 5, 8, 9, 10}  # reversed positions


def test_another_item_order_refuses_all_answers_and_names_the_order(store, write, now):
    path = write(table("rses", 10, of_one_trait(250, ORDER_B)))
    plan = plan_import(path, store, clinician="K1", now=now)
    assert plan.counts["refused"] == 250
    assert "are more consistent in form b" in plan.refusals[0]
    assert "--form rses=b" in plan.refusals[0]
    assert "--form rses=a" in plan.refusals[0]
    right = plan_import(path, store, clinician="K1", form="b", now=now)
    assert right.counts["refused"] == 0


def test_the_user_may_confirm_the_item_order(store, write, now):
    path = write(table("rses", 10, of_one_trait(250, ORDER_B)))
    assert plan_import(path, store, clinician="K1", form="a", now=now).counts["refused"] == 0


@pytest.mark.parametrize(("people", "reverse"), [(250, ORDER_A), (150, ORDER_B)])
def test_the_right_order_and_few_people_raise_no_doubt(store, write, now, people, reverse):
    plan = plan_import(write(table("rses", 10, of_one_trait(people, reverse))), store, clinician="K1", now=now)
    assert plan.counts["refused"] == 0


def test_another_response_scale_is_refused_and_the_way_to_score_it_named(store, write, now):
    path = write(table("ecr", 36, drawn(36, 40, 1, 5)))
    plan = plan_import(path, store, clinician="K1", now=now)
    assert "mbc score FILE ecr --coding 1-5" in plan.refusals[0]
    with pytest.raises(MbcError, match="on a different metric"):
        plan_import(path, store, clinician="K1", coding="1-5", now=now)
