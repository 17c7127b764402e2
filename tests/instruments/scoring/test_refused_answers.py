"""Which answers are refused, and every word of the message: rows, columns, values, accepted range, repair."""

from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc.errors import InvalidResponse
from mbc.instruments import refused_answers

GAD7 = [f"gad7_{n}" for n in range(1, 8)]


def table(*rows, names=GAD7) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=list(names), orient="row", strict=False)


def message(frame, key="gad7", **options) -> str:
    with pytest.raises(InvalidResponse) as refusal:
        mbc.score(frame, key, **options)
    return str(refusal.value)


def test_every_refused_answer_is_listed_in_the_order_of_the_rows():
    frame = table([0, 1, 2, 3, 0, 1, 9], [0] * 7, [-1, 1, 2, 3, 0, 5, 1])
    assert refused_answers(frame, "gad7") == [
        "row 1, gad7_7: 9 (accepted: 0-3)",
        "row 3, gad7_1: -1 (accepted: 0-3)",
        "row 3, gad7_6: 5 (accepted: 0-3)",
    ]
    numbered = frame.with_columns(line=pl.Series([12, 40, 41]))
    assert refused_answers(numbered, "gad7", numbered="line") == [
        "row 12, gad7_7: 9 (accepted: 0-3)",
        "row 41, gad7_1: -1 (accepted: 0-3)",
        "row 41, gad7_6: 5 (accepted: 0-3)",
    ]
    assert refused_answers(frame.lazy(), "gad7") == []
    assert refused_answers(table([0, 1, 2, 3, None, 0, 1]), "gad7") == []


def test_answers_of_a_row_come_in_the_order_of_the_questionnaire():
    frame = table([0, 9, 0, 0, 0, 0, 0, 0, 0, 9], names=[f"rses_{n}" for n in range(1, 11)])
    assert refused_answers(frame, "rses") == [
        "row 1, rses_2: 9 (accepted: 0-3)",
        "row 1, rses_10: 9 (accepted: 0-3)",
    ]


def test_no_more_than_a_thousand_are_listed():
    frame = table(*([9] * 7 for _ in range(150)))
    listed = refused_answers(frame, "gad7")
    assert len(listed) == 1000
    assert listed[-1] == "row 143, gad7_6: 9 (accepted: 0-3)"


def test_parts_of_a_whole_answer_and_words_are_refused():
    frame = table(["0", "1.5", "2", "3", "often", "1", "1"])
    assert refused_answers(frame, "gad7") == [
        "row 1, gad7_2: 1.5 (accepted: 0-3)",
        "row 1, gad7_5: 'often' (accepted: 0-3)",
    ]


def test_columns_with_the_same_values_share_a_line_and_rows_are_counted():
    text = message(table([9, 9, 9, 9, 9, 9, 9], [0] * 7))
    assert text.startswith(
        "gad7, coding '0-3': 1 row has answers that are not accepted: gad7_1, gad7_2, gad7_3, ..., gad7_7 have "
        "9 (accepted: 0-3). "
    )
    text = message(table([9, 0, 0, 0, 0, 0, 0], [0, 8, 0, 0, 0, 0, 0], [0] * 7))
    assert text.startswith(
        "gad7, coding '0-3': 2 rows have answers that are not accepted: gad7_1 has 9 (accepted: 0-3); gad7_2 has "
        "8 (accepted: 0-3). "
    )


def test_five_columns_are_all_named_and_at_most_six_values():
    five = table([9, 9, 9, 9, 9, 0, 0])
    assert "gad7_1, gad7_2, gad7_3, gad7_4, gad7_5 have 9" in message(five)
    six = table(*([10 + n, *[0] * 6] for n in range(6)))
    assert "gad7_1 has 10, 11, 12, 13, 14, 15 (accepted" in message(six)
    seven = table(*([10 + n, *[0] * 6] for n in range(7)))
    assert "gad7_1 has 10, 11, 12, 13, 14, 15, ... (accepted" in message(seven)
    lazy = message(seven.lazy())
    assert "gad7_1 has 10, 11, 12, 13, 14, 15, ... (accepted" in lazy


def test_six_different_lines_are_given_and_more_are_counted():
    six = table([10, 11, 12, 13, 14, 15, 0])
    assert message(six).count(" has ") == 7  # the row, and its six columns
    assert "more" not in message(six)
    seven = table([10, 11, 12, 13, 14, 15, 16])
    assert "; and 1 more. " in message(seven)


def test_what_to_do_follows_from_the_answers():
    assert message(table([1, 2, 3, 4, 1, 2, 3])).endswith("All answers are between 1 and 4: pass coding='1-4'?")
    blank = message(table([0, 2, 3, 4, 1, 2, 3]))
    assert blank.endswith(
        "All answers other than 0 are between 1 and 4: pass coding='1-4', and make 0 null if it stands for 'not "
        "answered'?"
    )
    assert message(table([0, 2, 3, 9, 1, 2, 3])).endswith(
        'Correct them, or pass invalid="null" to count them as blank.'
    )
    words = message(table(["0", "1", "2", "3", "often", "1", "1"]))
    assert words.endswith(
        'Correct them, or pass invalid="null" to count them as blank. A row without answers, such as a '
        "row of means, must be removed."
    )
    k10 = [f"k10_{n}" for n in range(1, 11)]
    zero = message(table([0, 1, 2, 3, 4, 5, 1, 1, 1, 1], names=k10), "k10")
    assert zero.endswith("If 0 stands for 'not answered' there, make it null, or pass invalid=\"null\".")


def test_a_scale_whose_items_are_all_reversed_is_turned():
    """Maximum plus minimum less the answer, for every item: 7 items of 1 to 5."""
    social = next(scale for scale in mbc.instrument("sses").scales if scale.key == "social")
    assert set(social.items) == set(social.reverse)
    names = [f"sses_{n}" for n in range(1, 21)]
    frame = table([2] * 20, [5] * 20, [1] * 20, [None] * 20, names=names)
    assert mbc.score(frame, "sses")["sses_social"].to_list() == [28, 7, 35, None]
