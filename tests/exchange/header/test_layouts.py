from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from mbc.exchange import plan_import
from mbc.instruments import instrument

ANSWERS = (3, 2, 1, 0, None, 2, 1, 0, 3, 2)
AS_STORED = [3.0, 2.0, 1.0, 0.0, None, 2.0, 1.0, 0.0, 3.0, 2.0]


def answers_of(plan) -> list[list[float | None]]:
    return plan.administrations["answers"].to_list()


def test_a_wide_file_is_recognised_and_a_blank_stays_blank(write, rses_text, now):
    plan = plan_import(write(rses_text([("C1", "2026-01-05", ANSWERS)])), now=now)
    assert plan.layout == "wide"
    assert answers_of(plan) == [AS_STORED]
    row = plan.administrations.row(0, named=True)
    assert (row["client_id"], row["taken_on"], row["form"], row["coding"]) == ("C1", date(2026, 1, 5), "a", "0-3")
    assert (row["informant"], row["target"], row["taken_at"]) == ("client", "self", None)


@pytest.mark.parametrize(
    "name", ["rses_{n}", "RSES_{n}", "rses{n}", "RSES {n}", "rses-{n:02}", "rses_q{n}", "RSES.Item.{n}"]
)
def test_item_columns_are_known_by_their_prefix(write, rses_text, now, name):
    text = rses_text([("C1", "2026-01-05", ANSWERS)])
    for n in range(10, 0, -1):
        text = text.replace(f"rses_{n}", name.format(n=n))
    assert answers_of(plan_import(write(text), now=now)) == [AS_STORED]


def test_other_item_names_are_read_by_pattern_or_by_map(write, rses_text, now):
    text = rses_text([("C1", "2026-01-05", ANSWERS)])
    by_pattern = write(text.replace("rses_", "Q"), name="pattern.csv")
    assert answers_of(plan_import(by_pattern, instrument="rses", items="Q{n}", now=now)) == [AS_STORED]
    by_map = write(text.replace("rses_10", "last"), name="map.csv")
    assert answers_of(plan_import(by_map, columns={"rses_10": "last"}, now=now)) == [AS_STORED]


def test_a_column_of_questionnaires_says_whose_a_pattern_is(write, rses_text, now):
    text = rses_text([("C1", "2026-01-05", ANSWERS)]).replace("rses_", "Q")
    lines = text.splitlines()
    with_key = write(f"measure,{lines[0]}\nRSES,{lines[1]}\n")
    assert plan_import(with_key, items="Q{n}", now=now).administrations["instrument"].to_list() == ["rses"]


@pytest.mark.parametrize(
    "header", ["client_id", "Client", "Client ID", "patient", "PATIENT_ID", "participant id", "subject", "id"]
)
def test_the_client_goes_by_many_names(write, rses_text, now, header):
    text = rses_text([("C1", "2026-01-05", ANSWERS)]).replace("client_id", header)
    assert plan_import(write(text), now=now).administrations["client_id"].to_list() == ["C1"]


def test_the_surer_name_wins_and_a_map_outranks_every_name(write, rses_text, now):
    text = rses_text([("C1", "2026-01-05", ANSWERS)])
    numbered = text.replace("client_id", "id,client").replace("C1", "17,C1")
    assert plan_import(write(numbered), now=now).administrations["client_id"].to_list() == ["C1"]
    mapped = plan_import(write(numbered), columns={"client_id": "id"}, now=now)
    assert mapped.administrations["client_id"].to_list() == ["17"]


def test_several_questionnaires_side_by_side_are_several_administrations(write, now):
    keys = ("gad7", "phq9", "csi4")
    columns = [column for key in keys for column in instrument(key).item_columns()]
    first = ["1"] * len(columns)
    second = ["1"] * 7 + [""] * 9 + ["2", "", "2", "2"]
    lines = [",".join(["client", "date", *columns])]
    lines += [",".join(["C1", f"2026-01-0{n}", *cells]) for n, cells in enumerate((first, second), 1)]
    plan = plan_import(write("\n".join(lines) + "\n"), now=now)
    assert plan.administrations["instrument"].to_list() == ["gad7", "phq9", "csi4", "gad7", "csi4"]
    assert answers_of(plan)[-1] == [2.0, None, 2.0, 2.0]
    one = plan_import(write("\n".join(lines) + "\n"), instrument="phq9", now=now)
    assert one.administrations["instrument"].to_list() == ["phq9"]
    assert "1 questionnaire without any answer left out (row 3)." in one.notes


def test_a_long_file_is_recognised_with_its_rows_in_any_order(write, now):
    rows = [
        f"C1;05.01.2026;Rosenberg Self-Esteem Scale;Q{n};{int(a)},0"
        for n, a in enumerate(AS_STORED, 1)
        if a is not None
    ]
    rows = [*reversed(rows), "C1;05.01.2026;RSES;5;", *(f"C2;2026-01-05;GAD-7;{n};1" for n in range(1, 8))]
    plan = plan_import(write("client;taken;questionnaire;question;answer\n" + "\n".join(rows) + "\n"), now=now)
    assert plan.layout == "long"
    assert plan.administrations["instrument"].to_list() == ["rses", "gad7"]
    assert answers_of(plan) == [AS_STORED, [1.0] * 7]
    assert plan.to_frame()["rows"].to_list() == ["2-11", "12-18"]


def test_rows_of_one_administration_may_lie_apart(write, now):
    rows = ["C1,2026-01-05,csi4,1,6", "C2,2026-01-05,csi4,1,5", "C1,2026-01-05,csi4,2,4"]
    text = "\n".join(["client,date,instrument,item,value", *rows]) + "\n"
    plan = plan_import(write(text), now=now)
    assert answers_of(plan) == [[6.0, 4.0, None, None], [5.0, None, None, None]]
    assert plan.to_frame()["rows"].to_list() == ["2-4 (2 of them)", "3"]


def test_a_long_file_of_one_questionnaire_needs_no_column_for_it(write, now):
    text = "client,date,item,value\nC1,2026-01-05,1,6\n"
    assert answers_of(plan_import(write(text), instrument="csi4", now=now)) == [[6.0, None, None, None]]


def test_kept_totals_are_read_with_decimal_commas(write, now):
    rows = ["C1;05.01.2026;RSES;;17,5", "C1;05.01.2026;ECR-S;Anxiety;3,25", "C1;05.01.2026;ecr_s;avoidance;2"]
    text = "\n".join(["Patient;Date;Measure;Subscale;Total score", *rows]) + "\n"
    plan = plan_import(write(text, encoding="cp1252"), now=now)
    assert plan.layout == "totals"
    assert plan.administrations["totals"].to_list() == [
        [{"scale": "total", "score": 17.5}],
        [{"scale": "anxiety", "score": 3.25}, {"scale": "avoidance", "score": 2.0}],
    ]
    assert answers_of(plan) == [None, None]


def test_a_column_may_name_form_and_coding_row_by_row(write, rses_text, now):
    lines = rses_text([("C1", "2026-01-05", [1] * 10), ("C2", "2026-01-05", [4] * 10)]).splitlines()
    text = "\n".join([f"form,coding,{lines[0]}", f"a,,{lines[1]}", f"b,1-4,{lines[2]}"]) + "\n"
    plan = plan_import(write(text), now=now)
    assert plan.counts["refused"] == 0
    assert plan.administrations.select("form", "coding").rows() == [("a", "0-3"), ("b", "1-4")]
    assert plan.notes == ()


def test_a_command_that_contradicts_the_file_is_refused(write, rses_text, now):
    lines = rses_text([("C1", "2026-01-05", [1] * 10)]).splitlines()
    plan = plan_import(write(f"coding,{lines[0]}\n0-3,{lines[1]}\n"), coding="1-4", now=now)
    assert plan.refusals == ("row 2: coding: the file says '0-3', the command '1-4'",)


def test_an_item_order_taken_for_granted_is_said(write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", ANSWERS)]))
    assert any("in the order of form a" in note for note in plan_import(path, now=now).notes)
    assert plan_import(path, form="b", now=now).notes == ()


def test_a_text_for_missing_is_blank_only_when_named(write, rses_text, now):
    path = write(rses_text([("C1", "2026-01-05", ["NA", 99, *[1] * 8])]))
    assert plan_import(path, now=now).counts["refused"] == 1
    plan = plan_import(path, blank=("na", "99"), now=now)
    assert answers_of(plan) == [[None, None, *[1.0] * 8]]


def test_many_answers_that_never_use_the_lowest_raise_a_doubt(write, rses_text, now):
    rows = [("C1", f"2026-01-{day:02}", [1, 2, 3, 1, 2, 3, 1, 2, 3, 1]) for day in range(1, 12)]
    notes = plan_import(write(rses_text(rows)), now=now).notes
    assert any("no answer of 110 is the lowest of coding 0-3" in note and "rses=1-4" in note for note in notes)
    assert not any("lowest" in note for note in plan_import(write(rses_text(rows)), coding="1-4", now=now).notes)


def test_codings_of_the_same_range_raise_no_doubt(write, now):
    columns = instrument("csi16").item_columns()
    rows = [",".join(["C1", f"2026-01-{day:02}", *["3"] * 16]) for day in range(1, 12)]
    plan = plan_import(write("\n".join([",".join(["client", "date", *columns]), *rows]) + "\n"), now=now)
    assert not any("coding" in note for note in plan.notes)


def test_columns_that_are_not_read_are_named(write, rses_text, now):
    lines = rses_text([("C1", "2026-01-05", ANSWERS)]).splitlines()
    notes = plan_import(write(f"{lines[0]},mood\n{lines[1]},fine\n"), form="a", now=now).notes
    assert notes == ("Columns not used: 'mood'.",)


def test_moments_with_a_zone_tell_two_administrations_of_a_day_apart(write, now):
    rows = ["C1,2026-01-05T09:00+01:00,1,1,1,1", "C1,2026-01-05T18:00+01:00,2,2,2,2"]
    text = "\n".join(["client,date,csi4_1,csi4_2,csi4_3,csi4_4", *rows]) + "\n"
    plan = plan_import(write(text), now=now)
    assert plan.counts["stored"] == 2
    assert plan.administrations["taken_at"].dt.hour().to_list() == [8, 17]
    assert plan.administrations["taken_on"].unique().to_list() == [date(2026, 1, 5)]


def test_the_file_alone_can_be_judged_without_a_record(write, rses_text, now):
    frame = plan_import(write(rses_text([("C1", "2026-01-05", ANSWERS)])), now=now).to_frame()
    assert frame.columns == ["rows", "client_id", "instrument", "taken_on", "outcome", "reason"]
    assert frame.schema["taken_on"] == pl.Date
