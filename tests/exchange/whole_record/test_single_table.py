"""One table of a record by itself: sessions.csv, goal_ratings.csv, homework.csv ..."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.errors import ImportRefused, NotInRecord
from mbc.exchange import import_record
from mbc.exchange.whole_record.record_files import is_record
from mbc.store import Client, Episode, Goal, Store


@pytest.fixture
def store():
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add_all([Client("C1"), Episode("E1", "C1", started_on=date(2026, 1, 5))])
            record.add(Goal("G1", "C1", "say what I need", date(2026, 1, 5)))
        yield made


def file(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "lines", "wanted"),
    [
        ("goal_ratings.csv", ("goal_id,rated_on,rating", "G1,2026-02-02,4.5"), {"rating": 4.5}),
        (
            "sessions.csv",
            ("client_id;episode_id;number;held_on;attended", "C1;E1;1;2026-02-02;no"),
            {"number": 1, "attended": False},
        ),
        ("homework.csv", ("homework_id,client_id,set_on,task", "H1,C1,2026-02-02,talk"), {"task": "talk"}),
        ("conflicts.tsv", ("conflict_id\tclient_id\toccurred_on", "K1\tC1\t2026-02-02"), {"count": 1}),
    ],
)  # fmt: skip
def test_a_table_comes_in_by_itself_once(store, tmp_path, name, lines, wanted):
    path = file(tmp_path, name, *lines)
    assert is_record(path)
    table = path.stem
    assert import_record(path, store).counts == {table: {"stored": 1}}
    assert import_record(path, store).counts == {table: {"duplicate": 1}}
    (row,) = getattr(store, table)().rows(named=True)
    assert {column: row[column] for column in wanted} == wanted


def test_a_clinician_is_named_for_those_who_name_nobody(store, tmp_path):
    path = file(tmp_path, "clients.csv", "client_id,alias", "C7,Wren")
    import_record(path, store, clinician="K1", display_name="Dr. One")
    assert store.clients(client_id="C7")["clinician_id"].to_list() == ["K1"]
    assert store.clinicians()["display_name"].to_list() == ["Dr. One"]


def test_what_is_wrong_is_named_and_nothing_is_stored(store, tmp_path):
    with pytest.raises(ImportRefused, match="1 row refused") as refused:
        import_record(file(tmp_path, "goal_ratings.csv", "goal_id,rated_on,rating", "G1,2 Feb,4"), store)
    assert refused.value.rows == ("goal_ratings.csv, row 2: rated_on: '2 Feb' is not a date; write 2026-01-31",)
    with pytest.raises(ImportRefused, match="lacks 'episode_id'"):
        import_record(file(tmp_path, "sessions.csv", "client_id,number,held_on", "C1,1,2026-02-02"), store)
    with pytest.raises(NotInRecord, match="no goal 'G9' on record"):
        import_record(file(tmp_path, "goal_ratings.csv", "goal_id,rated_on,rating", "G9,2026-02-02,4"), store)
    assert store.goal_ratings().is_empty()


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("sessions.csv", "client_id,taken_on,rses_1,rses_2"),
        ("events.csv", "client_id,date,instrument,item,value"),
        ("answers.csv", "goal_id,rated_on,rating"),
    ],
)
def test_a_file_of_answers_is_no_table_of_a_record_whatever_its_name(tmp_path, name, header):
    assert not is_record(file(tmp_path, name, header, ",".join("1" for _ in header.split(","))))
