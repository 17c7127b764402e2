"""REDCap: its longitudinal demo (fictional people) where it is at hand, and small exports written out here."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mbc.errors import ImportRefused
from mbc.exchange import plan_import
from mbc.exchange.redcap import read_dictionary

DEMO = Path(__file__).resolve().parents[3] / "../shared/data/redcap"
needs_demo = pytest.mark.skipif(not DEMO.exists(), reason="REDCap's demo export is not at hand")

GAD = ",".join(f"gad7_{n}" for n in range(1, 8))


@needs_demo
def test_the_demo_is_read_by_event_with_its_record_as_client(store, now):
    plan = plan_import(
        DEMO / "redcapr_longitudinal_data.csv",
        store,
        dictionary=DEMO / "redcapr_longitudinal_dictionary.csv",
        columns={
            "taken_on": "date_visit_4",
            "csi4_1": "cpq6",
            "csi4_2": "cpq10",
            "csi4_3": "cpq11",
            "csi4_4": "cpq13",
        },
        events={"final_visit_arm_1": 6},
        coding="printed",  # the demo's own questions have five choices, which no coding of CSI-4 has
        now=now,
    )
    # as printed in rows 7, 13 and 18 of the file; the third record has no date in that event
    assert plan.administrations.select("client_id", "taken_on", "session_number", "outcome").rows() == [
        ("100", date(2015, 2, 2), 6, "stored"),
        ("220", date(2011, 4, 2), 6, "stored"),
        ("304", None, None, "refused"),
    ]
    assert plan.notes[0] == "A REDCap export: 3 records ('study_id' is the client), 12 events in 2 arms."


@needs_demo
def test_the_demos_dictionary_explains_its_fields():
    fields = read_dictionary(DEMO / "redcapr_longitudinal_dictionary.csv").by_name
    assert fields["gym"].kind == "checkbox"
    assert fields["gym"].choices == {
        "0": "Monday",
        "1": "Tuesday",
        "2": "Wednesday",
        "3": "Thursday",
        "4": "Friday",
    }
    assert fields["date_enrolled"].is_date
    assert fields["cpq6"].form == "completion_project_questionnaire"


def test_repeating_instruments_take_their_date_from_the_records_own_row(store, write, now):
    text = (
        f"record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,visit_date,{GAD},anxiety_complete\n"
        "C1,week_1_arm_1,,,2026-01-05,,,,,,,,\n"
        "C1,week_1_arm_1,anxiety,1,,0,1,2,3,0,1,2,2\n"
        "C1,week_2_arm_1,,,2026-01-12,,,,,,,,\n"
        "C1,week_2_arm_1,anxiety,1,,1,1,1,1,1,1,1,2\n"
    )
    plan = plan_import(write(text), store, columns={"taken_on": "visit_date"}, now=now)
    assert plan.administrations.select("client_id", "taken_on", "outcome").rows() == [
        ("C1", date(2026, 1, 5), "stored"),
        ("C1", date(2026, 1, 12), "stored"),
    ]


def test_a_survey_was_taken_when_it_was_completed(store, write, now):
    text = (
        f"record_id,redcap_survey_identifier,anxiety_timestamp,{GAD},anxiety_complete\n"
        "C1,,2026-01-05 14:30:00,0,1,2,3,0,1,2,2\n"
        "C2,,[not completed],0,1,2,3,0,1,,0\n"
    )
    plan = plan_import(write(text), store, now=now)
    assert plan.administrations.select("taken_on", "outcome", "reason").rows() == [
        (date(2026, 1, 5), "stored", None),
        (None, "refused", "the date is blank"),
    ]


def test_labels_become_codes_and_a_checkbox_the_one_that_is_ticked(store, write, now):
    words = "0, Not at all | 1, Several days | 2, More than half | 3, Nearly every day"
    fields = "".join(f'gad7_{n},anxiety,,radio,Item {n},"{words}"\n' for n in range(1, 7))
    dictionary = write(
        "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
        '"Choices, Calculations, OR Slider Labels"\n'
        "record_id,base,,text,Record,\n"
        f'{fields}gad7_7,anxiety,,checkbox,Item 7,"{words}"\n',
        name="dictionary.csv",
    )
    header = [f"gad7_{n}" for n in range(1, 7)] + [f"gad7_7___{code}" for code in range(4)]
    lines = [
        "C1,2026-01-05,Not at all,Several days,2,Nearly every day,0,1,0,0,1,0",
        "C2,2026-01-05,0,0,0,0,0,0,1,0,1,0",
    ]
    data = write("\n".join(["record_id,date," + ",".join(header), *lines]) + "\n")
    plan = plan_import(data, store, dictionary=dictionary, now=now)
    assert plan.administrations["answers"].to_list()[0] == [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0]
    assert plan.refusals == ("row 3: gad7_7: '0 and 2' is not a number; accepted are 0 to 3 (coding 0-3)",)


def a_dictionary(key: str, choices: str, items: int) -> str:
    fields = "".join(f'{key}_{n},form,,radio,Item {n},"{choices}"\n' for n in range(1, items + 1))
    return (
        "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
        '"Choices, Calculations, OR Slider Labels"\n'
        f"record_id,base,,text,Record,\n{fields}"
    )


FOUR = "1, Not at all | 2, Several days | 3, More than half | 4, Nearly every day | -9, Refused | 99, Not asked"


def test_the_dictionarys_choices_say_which_coding_the_numbers_are_in(store, write, now):
    dictionary = write(a_dictionary("gad7", FOUR, 7), name="dictionary.csv")
    data = write(f"redcap_event_name,record_id,date,{GAD}\nweek_1_arm_1,C1,2026-01-05,1,2,3,1,2,3,1\n")
    plan = plan_import(data, store, dictionary=dictionary, now=now)
    assert plan.administrations.select("client_id", "coding").rows() == [("C1", "1-4")]
    assert any("are those of coding 1-4" in note for note in plan.notes)
    said = plan_import(data, store, dictionary=dictionary, coding="0-3", now=now)  # the user's word goes first
    assert said.administrations["coding"].to_list() == ["0-3"]
    data = write(f"record_id,date,gad7_coding,{GAD}\nC1,2026-01-05,0-3,1,2,3,1,2,3,1\n")
    plan = plan_import(data, store, dictionary=dictionary, now=now)  # and so does what each row says itself
    assert plan.administrations["coding"].to_list() == ["0-3"]


def test_choices_that_no_coding_has_are_not_read_as_if_they_were_another(store, write, now):
    dictionary = write(a_dictionary("phq9", FOUR, 9), name="dictionary.csv")
    header = ",".join(f"phq9_{n}" for n in range(1, 10))
    data = write(f"record_id,date,{header}\nC1,2026-01-05,1,2,3,1,2,3,1,1,1\n")
    with pytest.raises(
        ImportRefused,
        match=r"'phq9_1' offers 1 .Not at all., .*, 99 .Not asked., which is not one of its answer codings",
    ):
        plan_import(data, store, dictionary=dictionary, now=now)
    words = {"phq9": {"1": 0, "2": 1, "3": 2, "4": 3}}
    plan = plan_import(data, store, dictionary=dictionary, values=words, now=now)
    assert plan.administrations["answers"].to_list() == [[0, 1, 2, 0, 1, 2, 0, 0, 0]]


def test_a_label_that_two_choices_bear_is_neither(store, write, now):
    dictionary = write(
        a_dictionary("gad7", "0, Never | 1, Often | 2, Often | 3, Always", 7), name="dictionary.csv"
    )
    data = write(f"record_id,date,{GAD}\nC1,2026-01-05,Never,Often,Always,0,0,0,0\n")
    plan = plan_import(data, store, dictionary=dictionary, now=now)
    assert plan.refusals == ("row 2: gad7_2: 'Often' is not a number; accepted are 0 to 3 (coding 0-3)",)


def test_what_is_no_dictionary_is_refused(write):
    data = write(f"record_id,date,{GAD}\nC1,2026-01-05,0,0,0,0,0,0,0\n")
    with pytest.raises(ImportRefused, match="not a REDCap data dictionary"):
        plan_import(data, dictionary=data)
