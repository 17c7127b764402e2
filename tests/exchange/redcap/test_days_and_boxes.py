"""REDCap exports as projects really are: repeating events, staff entry, floats, markup. Made up; read by eye."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.errors import SettingsError
from mbc.exchange import plan_import

ITEMS = ",".join(f"phq9_{n}" for n in range(1, 10))
ONES = ",".join("111111110")
HEAD = (
    'Variable / Field Name,Form Name,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",'
    "Text Validation Type OR Show Slider Number\n"
)
CHOICES = '"0, Not at all | 1, Several days | 2, More than half | 3, Nearly every day"'


def dictionary(kind: str = "radio", label: str = "Item {n}") -> str:
    items = "".join(f'phq9_{n},phq,{kind},"{label.format(n=n)}",{CHOICES},\n' for n in range(1, 10))
    return HEAD + "record_id,enrol,text,Record ID,,\nphq_date,phq,text,Day,,date_ymd\n" + items


def test_instances_of_a_repeating_event_keep_their_days_to_themselves(store, write, now):
    rows = (
        "C1,visit_arm_1,,1,2026-01-05,,,,,,,,,\n"
        f"C1,visit_arm_1,,2,,{ONES}\n"
        f"C1,visit_arm_1,,3,2026-03-05,{ONES}\n"
        f"C1,visit_arm_1,phq,1,,{ONES}\n"  # an instrument that repeats within an event: there is no row of its own
    )
    head = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,date,"
    plan = plan_import(write(head + ITEMS + "\n" + rows), store, now=now)
    assert plan.administrations.select("taken_on", "reason").rows() == [
        (None, "the date is blank"), (date(2026, 3, 5), None), (None, "the date is blank"),
    ]  # fmt: skip


def test_a_day_that_was_taken_over_is_counted(store, write, now):
    rows = f"C1,,,2025-06-01,,,,,,,,,\nC1,phq,1,,{ONES}\nC1,phq,2,2025-07-01,{ONES}\n"
    head = "record_id,redcap_repeat_instrument,redcap_repeat_instance,date,"
    plan = plan_import(write(head + ITEMS + "\n" + rows), store, now=now)
    assert plan.administrations["taken_on"].to_list() == [date(2025, 6, 1), date(2025, 7, 1)]
    assert any("were given 'date' from the record's own row: 1 (row 3)" in note for note in plan.notes)


@pytest.mark.parametrize("blank", ["", "[not completed]"])
def test_a_form_that_staff_typed_in_has_its_own_date(store, write, now, blank):
    rows = f"C1,,2026-01-05 10:11:12,2026-01-05,{ONES}\nC2,,{blank},2026-01-06,{ONES}\n"
    data = write("record_id,redcap_survey_identifier,phq_timestamp,phq_date," + ITEMS + "\n" + rows)
    plan = plan_import(data, store, dictionary=write(dictionary(), name="d.csv"), now=now)
    assert plan.administrations["taken_on"].to_list() == [date(2026, 1, 5), date(2026, 1, 6)]
    assert "1 row without 'phq_timestamp' were given the date from 'phq_date' (row 3)." in plan.notes
    assert not any("phq_date" in note for note in plan.notes if "not used" in note)


@pytest.mark.parametrize("words", [("0", "1", "2"), ("Incomplete", "Unverified", "Complete")])
def test_answers_of_forms_that_are_not_marked_as_complete_are_counted(store, write, now, words):
    rows = "".join(f"C{n},2026-01-05,{ONES},{word}\n" for n, word in enumerate([*words, words[0]], start=1))
    blank = f"C9,,{',' * 8},{words[0]}\n"
    data = write("record_id,phq_date," + ITEMS + ",phq_complete\n" + rows + blank)
    plan = plan_import(data, store, dictionary=write(dictionary(), name="d.csv"), now=now)
    assert [note for note in plan.notes if "marks as" in note] == [
        f"Rows with answers whose form 'phq' REDCap marks as {status}. They are read as they are."
        for status in ("Incomplete: 2 (rows 2, 5)", "Unverified: 1 (row 3)")
    ]


@pytest.mark.parametrize(("ticked", "unticked"), [("1", "0"), ("1.0", "0.0"), ("Checked", "Unchecked")])
def test_boxes_are_read_however_they_are_written(store, write, now, ticked, unticked):
    boxes = ",".join(f"phq9_{n}___{code}" for n in range(1, 10) for code in range(4))
    cells = ",".join(ticked if code == 1 else unticked for _ in range(9) for code in range(4))
    data = write(f"record_id,phq_date,{boxes},phq_complete\n1.0,2026-01-05,{cells},2\n")
    plan = plan_import(data, store, dictionary=write(dictionary("checkbox"), name="d.csv"), now=now)
    assert plan.administrations.select("client_id", "answers").rows() == [("1", [1.0] * 9)]


def test_a_box_that_is_neither_refuses_its_row(store, write, now):
    boxes = ",".join(f"phq9_{n}___{code}" for n in range(1, 10) for code in range(4))
    cells = ",".join("1" if code == 1 else "maybe" if code == 3 else "0" for _ in range(9) for code in range(4))
    data = write(f"record_id,phq_date,{boxes},phq_complete\nC1,2026-01-05,{cells},2\n")
    plan = plan_import(data, store, dictionary=write(dictionary("checkbox"), name="d.csv"), now=now)
    assert "phq9_1___3: 'maybe' is neither ticked nor unticked" in plan.refusals[0]


def test_markup_in_labels_does_not_hide_the_columns_of_a_label_export(store, write, now):
    label = '<div class=""rich-text-field-label""><p>Item&nbsp;{n} &amp; <b>text</b></p></div>'
    header = ",".join(f'"Item {n} & text"' for n in range(1, 10))
    words = ",".join(['"Several days"'] * 9)
    data = write(f'"Record ID","Day",{header},"Complete?"\nC1,2026-01-05,{words},Complete\n')
    plan = plan_import(data, store, dictionary=write(dictionary(label=label), name="d.csv"), now=now)
    assert plan.administrations["answers"].to_list() == [[1.0] * 9]


def test_an_event_that_is_not_there_is_refused_and_one_without_a_number_named(store, write, now):
    rows = f"C1,visit_1_arm_1,2026-01-05,{ONES}\nC1,visit_2_arm_1,2026-02-05,{ONES}\n"
    data = write("record_id,redcap_event_name,date," + ITEMS + "\n" + rows)
    with pytest.raises(SettingsError, match=r"names 'visit2_arm_1', .* Nearest: 'visit_2_arm_1'"):
        plan_import(data, store, events={"visit_1_arm_1": 1, "visit2_arm_1": 2}, now=now)
    plan = plan_import(data, store, events={"visit_1_arm_1": 1}, now=now)
    assert plan.administrations["session_number"].to_list() == [1, None]
    assert "Events without a session number: 'visit_2_arm_1'." in plan.notes
