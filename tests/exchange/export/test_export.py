"""What goes out comes back: every format, on the sample clinic and on texts that were made to break it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pyreadstat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mbc.errors import AccessDenied, NotInRecord, SettingsError, UnknownInstrument
from mbc.exchange import export_record, import_record, plan_import
from mbc.exchange.export import write as exporting
from mbc.exchange.export.write import FORMATS
from mbc.exchange.files.formula_escape import escape_formulas, unescape_formulas
from mbc.exchange.redcap.dictionary import COLUMNS
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Event,
    Goal,
    GoalRating,
    Relationship,
    RelationshipStatus,
    SafetyChange,
    Store,
)
from mbc.store.schema.kinds import KINDS
from tests.store.conftest import entries_of

pytestmark = pytest.mark.long

SAMPLE = Path(__file__).resolve().parents[3] / "data/sample"
_READERS = [kind.reader for kind in KINDS.values() if kind.portable]
_OWN = {"administration_id", "recorded_at", "recorded_by", "supersedes", "reason"}


def picture(store: Store) -> dict[str, pl.DataFrame]:
    """Everything on record but what a store gives out itself: numbers of rows, times and names of recording."""
    found = {name: getattr(store, name)() for name in _READERS}
    for channel in ("care", "safety"):
        for name in ("administrations", "answers", "totals"):
            frame = getattr(store, name)(channel=channel)
            found[f"{channel} {name}"] = frame.drop(_OWN & set(frame.columns))
    found["flags"] = store.safety_flags().select("client_id", "instrument", "item", "kind", "raised_on")
    return {name: frame.sort(frame.columns, nulls_last=True) for name, frame in found.items()}


def assert_same(store: Store, path: Path) -> None:
    with Store.create("sqlite://") as other:
        import_record(path, other)
        theirs = picture(other)
        for name, mine in picture(store).items():
            assert_frame_equal(mine, theirs[name], check_exact=True)
        counts = import_record(path, other).counts  # once more: nothing is stored twice
        assert {outcome for table in counts.values() for outcome in table} == {"duplicate"}


def place(folder: Path, kind: str) -> Path:
    return folder / {"excel": "out.xlsx", "fhir": "out.json"}.get(kind, "out")


@pytest.fixture(scope="module")
def sample() -> Iterator[Store]:
    with Store.create("sqlite://") as made:
        import_record(SAMPLE, made, by="test")
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_the_sample_clinic_is_the_same_record_in_every_format(sample, tmp_path, kind):
    export_record(sample, place(tmp_path, kind), format=kind, include_safety=True, include_demographics=True)
    assert_same(sample, place(tmp_path, kind))


def small(label: str = "a step") -> Store:
    made = Store.create("sqlite://")
    with made.writing(by="test") as record:
        record.add_all([Clinician("K1", "Dr. One"), Clinician("K2", label)])
        record.add_all(
            [Client("C1", alias=label, clinician_id="K1"), Client("D-2", clinician_id="K2"), Client("D2")]
        )
        record.add_all([Relationship("C1.R1", "C1", "R1"), Relationship("C1-R1", "C1", "R2")])
        record.add(Goal("G1", "C1", label, date(2026, 1, 5), baseline=-1.5, target=8))
        record.add(GoalRating("G1", date(2026, 1, 6), 2.25))
        record.add(Event("V1", "C1", date(2026, 1, 7), "move", label))
        record.add_all(entries_of("C1", date(2026, 1, 7)))
        record.add(SafetyChange("C1-S1", "C1", date(2026, 1, 9)))
        record.add(Event("V2", "C1", date(2026, 1, 7), "Safety plan", label))
        record.add(RelationshipStatus("C1", "ended", date(2026, 1, 8), "C1-R1", step_forward=True))
        late = datetime(2026, 1, 6, 4, 30, tzinfo=UTC)  # the evening before, where the client was
        day = date(2026, 1, 5)
        about = {"form": "standard", "coding": "0-3"}
        record.add(Administration("C1", "rses", day, (3, 2, None, 1, 0, 2, 3, 1, 2, 2), form="b", coding="0-3"))
        record.add(Administration("C1", "gad7", day, (1,) * 7, {"total": 20.0}, **about, taken_at=late))
        record.add(Administration("D-2", "gad7", day, (None,) * 7, **about))
        record.add(Administration("D2", "gad7", day, totals={"total": 4.0}))
        record.add(
            Administration("C1", "csi4", day, (5, 4, 3, 2), form="standard", coding="printed", target="C1.R1")
        )
        record.add(Administration("C1", "phq9", day, (0,) * 8 + (0,), **about))
        record.add(
            Administration("D2", "hits", day, (1, 1, 1, 1), form="standard", coding="1-5", channel="safety")
        )
    return made


@pytest.fixture
def record() -> Iterator[Store]:
    with small() as made:
        yield made


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind in {"csv", "fhir"} else pytest.mark.slow) for kind in FORMATS],
)
@pytest.mark.usefixtures("readers_in_process")
def test_moments_blanks_kept_scores_and_screens_come_back(record, tmp_path, kind):
    export_record(record, place(tmp_path, kind), format=kind, include_safety=True, include_demographics=True)
    assert_same(record, place(tmp_path, kind))


NASTY = st.text(st.sampled_from("=+-@'\"|,;\\ a1\u00e9\uff1d"), min_size=1, max_size=8).filter(str.strip)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(label=NASTY.map(str.strip))
def test_texts_that_look_like_formulas_come_back_as_they_were(tmp_path_factory, kind, label):
    path = place(tmp_path_factory.mktemp("x"), kind)
    with small(label) as store:
        export_record(store, path, format=kind, include_safety=True, include_demographics=True)
        assert_same(store, path)


@example(["' '=", "'\ta", "''\t", "' ' +1"])
@given(st.lists(st.none() | st.text(st.sampled_from("=+-@'\t\r\n ab"), max_size=6)))
def test_taming_a_text_can_always_be_undone_and_leaves_no_formula(texts):
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    assert unescape_formulas(escape_formulas(frame)).equals(frame)
    assert not escape_formulas(frame)["text"].str.contains(r"^[=+\-@\t\r]").any()


def test_no_cell_of_a_spreadsheet_is_a_formula(tmp_path):
    with small('=HYPERLINK("http://x")') as store:
        export_record(store, tmp_path / "a.xlsx", format="excel")
        export_record(store, tmp_path / "a", format="csv")
    for sheet in openpyxl.load_workbook(tmp_path / "a.xlsx"):
        assert not any(cell.data_type == "f" for row in sheet for cell in row)
    for file in (tmp_path / "a").rglob("*.csv"):
        rows = csv.reader(file.read_text().splitlines())
        assert not any(cell[:1] in "=+@" for row in rows for cell in row if cell)


@pytest.mark.parametrize("kind", FORMATS)
def test_safety_data_stay_behind_unless_asked_for(record, tmp_path, kind):
    report = export_record(record, place(tmp_path, kind), format=kind)
    assert report.withheld == ("phq9",)
    assert "administrations/phq9" not in report.rows
    path = place(tmp_path, kind)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    for file in files:
        raw = file.read_bytes()
        if file.suffix == ".xlsx":
            book = openpyxl.load_workbook(file)
            raw = " ".join(str(cell.value) for sheet in book for row in sheet for cell in row).encode()
            raw += " ".join(book.sheetnames).encode()
        assert not any(word in raw.lower() for word in (b"hits", b"self-harm", b"phq9_9", b"safety", b"violence"))


def test_safety_data_need_the_permission_and_a_users_part_is_all_they_get(record, tmp_path):
    record.accounts.add("one", "a long enough phrase", "clinician", clinician_id="K1")
    record.accounts.add("ann", "a long enough phrase", "analyst")
    mine = record.as_user("one")
    with pytest.raises(AccessDenied, match="safety:read"):
        export_record(mine, tmp_path / "a", include_safety=True)
    assert not (tmp_path / "a").exists()
    export_record(mine, tmp_path / "a")
    assert pl.read_csv(tmp_path / "a/clients.csv")["client_id"].to_list() == ["C1"]
    assert "D2" not in "".join(file.read_text() for file in (tmp_path / "a").rglob("*.csv"))
    with pytest.raises(NotInRecord):
        export_record(mine, tmp_path / "b", clients=["D2"])
    with pytest.raises(AccessDenied):
        export_record(record.as_user("ann"), tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_every_export_is_told_in_the_audit_trail(record, tmp_path):
    export_record(record, tmp_path / "a", clients=["C1"], instruments=["rses"], scores=False)
    last = record.audit.entries().filter(pl.col("action") == "export").row(-1, named=True)
    assert last["subject"] == "C1"
    said = json.loads(last["detail"])
    assert (said["format"], said["instruments"], said["file"]) == ("csv", ["rses"], "a")
    assert said["rows"]["administrations/rses"] == 1
    export_record(record, tmp_path / "b", include_safety=True)
    line = record.audit.entries(last=1, include_safety=True).row(0, named=True)
    assert json.loads(line["detail"])["safety"]["rows"]["administrations/hits"] == 1
    for_others = json.loads(record.audit.entries(last=1).row(0, named=True)["detail"])
    assert (for_others["file"], "safety" in for_others, "rows" in for_others) == ("b", False, False)


def test_an_export_holds_what_is_asked_for(record, tmp_path):
    rows = export_record(record, tmp_path / "a", instruments=["rses"], answers=False).rows
    assert rows == {"scores": 1}
    score = pl.read_csv(tmp_path / "a/scores.csv").row(0, named=True)
    assert (score["score"], score["answered"], score["items"]) == (None, 9, 10)  # one blank: no score, but a count
    with pytest.raises(UnknownInstrument):
        export_record(record, tmp_path / "b", instruments=["rsess"])
    with pytest.raises(SettingsError, match="nothing to export"):
        export_record(record, tmp_path / "b", instruments=["ecr"], answers=False)


def test_nothing_is_overwritten_unasked_and_no_strange_folder_at_all(record, tmp_path):
    folder = tmp_path / "a"
    export_record(record, folder)
    with pytest.raises(SettingsError, match="already contains an export"):
        export_record(record, folder)
    export_record(record, folder, force=True, instruments=["rses"])
    assert not (folder / "administrations/gad7.csv").exists()
    strange = tmp_path / "mine"
    strange.mkdir()
    (strange / "thesis.txt").write_text("x")
    with pytest.raises(SettingsError, match="files not written by an export"):
        export_record(record, strange, force=True)
    assert (strange / "thesis.txt").read_text() == "x"
    assert {one.name for one in tmp_path.iterdir()} == {"a", "mine"}
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "clients.csv").stat().st_mode & 0o077 == 0


def test_a_fault_on_the_way_leaves_nothing_half_done(record, tmp_path, monkeypatch):
    def broken(folder: Path, *_: object) -> None:
        (folder / "clients.csv").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting._WRITERS, "csv", broken)
    with pytest.raises(SettingsError, match="No space left on device"):
        export_record(record, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_spss_has_labels_of_variables_and_of_values(record, tmp_path):
    export_record(record, tmp_path / "a", format="spss")
    _, about = pyreadstat.read_sav(tmp_path / "a/administrations/rses.sav", metadataonly=True)
    assert about.column_names_to_labels["rses_1"] == "equal worth"  # form b
    assert about.variable_value_labels["rses_1"] == {
        0: "0 strongly disagree", 1: "1", 2: "2", 3: "3 strongly agree",
    }  # fmt: skip


def test_redcaps_dictionary_has_its_eighteen_columns_and_fit_names(record, tmp_path):
    export_record(record, tmp_path / "a", format="redcap")
    rows = list(csv.reader((tmp_path / "a/dictionary.csv").read_text().splitlines()))
    assert rows[0] == list(COLUMNS)
    assert {len(row) for row in rows} == {18}
    names = [row[0] for row in rows[1:]]
    assert len(names) == len(set(names))
    assert all(name.isascii() and name == name.lower() and name.replace("_", "").isalnum() for name in names)
    header = next(csv.reader((tmp_path / "a/data.csv").read_text().splitlines()))
    assert header[:3] == ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance"]
    known = {*names, *header[1:3]}
    assert all(name in known or name.endswith("_complete") for name in header)


def test_a_number_below_zero_is_a_number_in_every_table_of_text(record, tmp_path):
    export_record(record, tmp_path / "r", format="redcap")
    export_record(record, tmp_path / "b", format="bids")
    export_record(record, tmp_path / "c", format="csv")
    redcap = pl.read_csv(tmp_path / "r/data.csv", infer_schema=False)
    bids = pl.read_csv(tmp_path / "b/sourcedata/goals.tsv", separator="\t", infer_schema=False)
    plain = pl.read_csv(tmp_path / "c/goals.csv", infer_schema=False)
    assert redcap["mbc_goals_baseline"].drop_nulls().to_list() == ["-1.5"]
    assert bids["baseline"].to_list() == plain["baseline"].to_list() == ["-1.5"]


@pytest.mark.parametrize(
    ("kind", "file", "about"),
    [
        ("csv", "administrations/gad7.csv", {}),
        ("spss", "administrations/gad7.sav", {}),
        pytest.param(
            "bids",
            "phenotype/gad7.tsv",
            {"columns": {"client_id": "participant_id"}, "blank": ("n/a",)},
            marks=pytest.mark.slow,
        ),
        ("redcap", "data.csv", {"dictionary": "dictionary.csv", "instrument": "gad7"}),
    ],
)
@pytest.mark.usefixtures("readers_in_process")
def test_a_file_of_an_export_can_also_be_read_alone_as_anybodys(record, tmp_path, kind, file, about):
    export_record(record, tmp_path / "a", format=kind)
    if "dictionary" in about:
        about = {**about, "dictionary": tmp_path / "a" / about["dictionary"]}
    plan = plan_import(tmp_path / "a" / file, **about)
    (row,) = plan.administrations.filter(pl.col("answers").list.drop_nulls().list.len() > 0).iter_rows(named=True)
    assert (row["answers"], row["coding"]) == ([1.0] * 7, "0-3")
    assert row["taken_at"] == datetime(2026, 1, 6, 4, 30, tzinfo=UTC)


def test_bids_describes_every_column_and_its_levels(record, tmp_path):
    export_record(record, tmp_path / "a", format="bids")
    table = pl.read_csv(tmp_path / "a/phenotype/gad7.tsv", separator="\t", null_values="n/a", infer_schema=False)
    said = json.loads((tmp_path / "a/phenotype/gad7.json").read_text())
    assert set(table.columns) <= set(said)
    assert said["gad7_1"]["Levels"] == {"0": "0 lowest answer", "1": "1", "2": "2", "3": "3 highest answer"}
    assert json.loads((tmp_path / "a/phenotype/scores.json").read_text())["score"]["Derivative"] is True
    ignored = (tmp_path / "a/.bidsignore").read_text().split()
    known = {"README", "dataset_description.json", "participants.tsv", "participants.json", ".bidsignore"}
    assert {one.name for one in (tmp_path / "a").iterdir() if one.is_file()} == known | set(ignored)
    for table in (tmp_path / "a/phenotype").glob("*.tsv"):
        assert table.read_text().split("\t", 2)[:2] == ["participant_id", "session_id"]
    people = pl.read_csv(tmp_path / "a/participants.tsv", separator="\t")["participant_id"].to_list()
    assert len({one.casefold() for one in people}) == 3
    assert all(one.startswith("sub-") and one[4:].isalnum() for one in people)


DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?")
# What HL7 FHIR R4 (4.0.1) asks of each kind of resource that leaves; fhir.resources (R4B) accepts all of them too.
NEEDED = {
    "Patient": set(),
    "Questionnaire": {"status"},
    "QuestionnaireResponse": {"status", "questionnaire", "subject", "authored"},
    "Observation": {"status", "code", "subject", "effectiveDateTime", "valueQuantity"},
    "Basic": {"code"},
}


def blanks(value: object) -> bool:
    """Whether a text, list or object is empty, which FHIR allows nowhere."""
    if isinstance(value, dict):
        return not value or any(map(blanks, value.values()))
    return not value or any(map(blanks, value)) if isinstance(value, list) else value in ("", None)


def test_a_bundle_is_fhir_r4_and_explains_itself(record, tmp_path):
    about = {"form": "a", "coding": "1-4"}
    with record.writing() as writing:
        writing.add(Administration("D2", "rses", date(2026, 1, 5), (1, 2, 3, 4, 1, 2, 3, 4, 1, 2), **about))
    export_record(record, tmp_path / "a.json", format="fhir", include_safety=True)
    bundle = json.loads((tmp_path / "a.json").read_text())
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    assert not blanks(bundle)
    found = {one["fullUrl"]: one["resource"] for one in bundle["entry"]}
    assert len(found) == len(bundle["entry"])
    kinds: dict[str, list[dict]] = {}
    for address, one in found.items():
        assert NEEDED[one["resourceType"]] <= one.keys()
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one["id"])
        assert address == f"urn:uuid:{one['id']}"
        kinds.setdefault(one["resourceType"], []).append(one)
    assert kinds.keys() == NEEDED.keys()
    asked = {f"{one['url']}|{one['version']}": one for one in kinds["Questionnaire"]}
    assert len(asked) == len(kinds["Questionnaire"])  # no two are called the same
    assert all(re.fullmatch(r"\S+", name) for name in asked)
    for one in kinds["Questionnaire"]:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", one["name"])
    for one in kinds["QuestionnaireResponse"]:
        assert DATE_TIME.fullmatch(one["authored"])
        assert found[one["subject"]["reference"]]["resourceType"] == "Patient"
        questions = {item["linkId"]: item for item in asked[one["questionnaire"]]["item"]}
        for item in one["item"]:
            options = [
                option["valueCoding"] for option in questions.get(item["linkId"], {}).get("answerOption", [])
            ]
            for answer in item.get("answer", []):
                assert answer.get("valueCoding") in options or "valueDecimal" in answer
    for one in kinds["Observation"]:
        assert DATE_TIME.fullmatch(one["effectiveDateTime"])
        assert one["valueQuantity"].keys() == {"value", "unit", "system", "code"}
        assert all(found[source["reference"]] for source in one.get("derivedFrom", []))
    labels = {  # the first item, by the order of the form and the coding that was answered
        (name.removeprefix("urn:mbc:instrument:"), one["item"][0]["text"], len(one["item"][0]["answerOption"]))
        for name, one in asked.items()
        if "rses" in name
    }
    assert labels == {("rses|b.0-3", "equal worth", 4), ("rses|a.1-4", "satisfaction with oneself", 4)}


def test_phq9_and_gad7_leave_with_the_loinc_codes_of_their_items_and_totals(record, tmp_path):
    export_record(record, tmp_path / "a.json", format="fhir", include_safety=True)
    entries = [one["resource"] for one in json.loads((tmp_path / "a.json").read_text())["entry"]]
    asked = {one["name"]: one for one in entries if one["resourceType"] == "Questionnaire"}
    # codes of the panels, first and last items and totals as loinc.org lists them under 44249-1 and 69737-5
    for name, panel, first, last, total in (
        ("PHQ9", "44249-1", "44250-9", "44260-8", "44261-6"),
        ("GAD7", "69737-5", "69725-0", "69736-7", "70274-6"),
    ):
        items = asked[name]["item"]
        assert asked[name]["code"] == [{"system": "http://loinc.org", "code": panel}]
        assert [items[n]["code"][0]["code"] for n in (0, -2, -1)] == [first, last, total]
    codes = {
        code["code"] for one in entries if one["resourceType"] == "Observation" for code in one["code"]["coding"]
    }
    assert {"44261-6", "70274-6"} <= codes
