"""A researcher takes away everything that can be analysed, and nobody who can be recognised."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from mbc.care import client_trajectory, deidentified_cohort, scores
from mbc.care.cohort.as_store import open_cohort
from mbc.care.cohort.files import read_cohort, write_cohort
from mbc.errors import IdentityLeft, MbcError
from mbc.privacy import guard
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    Relationship,
    RelationshipStatus,
    Session,
    Store,
)

pytestmark = pytest.mark.long

FIRST = dt.date(2026, 1, 5)
NAMES = ("Ada Lovegood", "C-1001", "C-1002", "Wren", "leave the shared flat", "the night of the move", "R-secret")


@pytest.fixture
def store():
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add(Clinician("K-77", "Ada Lovegood"))
            for name, alias in (("C-1001", "Wren"), ("C-1002", "Rook")):
                record.add(Client(name, alias, "K-77", registered_on=FIRST))
                record.add(Episode(f"EP-{name}", name, "K-77", started_on=FIRST))
                record.add(Session(name, f"EP-{name}", 1, FIRST, modality="video"))
                for week in range(4):
                    day = FIRST + dt.timedelta(weeks=week)
                    record.add(
                        Administration(
                            name, "rses", day, (3, 0, 2, 2, 1, 1, 2, None, 0, 3), form="a", coding="0-3"
                        )
                    )
                    record.add(Administration(name, "phq9", day, (1, 2, 1, 1, 0, 1, 1, 0, 1), flags=(Flag("i9"),)))
            record.add(Relationship("R-secret", "C-1001", "R7"))
            record.add(RelationshipStatus("C-1001", "partnered", FIRST, "R-secret"))
            record.add(Administration("C-1001", "csi4", FIRST, (5, 4, 4, 4), target="R-secret"))
            record.add(Goal("G-x", "C-1001", "leave the shared flat", FIRST, 1, 8))
            record.add(GoalRating("G-x", FIRST + dt.timedelta(days=9), 3))
            record.add(
                Event("V-1", "C-1001", FIRST + dt.timedelta(days=12), "moved", "the night of the move", "growth")
            )
        yield made


def test_no_name_id_label_or_date_is_in_any_file(store, tmp_path):
    cohort, _ = deidentified_cohort(store)
    write_cohort(cohort, tmp_path / "cohort")
    everything = "".join(path.read_text("utf-8") for path in sorted((tmp_path / "cohort").iterdir()))
    for name in (*NAMES, "2026", "K-77", "EP-"):
        assert name not in everything


def test_safety_answers_cannot_be_worked_back(store):
    cohort, _ = deidentified_cohort(store)
    assert cohort.withheld == ("phq9",)
    assert "phq9" not in cohort.items
    assert set(cohort.items) == {"rses", "csi4"}
    assert cohort.scores.filter(instrument="phq9")["score"].to_list() == [8.0] * 8  # the totals stay


def test_days_are_counted_from_each_persons_first_contact(store):
    cohort, _ = deidentified_cohort(store)
    assert cohort.items["rses"]["day"].unique().sort().to_list() == [0, 7, 14, 21]
    assert cohort.goals["day"].to_list() == [9]
    assert cohort.relationships.select("day", "target", "status").row(0) == (0, "R1", "partnered")


def test_what_few_people_have_is_folded(store):
    cohort, _ = deidentified_cohort(store, k=5)
    assert cohort.events["kind"].to_list() == ["other"]
    assert cohort.people["therapist"].unique().to_list() == ["other"]
    assert cohort.sessions["modality"].unique().to_list() == ["other"]


def test_a_folder_reads_back_as_the_same_cohort(store, tmp_path):
    cohort, _ = deidentified_cohort(store)
    write_cohort(cohort, tmp_path / "cohort")
    back = read_cohort(tmp_path / "cohort")
    for name, frame in cohort.tables().items():
        assert back.tables()[name].equals(frame), name
    assert back.withheld == cohort.withheld


def test_the_codebook_explains_every_column(store, tmp_path):
    cohort, _ = deidentified_cohort(store)
    write_cohort(cohort, tmp_path / "cohort")
    columns = json.loads((tmp_path / "cohort" / "codebook.json").read_text("utf-8"))["columns"]
    assert {name: list(about) for name, about in columns.items()} == {
        name: frame.columns for name, frame in cohort.tables().items()
    }
    assert all(text for about in columns.values() for text in about.values())


def test_opened_as_a_record_the_scores_are_those_of_the_clinic(store):
    cohort, ids = deidentified_cohort(store)
    wanted = ["instrument", "scale", "score"]
    with open_cohort(cohort) as record:
        ours = scores(record, client_id=ids.of["C-1001"]).select(wanted).sort(wanted)
    assert ours.equals(scores(store, client_id="C-1001").select(wanted).sort(wanted))


def test_the_apps_chart_can_be_drawn_from_a_cohort(store):
    cohort, ids = deidentified_cohort(store)
    with open_cohort(cohort) as record:
        course = client_trajectory(record, ids.of["C-1002"], "rses")
    assert [one.taken_on for one in course.occasions] == [
        dt.date(2000, 1, 3) + dt.timedelta(weeks=w) for w in range(4)
    ]


def test_the_key_is_written_apart_and_for_its_owner_only(store, tmp_path):
    cohort, ids = deidentified_cohort(store)
    write_cohort(cohort, tmp_path / "cohort", study_ids=ids, key=tmp_path / "apart" / "key.csv")
    key = tmp_path / "apart" / "key.csv"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "C-1001" in key.read_text("utf-8")


def test_a_key_inside_the_cohort_or_a_folder_in_use_is_refused(store, tmp_path):
    cohort, ids = deidentified_cohort(store)
    with pytest.raises(MbcError, match="inside the cohort"):
        write_cohort(cohort, tmp_path / "cohort", study_ids=ids, key=tmp_path / "cohort" / "key.csv")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    with pytest.raises(MbcError, match="not empty"):
        write_cohort(cohort, tmp_path / "used")
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["notes.txt"]


def test_a_folder_that_is_no_cohort_is_named(tmp_path):
    with pytest.raises(MbcError, match=r"codebook\.json.*mbc deidentify"):
        read_cohort(tmp_path)


@pytest.fixture
def numbered():
    """A record whose own identifiers read like the labels of a cohort, in every kind of them."""
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add_all(
                [Clinician("t001", "T002"), Client("G2", "P001", "t001", FIRST), Client("R2", "g3", "t001", FIRST)]
            )
            record.add_all([Episode("R3", "G2", "t001", FIRST), Relationship("R1", "G2", "R1")])
            record.add(RelationshipStatus("G2", "partnered", FIRST, "R1"))
            for goal, client in (("G1", "R2"), ("G9", "G2"), ("G8", "G2")):
                record.add_all([Goal(goal, client, "own words", FIRST, 1, 8), GoalRating(goal, FIRST, 3)])
        yield made


def test_a_record_whose_ids_read_like_the_cohorts_labels_is_taken_out_all_the_same(numbered):
    cohort, ids = deidentified_cohort(numbered)
    assert sorted(ids.of.values()) == ["PX001", "PX002"]  # an alias is "P001"
    assert sorted(cohort.goals["goal"]) == ["GX1", "GX1", "GX2"]
    assert cohort.relationships["target"].to_list() == ["RX1"]


@pytest.mark.parametrize(("table", "column", "left"), [("goals", "goal", "G1"), ("relationships", "target", "r1")])
def test_an_id_that_reads_like_a_label_is_still_caught_when_it_leaves(numbered, table, column, left):
    cohort, _ = deidentified_cohort(numbered)
    identifiers = [*numbered.goals()["goal_id"], *numbered.relationships()["relationship_id"]]
    guard(cohort.tables(), identifiers=identifiers)
    leaking = cohort.tables()[table].with_columns(pl.lit(left).alias(column))
    with pytest.raises(IdentityLeft, match=f"'{table}', column '{column}' still contains an identifier"):
        guard({table: leaking}, identifiers=identifiers)


def test_who_goes_by_a_word_of_a_questionnaire_or_of_a_status_does_not_stop_the_cohort(store):
    with store.writing(by="test") as record:
        record.add_all(
            [Clinician("a", "Single"), Client("total", "Partnered", "a"), Client("self-1", "other", "a")]
        )
        record.add(RelationshipStatus("total", "partnered", FIRST))
    cohort, _ = deidentified_cohort(store)
    assert cohort.items["rses"]["form"].unique().to_list() == ["a"]
    identifiers = [*store.clients()["client_id"], *store.clinicians()["clinician_id"], "Partnered"]
    for word, column in (("total", "status"), ("PARTNERED", "status"), ("partnered", "form")):
        leaking = pl.DataFrame({column: [word]})
        with pytest.raises(IdentityLeft, match="still contains an identifier"):
            guard({"one": leaking}, identifiers=identifiers, words={"status": {"partnered"}, "form": {"a"}})
