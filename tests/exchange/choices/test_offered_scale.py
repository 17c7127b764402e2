"""The choices that a file lists decide what its answers count as: made-up choices, read by eye."""

from __future__ import annotations

import pytest

from mbc.exchange.choices.answer_words import direction, is_non_answer, place_of
from mbc.exchange.choices.offered_scale import judge
from mbc.exchange.choices.standard_scales import words_of
from mbc.instruments import instrument, keys

AGREEMENT = ("Strongly disagree", "Disagree", "Agree", "Strongly agree")
DAYS = ("Not at all", "Several days", "More than half the days", "Nearly every day")
TIME = ("None of the time", "A little of the time", "Some of the time", "Most of the time", "All of the time")


def judged(key: str, *offered: dict[float, str]):
    measure = instrument(key)
    every = list(offered) * (len(measure.items) if len(offered) == 1 else 1)
    return judge(measure, measure.form(), measure.item_columns(), every)


def numbered(labels: tuple[str, ...], first: int) -> dict[float, str]:
    return dict(enumerate(labels, start=first))


@pytest.mark.parametrize(("key", "labels", "first", "coding"), [
    ("rses", AGREEMENT, 0, "0-3"),
    ("rses", AGREEMENT, 1, "1-4"),
    ("gad7", DAYS, 1, "1-4"),
    ("k10", TIME, 1, "1-5"),
    ("k6", TIME, 1, "1-5"),
    ("rses", ("a", "b", "c", "d"), 1, "1-4"),  # words that say nothing: the numbers decide
    ("rses", ("", "", "", ""), 0, "0-3"),
])  # fmt: skip
def test_choices_of_a_coding_are_read_as_that_coding(key, labels, first, coding):
    found = judged(key, numbered(labels, first))
    assert (found.coding and found.coding.key, found.problem) == (coding, None)


@pytest.mark.parametrize(("key", "labels", "first"), [
    ("rses", AGREEMENT[::-1], 1),
    ("rses", AGREEMENT[::-1], 0),
    ("phq9", DAYS[::-1], 0),
    ("k10", TIME[::-1], 1),
    ("ecr_s", ("Strongly agree", "Agree", "Slightly agree", "Neutral", "Slightly disagree", "Disagree",
               "Strongly disagree"), 1),
    ("wsas", ("Very severely", *["x"] * 7, "Not at all"), 0),
    ("rses", ("Stimme völlig zu", "Stimme zu", "Stimme nicht zu", "Stimme überhaupt nicht zu"), 1),
    ("rses", ("Helemaal mee eens", "Mee eens", "Mee oneens", "Helemaal mee oneens"), 1),
    ("rses", ("Tout à fait d'accord", "D'accord", "Pas d'accord", "Pas du tout d'accord"), 0),
    ("hark", ("Yes", "No"), 0),
])  # fmt: skip
def test_choices_that_run_the_other_way_are_refused_with_both_scales(key, labels, first):
    found = judged(key, numbered(labels, first))
    assert found.coding is None
    assert found.problem is not None
    assert "run in the opposite direction" in found.problem
    assert f"{first} '{labels[0]}'" in found.problem  # the file's scale ...
    assert "; coding " in found.problem  # ... beside the questionnaire's


def test_the_repair_that_is_offered_turns_the_numbers_round():
    problem = str(judged("rses", numbered(AGREEMENT[::-1], 1)).problem)
    assert '[values.rses] "1" = 3, "2" = 2, "3" = 1, "4" = 0' in problem


def test_one_item_that_is_reversed_already_is_named():
    choices = [numbered(AGREEMENT, 0)] * 9 + [numbered(AGREEMENT[::-1], 0)]
    problem = str(judged("rses", *choices).problem)
    assert "'rses_10' offers 0 'Strongly agree'" in problem
    assert "reversed already" in problem


@pytest.mark.parametrize(("key", "labels", "first"), [
    ("phq9", DAYS, 1),  # there is no coding 1-4 of PHQ-9
    ("rses", ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"), 1),
    ("who5", DAYS, 0),
    ("k10", DAYS, 0),
])  # fmt: skip
def test_numbers_of_no_coding_are_refused(key, labels, first):
    found = judged(key, numbered(labels, first))
    assert "not one of its answer codings" in str(found.problem)


@pytest.mark.parametrize(
    ("key", "labels"), [("phq9", AGREEMENT), ("rses", DAYS), ("gad7", ("No", "b", "c", "Yes"))]
)
def test_labels_of_another_questionnaire_are_refused(key, labels):
    assert "not the answers of this questionnaire" in str(judged(key, numbered(labels, 0)).problem)


def test_ways_of_not_answering_are_no_answers():
    choices = {**numbered(DAYS, 0), 4: "Prefer not to say", 9: "Don't know"}
    assert judged("phq9", choices).problem is None
    assert judged("phq9", {**choices, 4: "Always"}).problem is not None


def test_words_that_are_not_known_are_shown_for_a_person_to_check():
    found = judged("rses", numbered(("röd", "blå", "grön", "gul"), 1))
    assert found.coding is not None
    assert "the direction of the answer choices" in str(found.note)
    assert "1 'röd'" in str(found.note)


@pytest.mark.parametrize("flip", [False, True])
def test_a_printed_coding_that_turns_some_items_round_is_told_by_its_labels(flip):
    core10 = instrument("core10")
    up = numbered(("Not at all", "Only occasionally", "Sometimes", "Often", "Most or all the time"), 0)
    down = dict(zip(up, reversed(up.values()), strict=True))
    offered = [down if flip and item in {"i2", "i3"} else up for item in core10.form().order]
    found = judge(core10, core10.form(), core10.item_columns(), offered)
    assert found.coding is not None
    assert found.coding.key == ("printed" if flip else "endorsement")


@pytest.mark.parametrize("key", keys())
def test_the_standard_words_of_a_questionnaire_rise_with_their_numbers(key):
    by_number = sorted((number, word) for word, number in words_of(instrument(key)).items())
    if by_number:
        assert direction(by_number[0][1], by_number[-1][1]) == "rising"
        low, high = instrument(key).coding().accepted(instrument(key).items[0])
        assert {number for number, _ in by_number} == set(range(low, high + 1))


def test_words_are_found_whatever_is_written_around_them():
    for label in ("Strongly agree", "<b>STRONGLY&nbsp;AGREE</b>", "4 = strongly agree", "(4) Strongly agree."):
        place = place_of(label)
        assert place is not None, label
        assert (place.family, place.degree) == ("agreement", 3)
    assert direction("red", "blue") is None
    assert direction("Not at all", "Strongly agree") is None  # two kinds of scale cannot be compared
    assert not is_non_answer("Not at all true")
