"""Record folders of many clinics, by any engine: the same figures as from the rows, and as from a record."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

import mbc
from mbc import outcomes, simulate
from mbc.care import clinic_report
from mbc.cli.program import program
from mbc.errors import FrameError, SettingsError
from mbc.exchange import import_record
from mbc.outcomes.engines import ENGINES
from mbc.outcomes.record_folders import read_folders
from mbc.store import Store
from tests.cli.in_process import mbc as mbc_command
from tests.outcomes.made_people import END, START, make_people, nhs_by_hand
from tests.outcomes.small_clinic import write_small_clinic
from tests.outcomes.test_nhs import counted, write_record

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clinics(tmp_path_factory: pytest.TempPathFactory):
    """Two clinics whose clients have the same names, and what both have together."""
    home = tmp_path_factory.mktemp("clinics")
    people = [make_people(seed, size=60) for seed in (31, 32)]
    folders = [write_record(each, home / name) for each, name in zip(people, ("north", "south"), strict=True)]
    both = [nhs_by_hand(each) for each in people]
    return folders, {name: (both[0][name][0] + both[1][name][0], both[0][name][1] + both[1][name][1])
                     for name in both[0]}  # fmt: skip


@pytest.mark.parametrize(
    "engine", [pytest.param(each, marks=pytest.mark.slow if each == "spark" else ()) for each in ENGINES]
)
def test_clinics_are_counted_together_and_their_clients_kept_apart(clinics, engine):
    if engine == "spark":
        pytest.importorskip("pyspark", reason="pyspark is not installed")
    folders, expected = clinics
    report = outcomes.report(read_folders(folders, engine), "nhs", "finished", start=START, end=END)
    assert counted(report) == expected


@pytest.mark.parametrize("engine", ["polars", pytest.param("duckdb", marks=pytest.mark.slow)])
def test_parquet_and_csv_give_the_same(clinics, tmp_path, engine):
    (north, _), _ = clinics
    folder = tmp_path / "north"
    for file in north.rglob("*.csv"):
        place = folder / file.relative_to(north).with_suffix(".parquet")
        place.parent.mkdir(parents=True, exist_ok=True)
        pl.read_csv(file, try_parse_dates=True).write_parquet(place)
    reports = [outcomes.report(read_folders([path], engine), start=START, end=END) for path in (north, folder)]
    assert counted(reports[0]) == counted(reports[1])


@pytest.mark.slow  # the registry's command reads them, too
def test_the_command_reads_folders(clinics, tmp_path):
    folders, expected = clinics
    file = tmp_path / "nhs.csv"
    where = f"{folders[0]} {folders[1]}"
    about = tmp_path / "about.json"
    words = (
        f"outcomes --engine duckdb {where} --definition nhs --from {START} --to {END} --csv {file} --about {about}"
    )
    result = CliRunner().invoke(program, words.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    how = json.loads(about.read_text(encoding="utf-8"))
    assert (how["definition"], how["cohort"], how["start"]) == ("nhs", "finished", "2026-04-01")
    assert how["table_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert how["version"] == mbc.__version__
    rows = pl.read_csv(file).select("metric", "numerator", "denominator").iter_rows()
    assert {name: (hit, of) for name, hit, of in rows} == expected


@pytest.mark.parametrize("words", ["--engine duckdb", "{} --as ana --from 2026-01-01 --to 2026-02-01", "{}"])
def test_wrong_usage_is_said(clinics, words):
    (folder, _), _ = clinics
    result = CliRunner().invoke(program, ["outcomes", *words.format(folder).split()])
    assert result.exit_code == 2


def test_folders_that_cannot_be_read_are_refused(tmp_path: Path, clinics):
    (north, _), _ = clinics
    with pytest.raises(SettingsError, match="the same name"):
        read_folders([north, tmp_path / "north"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="episodes and sessions"):
        read_folders([tmp_path / "empty"])
    with pytest.raises(SettingsError, match="not a folder"):
        read_folders([tmp_path / "absent"])


@pytest.mark.parametrize(
    ("definition", "cohort", "engine"),
    [
        ("nhs", "finished", "polars"),
        pytest.param("nhs", "finished", "duckdb", marks=pytest.mark.slow),
        pytest.param("jacobson-truax", "in-care", "polars", marks=pytest.mark.slow),
        pytest.param("jacobson-truax", "in-care", "duckdb", marks=pytest.mark.slow),
        pytest.param("saes", "finished", "polars", marks=pytest.mark.slow),
        pytest.param("saes", "finished", "duckdb", marks=pytest.mark.slow),
    ],
)
def test_a_folder_gives_the_figures_of_the_record_to_the_digit(sample_twice, engine, definition, cohort):
    """Some practices of the sample print another item order or number answers otherwise: both are on the rows."""
    folder, store = sample_twice
    days = {"start": dt.date(2026, 4, 1), "end": dt.date(2026, 9, 30)}
    ours = clinic_report(store, definition=definition, cohort=cohort, **days).table()
    theirs = outcomes.report(read_folders([folder], engine), definition, cohort, **days).table()
    assert_frame_equal(theirs, ours, check_row_order=False)


@pytest.fixture(scope="module")
def sample_twice(tmp_path_factory):
    folder = simulate.clinic(clients=60).write(tmp_path_factory.mktemp("sample") / "record")
    with Store.create("sqlite://") as store:
        import_record(folder, store, by="test")
        yield folder, store


def test_a_total_counts_where_no_answers_were_kept_and_what_others_answered_never_does(tmp_path):
    folder = tmp_path / "clinic"
    (folder / "administrations").mkdir(parents=True)
    (folder / "episodes.csv").write_text(
        "episode_id,client_id,referred_on,ended_on\nE1,C1,2026-01-05,2026-05-04\n"
    )
    (folder / "sessions.csv").write_text("episode_id,held_on,attended\nE1,2026-02-02,true\nE1,2026-02-09,true\n")
    items = ",".join(f"phq9_{n}" for n in range(1, 10))
    (folder / "administrations" / "phq9.csv").write_text(
        f"client_id,taken_on,target,informant,form,coding,{items}\n"
        f"C1,2026-02-02,self,client,standard,0-3,{','.join('222222222')}\n"
        f"C1,2026-05-01,self,partner,standard,0-3,{','.join('333333333')}\n"
    )
    (folder / "totals.csv").write_text(
        "client_id,instrument,target,informant,taken_on,scale,score\n"
        "C1,phq9,self,client,2026-04-20,total,4\nC1,phq9,self,client,2026-02-02,total,27\n"
        "C1,gad7,self,client,2026-02-02,total,14\nC1,gad7,self,client,2026-04-20,total,3\n"
    )
    made = outcomes.report(read_folders([folder]), "nhs", start=START, end=END)
    assert (made["recovery"].numerator, made["recovery"].denominator) == (1, 1)  # 18 to 4 and 14 to 3


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("attended", "perhaps", "true or false, yes or no, 1 or 0"),
        pytest.param("held_on", "20260202", "days such as 2026-06-30", marks=pytest.mark.slow),
        pytest.param("held_on", "02.02.2026", "days such as 2026-06-30", marks=pytest.mark.slow),
        ("held_on", "2026-02-30", "days such as 2026-06-30"),
        pytest.param("held_on", "2026-13-01", "days such as 2026-06-30", marks=pytest.mark.slow),
    ],
)
def test_texts_that_would_count_as_something_else_are_refused(column, value, words):
    day = "2026-02-02"
    sessions = pl.DataFrame({"episode_id": ["E1", "E1"], "held_on": [day, day], "attended": ["yes", "No"]})
    frames = {
        "episodes": pl.DataFrame(
            {"episode_id": ["E1"], "client_id": ["C1"], "referred_on": [day], "ended_on": ["2026-05-04"]}
        ),
        "sessions": sessions,
        "scores": pl.DataFrame(
            {"client_id": ["C1"], "instrument": ["phq9"], "scale": ["total"], "taken_on": [day], "score": [9]}
        ),
    }
    made = outcomes.report(frames, start=START, end=END)
    assert made["ended_treated_once"].numerator == 1  # one was attended, one missed
    wrong = sessions.with_columns(pl.lit(value).alias(column))
    for table in (wrong, wrong.lazy(), wrong.to_pandas(), wrong.to_arrow()):
        with pytest.raises(FrameError, match=f"'{column}' of 'sessions' has .*{re.escape(value)}.*{words}"):
            outcomes.report(
                {"episodes": frames["episodes"], "scores": frames["scores"], "sessions": table}
                if not isinstance(table, pl.LazyFrame)
                else {name: frame.lazy() for name, frame in (frames | {"sessions": wrong}).items()},
                start=START, end=END,
            )  # fmt: skip
    with pytest.raises(FrameError, match="'attended' of 'sessions' has '2'"):
        outcomes.report(frames | {"sessions": sessions.with_columns(attended=pl.lit(2))}, start=START, end=END)


def test_an_unknown_eligibility_is_refused(clinics):
    (north, _), _ = clinics
    with pytest.raises(SettingsError, match="There is no eligibility 'acron'; there are plain, acorn"):
        outcomes.report(read_folders([north]), start=START, end=END, eligibility="acron")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("sessions.csv", b"\x1b[2J\x07\xff\xfe,,\n\x00", "'clinic/sessions.csv' is not UTF-8 text"),
        ("sessions.csv", b"", "'clinic/sessions.csv' is empty"),
        (
            "administrations/phq9.csv",
            None,
            "phq9_9 has 'often' (accepted: 0-3). Correct these cells in the folder",
        ),
    ],
)
def test_a_damaged_folder_is_refused_in_words_that_a_terminal_can_show(tmp_path, file, content, words):
    folder = write_small_clinic(tmp_path / "clinic")
    place = folder / file
    if content is None:
        first, second, *rest = place.read_text().splitlines()
        content = "\n".join([first, f"{second.rpartition(',')[0]},often", *rest]).encode()
    place.write_bytes(content)
    words_given = f"outcomes {folder} --from {START} --to {END} --csv {tmp_path / 'out.csv'}".split()
    ended = mbc_command(*words_given)
    assert ended.returncode == 1
    assert words in ended.stderr.replace("\n", "")
    assert "\x1b[2J" not in ended.stderr
    assert "\x07" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("kept", [3, 500])
def test_a_parquet_file_that_was_cut_off_is_named(tmp_path, engine, kept):
    for name in ("north", "south"):
        (tmp_path / name / "administrations").mkdir(parents=True)
        for table in ("episodes", "sessions", "administrations/rses"):
            pl.DataFrame({"client_id": ["C1"] * 200}).write_parquet(tmp_path / name / f"{table}.parquet")
    damaged = tmp_path / "south" / "administrations" / "rses.parquet"
    damaged.write_bytes(damaged.read_bytes()[:kept])
    with pytest.raises(
        SettingsError, match=r"'south/administrations/rses\.parquet' is not a complete Parquet file"
    ):
        read_folders([tmp_path / "north", tmp_path / "south"], engine)


@pytest.mark.parametrize("engine", ["polars", pytest.param("duckdb", marks=pytest.mark.slow)])
def test_a_parquet_file_that_was_damaged_in_its_middle_is_named_by_reports_and_checks(tmp_path, engine):
    folders = [write_small_clinic(tmp_path / name, n) for n, name in ((1, "north"), (2, "south"))]
    for csv in [file for folder in folders for file in folder.rglob("*.csv")]:
        pl.read_csv(csv, try_parse_dates=True).write_parquet(csv.with_suffix(".parquet"))
        csv.unlink()
    assert not outcomes.check_folders(folders, engine).faults
    damaged = folders[1] / "administrations" / "phq9.parquet"
    content = bytearray(damaged.read_bytes())
    content[4:400] = bytes(396)  # its beginning, its end and its list of columns are whole
    damaged.write_bytes(content)
    words = "'south/administrations/phq9.parquet' cannot be read to the end. Copy it again, or export it again."
    ended = mbc_command(
        "outcomes", *folders, "--from", START, "--to", END, "--engine", engine, "--definition", "nhs"
    )
    assert (ended.returncode, words in " ".join(ended.stderr.split())) == (1, True), ended.stderr
    faults = outcomes.check_folders(folders, engine).faults
    assert words in faults
    assert not [fault for fault in faults if "north" in fault], faults


def _rewritten(file: Path, *columns: pl.Expr) -> None:
    pl.read_csv(file, infer_schema=False).with_columns(*columns).write_csv(file)


def test_columns_that_folders_wrote_in_other_types_count_as_in_each_folder_alone(tmp_path):
    folders = [write_small_clinic(tmp_path / name, number) for number, name in ((1, "north"), (2, "south"))]
    _rewritten(folders[0] / "episodes.csv", pl.lit(None, pl.String).alias("started_on"))
    _rewritten(folders[0] / "administrations" / "phq9.csv", pl.lit(None, pl.String).alias("phq9_3"))
    attended = pl.when(pl.col("attended") == "true").then(pl.lit("1")).otherwise(pl.lit("0"))
    _rewritten(folders[1] / "sessions.csv", attended.alias("attended"))
    _rewritten(folders[1] / "administrations" / "phq9.csv", pl.col("phq9_2") + ".0")
    chosen = {"definition": "nhs", "start": START, "end": END}

    def figures(report: outcomes.OutcomeReport) -> list[tuple[str, float | None, int | None]]:
        return [(metric.metric, metric.numerator, metric.denominator) for metric in report.metrics]

    alone = {folder.name: figures(outcomes.report(read_folders([folder]), **chosen)) for folder in folders}
    assert all(any(of for _, _, of in of_folder) for of_folder in alone.values())
    for engine in ("polars", "duckdb"):
        together = outcomes.report_by_clinic(read_folders(folders, engine), **chosen)
        assert {name: figures(report) for name, report in together.clinics.items()} == alone


DAMAGED = {
    "other encoding": (
        "sessions.csv",
        lambda text: text[:-40] + b"\xe9\xe9" + text[-38:],
        "is not UTF-8 text after line",
    ),
    "open quotation mark": (
        "administrations/phq9.csv",
        lambda text: text + b'"C9,',
        "cannot be read as CSV at line",
    ),
    "cut off in a row": (
        "episodes.csv",
        lambda text: text[: text.rindex(b",") - 12],
        "values in line 13, and 7 columns",
    ),
}


@pytest.mark.parametrize(
    ("engine", "damaged"),
    [
        ("polars", "other encoding"),
        ("polars", "cut off in a row"),
        ("duckdb", "open quotation mark"),  # which DuckDB itself would accept
        pytest.param("polars", "open quotation mark", marks=pytest.mark.slow),
        pytest.param("duckdb", "other encoding", marks=pytest.mark.slow),
        pytest.param("duckdb", "cut off in a row", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_csv_file_is_named_with_its_line_on_every_engine(tmp_path, engine, damaged):
    file, damage, words = DAMAGED[damaged]
    folders = [write_small_clinic(tmp_path / name, number) for number, name in ((1, "north"), (2, "south"))]
    place = folders[1] / file
    place.write_bytes(damage(place.read_bytes()))
    with pytest.raises(SettingsError, match=f"'south/{file}' .*{words}"):
        outcomes.report(read_folders(folders, engine), start=START, end=END)
    faults = outcomes.check_folders(folders, engine).faults
    assert any(f"'south/{file}'" in fault and words in fault for fault in faults), faults


def test_folders_are_read_whatever_their_names_mean_in_a_pattern_and_refused_where_they_cannot_be_shown(tmp_path):
    for engine in ("polars", "duckdb"):
        folder = write_small_clinic(tmp_path / f"{engine} [2026] a*b?")
        assert outcomes.report(read_folders([folder], engine), start=START, end=END).metrics
    with pytest.raises(SettingsError, match="characters that cannot be shown"):
        read_folders([write_small_clinic(tmp_path / "so\x1b[2Juth")])


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_day_in_another_order_is_refused_and_not_guessed(tmp_path, engine):
    folder = write_small_clinic(tmp_path / "clinic")
    _rewritten(folder / "sessions.csv", pl.col("held_on").str.to_date().dt.strftime("%d/%m/%Y"))
    with pytest.raises(FrameError, match=r"'held_on' of 'sessions' has '../../....'.*days such as 2026-06-30"):
        outcomes.report(read_folders([folder], engine), start=START, end=END)
