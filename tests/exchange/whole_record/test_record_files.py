from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from mbc.errors import Conflict, ImportRefused
from mbc.exchange import export_record, import_record
from mbc.store import Store

pytestmark = pytest.mark.long

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"
CSI4 = "client_id,taken_on,session_number,target,informant,form,coding,csi4_1,csi4_2,csi4_3,csi4_4\n"
FILES = {
    "clinicians.csv": "clinician_id,display_name\nK1,Dr. One\n",
    "clients.csv": "client_id,alias,clinician_id,registered_on,status\n"
    "C1,Alias,K1,2026-01-04,active\nC2,,K1,,closed\n",
    "episodes.csv": "episode_id,client_id,clinician_id,referred_on,started_on,ended_on,ending\n"
    "C1.E1,C1,K1,,2026-01-05,2026-02-28,planned\n",
    "relationships.csv": "relationship_id,client_id,label,kind\nC1.R1,C1,R1,partner\n",
    "statuses.csv": "client_id,relationship_id,status,since\nC1,C1.R1,married,2020-01-01\nC2,,single,2025-01-01\n",
    "sessions.csv": "client_id,episode_id,number,held_on,attended,modality\nC1,C1.E1,1,2026-01-05,true,video\n"
    "C1,C1.E1,2,2026-01-12,false,\n",
    "administrations/csi4.csv": CSI4 + "C1,2026-01-05,1,C1.R1,client,standard,printed,6,5,,4\n"
    "C1,2026-03-01,,C1.R1,client,standard,printed,1,1,1,1\n",
    "totals.csv": "client_id,taken_on,instrument,target,scale,score\nC1,2026-01-05,csi4,C1.R1,total,16\n"
    "C2,2024-05-01,phq9,,total,11\n",
    "goals.csv": "goal_id,client_id,label,baseline,target,higher_is_better,set_on,retired_on,retired_reason\n"
    "G1,C1,Say no once a week,1,8.5,true,2026-01-05,,\n",
    "goal_ratings.csv": "goal_id,client_id,rated_on,rating\nG1,C1,2026-01-12,3\n",
    "events.csv": "event_id,client_id,occurred_on,kind,label,valence\nV1,C1,2026-02-01,move,Moved out,growth\n",
}  # fmt: skip


@pytest.fixture
def folder(write) -> Callable[..., Path]:
    def make(**changes: str) -> Path:
        """Write the record; a change names a table and its text."""
        files = FILES | {
            next(name for name in FILES if name.removesuffix(".csv").endswith(table)): text
            for table, text in changes.items()
        }
        paths = [write(text, name=f"record/{name}") for name, text in files.items()]
        return paths[0].parent

    return make


@pytest.fixture
def empty():
    with Store.create("sqlite://") as store:
        yield store


def test_every_table_comes_in(empty, folder):
    done = import_record(folder(), empty)
    assert {table: sum(counts.values()) for table, counts in done.counts.items()} == {
        "clinicians": 1, "clients": 2, "episodes": 1, "relationships": 1, "statuses": 2, "sessions": 2,
        "administrations": 3, "goals": 1, "goal_ratings": 1, "events": 1,
    }  # fmt: skip
    assert done.notes == ()
    assert empty.clients().rows() == [
        ("C1", "Alias", "K1", date(2026, 1, 4), "active"),
        ("C2", None, "K1", None, "closed"),
    ]
    assert empty.sessions()["attended"].to_list() == [True, False]
    assert empty.goals().select("baseline", "target", "higher_is_better").rows() == [(1.0, 8.5, True)]
    kept = empty.administrations().select("client_id", "taken_on", "episode_id", "target", "session_number")
    assert kept.rows() == [
        ("C1", date(2026, 1, 5), "C1.E1", "C1.R1", 1),
        ("C1", date(2026, 3, 1), None, "C1.R1", None),
        ("C2", date(2024, 5, 1), None, "self", None),
    ]


def test_a_kept_total_lies_beside_the_answers_it_belongs_to(empty, folder):
    import_record(folder(), empty)
    both = empty.totals().join(empty.administrations(), on="administration_id")
    assert both.select("instrument", "scale", "score").sort("instrument").rows() == [
        ("csi4", "total", 16.0),
        ("phq9", "total", 11.0),
    ]
    assert empty.answers("csi4")["value"].to_list()[:4] == [6.0, 5.0, None, 4.0]


def test_twice_is_once(empty, folder):
    path = folder()
    import_record(path, empty)
    again = import_record(path, empty)
    assert {outcome for counts in again.counts.values() for outcome in counts} == {"duplicate"}


def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(empty, folder):
    path = folder()
    assert import_record(path, empty, dry_run=True).counts["administrations"] == {"stored": 3}
    assert empty.clients().is_empty()
    assert import_record(path, empty).counts["administrations"] == {"stored": 3}


@pytest.mark.parametrize(
    ("table", "text", "words"),
    [
        ("clients", "client,alias\nC1,\n", "'clients.csv' lacks 'client_id'; it has 'client', 'alias'. Nearest"),
        ("clients", FILES["clients.csv"].replace("2026-01-04", "4 Jan"), "registered_on: '4 Jan' is not a date"),
        ("clients", FILES["clients.csv"].replace("C2", "Ann Miller"), "clients.csv, row 3: client_id is 'Ann"),
        ("relationships", FILES["relationships.csv"].replace("C1,R1", ",R1"), "row 2: 'client_id' is blank"),
        ("sessions", FILES["sessions.csv"].replace(",1,2026", ",one,2026"), "number: 'one' is not a whole number"),
        ("sessions", FILES["sessions.csv"].replace("true", "perhaps"), "attended: 'perhaps' is neither"),
        ("goals", FILES["goals.csv"].replace("8.5", "lots"), "goals.csv, row 2: target: 'lots' is not a number"),
        ("statuses", FILES["statuses.csv"].replace("single", "alone"), "statuses.csv, row 3: status is 'alone'"),
        ("csi4", CSI4 + "C1,2026-01-05,1,C1.R1,client,standard,printed,7,5,,4\n",
         "administrations/csi4.csv, row 2: csi4_1: 7 is out of range; accepted are 0 to 6"),
        ("csi4", CSI4 + "C9,2026-01-05,1,,client,standard,printed,6,5,,4\n",
         "csi4.csv, row 2: client C9 is neither in clients.csv nor on record"),
        ("csi4", CSI4 + "C1,2026-01-05,1,C1.R7,client,standard,printed,6,5,,4\n",
         "csi4.csv, row 2: target C1.R7 is neither in relationships.csv nor on record"),
        ("totals", "client_id,taken_on,instrument,scale,score\nC1,2026-01-05,rses,total,31\n",
         "totals.csv, row 2: 31 is out of range"),
    ],
)  # fmt: skip
def test_a_fault_anywhere_keeps_everything_out(empty, folder, table, text, words):
    with pytest.raises(ImportRefused) as refused:
        import_record(folder(**{table: text}), empty)
    assert words in "\n".join([str(refused.value), *refused.value.rows])
    assert empty.clients().is_empty()


def test_other_content_on_record_is_a_conflict_until_a_reason_is_given(empty, folder):
    import_record(folder(), empty)
    changed = folder(clients=FILES["clients.csv"].replace("closed", "active"))
    with pytest.raises(Conflict, match="C2"):
        import_record(changed, empty)
    done = import_record(changed, empty, supersede="came back")
    assert done.counts["clients"] == {"duplicate": 1, "superseding": 1}


def test_a_folder_without_tables_is_refused(empty, tmp_path):
    with pytest.raises(ImportRefused, match="contains no table of a record"):
        import_record(tmp_path, empty)
    with pytest.raises(ImportRefused, match="is not a folder"):
        import_record(tmp_path / "absent", empty)


@pytest.mark.slow
def test_the_sample_clinic_comes_in_whole(empty):
    done = import_record(SAMPLE, empty)
    for table, counts in done.counts.items():
        assert set(counts) == {"stored"}, table
        if table != "administrations":
            assert getattr(empty, table)().height == pl.read_csv(SAMPLE / f"{table}.csv").height
    kept = pl.read_csv(SAMPLE / "administrations" / "rses.csv")
    assert empty.answers("rses")["administration_id"].n_unique() == kept.height


@pytest.mark.parametrize("kind", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
@pytest.mark.usefixtures("readers_in_process")
def test_files_that_changed_since_the_export_are_named(empty, folder, tmp_path, kind):
    import_record(folder(), empty)
    made = export_record(empty, tmp_path / "out", format=kind).path
    with Store.create("sqlite://") as other:
        assert import_record(made, other).notes == ()
    place = made / "administrations" / f"csi4.{kind}"
    reader, writer = {
        "csv": (pl.read_csv, pl.DataFrame.write_csv),
        "parquet": (pl.read_parquet, pl.DataFrame.write_parquet),
    }[kind]
    writer(reader(place).with_columns(csi4_1=pl.lit(2.0)), place)
    (made / f"codebook.{kind}").unlink()  # explains, and is not read
    with Store.create("sqlite://") as other:
        (note,) = import_record(made, other).notes
    assert note == (
        f"1 file changed after the export: 'administrations/csi4.{kind}'. If nobody did that on purpose, copy the "
        "folder again."
    )


def test_a_folder_that_lost_a_file_since_the_export_is_refused(empty, folder, tmp_path):
    import_record(folder(), empty)
    made = export_record(empty, tmp_path / "out").path
    (made / "events.csv").unlink()
    (made / "administrations" / "csi4.csv").unlink()
    with Store.create("sqlite://") as other:
        words = (
            "'out': 2 files of the export are missing: 'administrations/csi4.csv', 'events.csv'. Copy the folder"
        )
        with pytest.raises(ImportRefused, match=words):
            import_record(made, other)
        assert other.clients().is_empty()
        manifest = made / "export.json"
        lines = manifest.read_text().splitlines()
        manifest.write_text(
            "\n".join(line for line in lines if "csi4.csv" not in line and "events.csv" not in line)
        )
        assert import_record(made, other).counts["clients"] == {"stored": 2}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 1}', '{"format": "csv", "sha256": [1]}'])
def test_a_damaged_manifest_is_refused(empty, folder, text):
    made = folder()
    (made / "export.json").write_text(text)
    with pytest.raises(ImportRefused, match=r"its export\.json is damaged"):
        import_record(made, empty)
    assert empty.clients().is_empty()
