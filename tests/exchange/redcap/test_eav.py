"""REDCap's export with a row per value gives the same administrations as the usual one."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import

NUMBERS = range(1, 8)
DICTIONARY = "\n".join([
    "field_name,form_name,field_type,field_label,select_choices_or_calculations",
    "study_id,base,text,Study ID,",
    "visit_date,base,text,Date,",
    *(f"gad7_{n},gad7,radio,Item {n},\"0, a | 1, b | 2, c | 3, d\"" for n in NUMBERS if n < 7),
    "gad7_7,gad7,checkbox,Item 7,\"0, a | 1, b | 2, c | 3, d\"",
])  # fmt: skip
VISITS = {
    "visit_1_arm_1": ("2026-01-05", (0, 1, 2, 3, 2, 1, 1)),
    "visit_2_arm_1": ("2026-02-05", (0, 1, 1, 0, 2, 1, 0)),
}


def values(*, box_rows: bool = True) -> list[str]:
    rows = ["record,redcap_event_name,field_name,value"]
    for record in ("11", "12"):
        for event, (day, answers) in VISITS.items():
            rows.append(f"{record},{event},visit_date,{day}")
            rows += [f"{record},{event},gad7_{n},{a}" for n, a in zip(NUMBERS, answers, strict=True) if n < 7]
            rows += [f"{record},{event},gad7_7,{answers[6]}"] if box_rows else []
    return rows


def test_a_row_per_value_is_put_together_by_record_and_event(tmp_path):
    (tmp_path / "d.csv").write_text(DICTIONARY)
    (tmp_path / "eav.csv").write_text("\n".join(values()))
    plan = plan_import(
        tmp_path / "eav.csv",
        dictionary=tmp_path / "d.csv",
        columns={"taken_on": "visit_date"},
        events={"visit_1_arm_1": 1, "visit_2_arm_1": 2},
    )
    kept = plan.administrations.select("client_id", "taken_on", "session_number", "outcome").rows()
    assert kept == [
        (client, day, number, "stored")
        for client in ("11", "12")
        for number, day in ((1, date(2026, 1, 5)), (2, date(2026, 2, 5)))
    ]
    assert (
        plan.administrations["answers"].to_list()
        == [[float(a) for a in answers] for _, answers in VISITS.values()] * 2
    )
    assert "A row per value: 32 values combined into 4 rows." in plan.notes


def test_without_a_dictionary_it_is_recognised_as_well(tmp_path):
    (tmp_path / "eav.csv").write_text("\n".join(values()))
    plan = plan_import(tmp_path / "eav.csv", columns={"taken_on": "visit_date"})
    assert plan.administrations["outcome"].to_list() == ["stored"] * 4


def test_two_ticks_are_refused_as_in_the_usual_export(tmp_path):
    (tmp_path / "d.csv").write_text(DICTIONARY)
    (tmp_path / "eav.csv").write_text("\n".join([*values(), "11,visit_1_arm_1,gad7_7,3"]))
    plan = plan_import(tmp_path / "eav.csv", dictionary=tmp_path / "d.csv", columns={"taken_on": "visit_date"})
    assert plan.administrations["outcome"].to_list().count("refused") == 1


def test_two_values_of_a_field_that_is_no_check_box_are_refused(tmp_path):
    (tmp_path / "d.csv").write_text(DICTIONARY)
    (tmp_path / "eav.csv").write_text("\n".join([*values(), "11,visit_1_arm_1,gad7_1,3"]))
    with pytest.raises(ImportRefused, match="two values of 'gad7_1' in one place"):
        plan_import(tmp_path / "eav.csv", dictionary=tmp_path / "d.csv", columns={"taken_on": "visit_date"})
