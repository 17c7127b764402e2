"""A registry of clinics: its folders checked, and reported by any engine as a record reports itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mbc import models, outcomes, simulate
from mbc.care import clinic_report
from mbc.exchange import import_record
from mbc.exchange.export.write import export_record
from mbc.outcomes.registry.by_clinic import ALL
from mbc.outcomes.registry.layout import layout_table
from mbc.store import Store
from tests.cli.in_process import mbc as mbc_command
from tests.outcomes.small_clinic import write_small_clinic

pytestmark = pytest.mark.long

DAYS = {"start": dt.date(2026, 4, 1), "end": dt.date(2026, 9, 30)}
DUCKDB, SPARK = (pytest.param(name, marks=pytest.mark.slow) for name in ("duckdb", "spark"))
ROOT = Path(__file__).resolve().parents[3]


def spoil(folder: Path) -> None:
    """Add answers about a relationship that is over, and answers that do not say which one they are about."""
    statuses = pl.read_csv(folder / "statuses.csv", try_parse_dates=True)
    over = (
        statuses.filter(pl.col("relationship_id").is_not_null()).group_by("client_id", maintain_order=True).first()
    )
    over = over.with_columns(
        status=pl.lit("ended"),
        since=pl.lit(dt.date(2026, 6, 1)),
        step_forward=pl.lit(value=None, dtype=pl.Boolean),
    ).select(statuses.columns)
    third = over.gather_every(3).join(statuses, on=["client_id", "since"], how="anti")
    pl.concat([statuses, third], how="vertical_relaxed").write_csv(folder / "statuses.csv")
    file = folder / "administrations" / "csi16.csv"
    answers = pl.read_csv(file, try_parse_dates=True)
    unnamed = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("self")).otherwise("target").alias("target")
    answers.with_columns(unnamed).write_csv(file)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """Two clinics: their records, and their folders as `mbc export --format parquet` writes them."""
    home = tmp_path_factory.mktemp("registry")
    records: dict[str, str] = {}
    folders: list[Path] = []
    for seed, name in ((3, "north"), (4, "south")):
        rows = simulate.clinic(clients=40, clinicians=3, seed=seed, stories=False).write(home / f"{name}-csv")
        spoil(rows)
        records[name] = f"sqlite:///{home / name}.db"
        with Store.create(records[name]) as store:
            import_record(rows, store, by="test")
            folders.append(export_record(store, home / name, format="parquet").path)
    return records, folders


@pytest.mark.parametrize(
    ("definition", "engine"),
    [
        ("jacobson-truax", "polars"),
        ("nhs", "duckdb"),
        pytest.param("jacobson-truax", "duckdb", marks=pytest.mark.slow),
        pytest.param("nhs", "polars", marks=pytest.mark.slow),
        *(pytest.param(each, "spark", marks=pytest.mark.slow) for each in ("jacobson-truax", "nhs")),
    ],
)
def test_an_exported_folder_gives_the_figures_of_its_record_to_the_digit(registry, engine, definition):
    records, folders = registry
    _skip_without(engine)
    with Store.open(records["north"]) as store:
        ours = clinic_report(store, definition=definition, cohort="in-care", **DAYS).table()
    theirs = outcomes.report(outcomes.read_folders(folders[:1], engine), definition, "in-care", **DAYS).table()
    assert_frame_equal(theirs, ours, check_row_order=False)


@pytest.mark.parametrize("engine", ["polars", DUCKDB, SPARK])
def test_each_clinic_has_its_own_figures_and_all_are_their_sum(registry, engine):
    records, folders = registry
    _skip_without(engine)
    made = outcomes.report_by_clinic(outcomes.read_folders(folders, engine), "jacobson-truax", "in-care", **DAYS)
    assert list(made.clinics) == ["north", "south"]
    with Store.open(records["south"]) as store:
        alone = clinic_report(store, definition="jacobson-truax", cohort="in-care", **DAYS).table()
    south = made.to_frame().filter(clinic="south").drop("clinic")
    assert_frame_equal(south, alone.drop("published"), check_row_order=False)
    counts = (
        made.to_frame().group_by(pl.col("clinic") == ALL, "metric").agg(pl.col("numerator", "denominator").sum())
    )
    together, added = (part.drop("clinic").sort("metric") for _, part in sorted(counts.group_by("clinic"))[::-1])
    assert_frame_equal(together, added)


def test_what_is_published_of_all_clinics_is_the_sum_of_what_each_publishes(registry):
    _, folders = registry
    frames = outcomes.read_folders(folders)
    shown = outcomes.report_by_clinic(frames, "nhs", "in-care", **DAYS).published()
    assert not shown.filter(pl.col("count").is_between(1, 4)).height
    parts = shown.filter(pl.col("clinic") != ALL).drop_nulls("count").group_by("metric").agg(pl.col("count").sum())
    all_of_them = shown.filter(clinic=ALL).drop_nulls("count").select("metric", "count")
    assert_frame_equal(all_of_them, parts, check_row_order=False)
    assert shown.filter("hidden").height  # some count is small in clinics of 40 people
    counts_alone = shown.filter(pl.col("metric").is_in(["course", "not_at_caseness"]), clinic=ALL)
    assert counts_alone.height == 2
    assert counts_alone["percent"].null_count() == 2
    rates = shown.filter(~pl.col("metric").is_in(["course", "not_at_caseness"]), clinic=ALL)
    assert rates["percent"].drop_nulls().len() > 2


@pytest.mark.parametrize("engine", ["duckdb", SPARK])
def test_growth_from_client_sums_is_the_same_on_every_engine(registry, engine):
    _, folders = registry
    _skip_without(engine)

    def fit(rows: object) -> models.GrowthCurve:
        return models.growth_curve(
            rows, outcome="score", time="week", client="episode_id", shape="log", covariates=["clinic:time"]
        )

    ours, theirs = (
        fit(outcomes.growth_rows(outcomes.read_folders(folders, name), "rses")) for name in ("polars", engine)
    )
    for ours_, theirs_ in zip(ours.coefficients, theirs.coefficients, strict=True):
        assert ours_.name == theirs_.name
        assert (theirs_.estimate, theirs_.standard_error) == pytest.approx(
            (ours_.estimate, ours_.standard_error), rel=1e-8
        )
    assert theirs.log_likelihood == pytest.approx(ours.log_likelihood, rel=1e-10)


@pytest.mark.slow  # the sums: tests/models/growth/test_design_sums.py
@pytest.mark.parametrize("engine", ["polars", DUCKDB])
def test_growth_from_sums_per_design_is_that_from_client_sums(registry, engine):
    _, folders = registry
    rows = outcomes.growth_rows(outcomes.read_folders(folders, engine), "rses", whole_weeks=True)
    for time, covariates in (("occasion", ["clinic:time"]), ("week", [])):
        by_client, by_design = (
            models.growth_curve(rows, outcome="score", time=time, client="episode_id", covariates=covariates,
                                random="intercept", sums_per=per)
            for per in ("client", "design")
        )  # fmt: skip
        assert by_design.n_clients == by_client.n_clients
        assert by_design.log_likelihood == pytest.approx(by_client.log_likelihood, rel=1e-10)
        same = by_design.at(by_client.estimates.theta.tolist())  # searches end near each other, not at one point
        for ours, theirs in zip(same.coefficients, by_client.coefficients, strict=True):
            assert (ours.estimate, ours.standard_error) == pytest.approx(
                (theirs.estimate, theirs.standard_error), rel=1e-8
            )
        assert time == "week" or by_design.n_designs < 0.5 * by_design.n_clients


def test_weeks_are_rounded_to_the_nearest_and_occasions_counted(registry):
    frames = outcomes.read_folders(registry[1])
    exact, whole = (
        outcomes.growth_rows(frames, "rses", whole_weeks=rounded).collect().sort("episode_id", "occasion")
        for rounded in (False, True)
    )
    assert whole["week"].to_list() == [math.floor(week + 0.5) for week in exact["week"].to_list()]
    assert exact["week"].to_list() != whole["week"].to_list()
    for (_,), episode in exact.group_by("episode_id"):
        assert sorted(episode["occasion"].to_list()) == list(range(episode.height))
        assert episode.filter(occasion=0)["score"].to_list() == episode["first"].unique().to_list()


def test_a_folder_may_hold_the_rows_of_many_clinics(registry, tmp_path):
    _, folders = registry
    both = tmp_path / "both"
    instruments = ["phq9", "gad7", "csi16"]  # each takes its time
    for file in folders[0].rglob("*.parquet"):
        if file.parent.name == "administrations" and file.stem not in instruments:
            continue
        place = both / file.relative_to(folders[0])
        place.parent.mkdir(parents=True, exist_ok=True)
        parts = [
            pl.read_parquet(folder / file.relative_to(folders[0])).with_columns(clinic=pl.lit(folder.name))
            for folder in folders
        ]
        pl.concat(parts, how="vertical_relaxed").write_parquet(place)
    assert outcomes.check_folders([both]).faults == ()
    many, together = (
        outcomes.report_by_clinic(
            outcomes.read_folders(paths, instruments=instruments), "nhs", "in-care", **DAYS
        ).to_frame()
        for paths in (folders, [both])
    )
    assert_frame_equal(many, together)


@pytest.mark.parametrize("engine", ["polars", DUCKDB, SPARK])
def test_every_fault_of_a_folder_is_named_with_its_place_and_count(registry, engine, tmp_path):
    _skip_without(engine)
    folders = [tmp_path / name for name in ("north", "south")]
    for original, copy in zip(registry[1], folders, strict=True):
        shutil.copytree(original, copy)
    assert outcomes.check_folders(folders, engine).faults == ()
    north = folders[0]

    def change(file: str, *columns: pl.Expr, again: int = 0) -> None:
        table = pl.read_parquet(north / file).with_columns(*columns)
        pl.concat([table, table.head(again)]).write_parquet(north / file)

    change("episodes.parquet", again=2)
    change("sessions.parquet", pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("E?")).otherwise("episode_id")
           .alias("episode_id"))  # fmt: skip
    change("statuses.parquet", pl.lit(3).alias("since"))
    change("administrations/rses.parquet", pl.when(pl.int_range(pl.len()) < 4).then(7.0).otherwise("rses_2")
           .alias("rses_2"), pl.lit("9.9").alias("version"))  # fmt: skip
    change("administrations/who5.parquet", pl.lit(dt.date(2999, 1, 1)).alias("taken_on"))
    shutil.copy(north / "administrations" / "ras.parquet", north / "administrations" / "hits.parquet")
    (north / "clients.parquet").write_bytes(b"PAR1 cut short")
    (folders[1] / "scores.parquet").unlink()
    faults = "\n".join(outcomes.check_folders(folders, engine).faults)
    for words in (
        "north/episodes.parquet: 4 rows share 'episode_id' with another (first: '",
        "north/sessions.parquet: 3 rows name a 'episode_id' that is not in episodes (first: 'E?')",
        "north/statuses.parquet: 'since' contains Int",
        "it must contain days such as 2026-06-30",
        "north/administrations/rses.parquet: 4 rows have an answer in 'rses_2' that is not accepted",
        "of version 9.9 of rses; here it is",
        "have a 'taken_on' before 1900 or after",
        "north/administrations/hits.parquet belongs to the safety channel",
        "'north/clients.parquet' is not a complete Parquet file. Copy it again",
        "north has the table 'scores' and south has not",
    ):
        assert words in faults, f"{words}\n{faults}"


REPAIR = (
    "Copy it again, or export the folder again; if that was on purpose, delete its line under 'sha256' in "
    "north/export.json."
)


def test_a_number_that_changed_after_the_export_is_noticed(registry, tmp_path):
    """One answer of another value, in a column without compression: nothing else about the file is odd."""
    folder = tmp_path / "north"
    shutil.copytree(registry[1][0], folder)
    place = folder / "administrations" / "rses.parquet"
    pl.read_parquet(place).write_parquet(place, compression="uncompressed", use_pyarrow=True)
    exported = json.loads((folder / "export.json").read_text())
    exported["sha256"]["administrations/rses.parquet"] = hashlib.sha256(place.read_bytes()).hexdigest()
    (folder / "export.json").write_text(json.dumps(exported))
    assert outcomes.check_folders([folder]).faults == ()
    answers = pl.read_parquet(place)
    content = place.read_bytes()
    two, three = (struct.pack("<d", answer) for answer in (2.0, 3.0))
    assert two in content
    place.write_bytes(content.replace(two, three, 1))
    assert not pl.read_parquet(place).equals(answers)
    (folder / "statuses.parquet").unlink()
    assert outcomes.check_folders([folder]).faults == (
        f"north/statuses.parquet was exported and is missing. {REPAIR}",
        f"north/administrations/rses.parquet changed after the export. {REPAIR}",
    )


@pytest.mark.parametrize(
    "manifest",
    [
        "{",
        '{"sha256": {"a": 1}}',
        '{"include_safety": "no"}',
        *(
            pytest.param(manifest, marks=pytest.mark.slow)
            for manifest in ("[]", '{"sha256": ["x"]}', '{"layout": "new"}')
        ),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path, manifest):
    folder = write_small_clinic(tmp_path / "north")
    (folder / "export.json").write_text(manifest)
    assert "north/export.json cannot be read. Copy it again, or export the folder again." in (
        outcomes.check_folders([folder]).faults
    )


def test_a_manifest_leads_to_no_file_outside_of_its_folder(tmp_path):
    folder = write_small_clinic(tmp_path / "north")
    outside = tmp_path / "secret"
    outside.write_text("secret")
    same = hashlib.sha256(b"secret").hexdigest()
    names = ["../secret", str(outside), "administrations/../../secret", r"..\secret", r"C:\secret", "C:secret"]
    (folder / "export.json").write_text(json.dumps({"sha256": dict.fromkeys(names, same)}))
    faults = outcomes.check_folders([folder]).faults
    found = [fault for fault in faults if "was exported and is missing" in fault]
    assert found == [f"north/{name} was exported and is missing. {REPAIR}" for name in names]


def test_the_command_checks_and_reports_by_clinic(registry, tmp_path):
    _, folders = registry
    good = mbc_command("registry", "check", *folders)
    assert (good.returncode, "No faults in 2 folders." in good.stdout) == (0, True), good.stderr
    broken = tmp_path / "west"
    shutil.copytree(folders[0], broken)
    (broken / "episodes.parquet").unlink()
    refused = mbc_command("registry", "check", broken)
    assert refused.returncode == 1
    assert "west: the table 'episodes' is missing." in refused.stderr
    table = tmp_path / "clinics.csv"
    about = tmp_path / "about.json"
    words = ("--definition", "nhs", "--from", DAYS["start"], "--to", DAYS["end"], "--csv", table, "--about", about)
    done = mbc_command("outcomes", *folders, "--by-clinic", "--engine", "duckdb", *words)
    assert done.returncode == 0, done.stderr
    assert set(pl.read_csv(table)["clinic"]) == {ALL, "north", "south"}
    assert "published" not in [*pl.read_csv(table).columns, *done.stdout.lower().split()]
    assert json.loads(about.read_text())["table_sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()


CLUSTER = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
from mbc import models, outcomes
from mbc.errors import SettingsError
from tests.cli.in_process import mbc

master, table, *words = sys.argv[1:]
folders = [Path(word) for word in words[:2]]
done = mbc("outcomes", *words, "--engine", "spark", "--master", master, "--csv", table)
assert done.returncode == 0, done.stderr
frames = outcomes.read_folders(folders, "spark", master=master, instruments=["rses"])
rows = outcomes.growth_rows(frames, "rses")
columns = {"outcome": "score", "time": "occasion", "client": "episode_id"}
fits = {
    per: models.growth_curve(rows, **columns, shape="log", sums_per=per)
    for per in ("client", "design")
}
try:
    outcomes.read_folders(folders, "spark", master="local[1]")
    refused = ""
except SettingsError as fault:
    refused = str(fault)
context = SparkSession.builder.getOrCreate().sparkContext
print(json.dumps({
    "master": context.master,
    "executors": context._jsc.sc().getExecutorMemoryStatus().size() - 1,  # the driver is one of them
    "kept": context._jsc.getPersistentRDDs().size(),
    "refused": refused,
    "fits": {per: [fit.log_likelihood, *(c.estimate for c in fit.coefficients)] for per, fit in fits.items()},
}))
"""


@pytest.mark.slow
def test_a_cluster_of_two_executors_gives_the_figures_of_polars(registry, tmp_path):
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
    folders = registry[1]
    master = "local-cluster[2,1,1024]"  # a master, and two processes that hold the rows
    dates = ("--from", str(DAYS["start"]), "--to", str(DAYS["end"]))
    words = ("--by-clinic", "--definition", "nhs", "--cohort", "in-care", *dates)
    theirs, ours = tmp_path / "spark.csv", tmp_path / "polars.csv"
    home = {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": "--conf spark.sql.shuffle.partitions=2 --conf spark.ui.enabled=false pyspark-shell",
    }
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER, master, str(theirs), *map(str, folders), *words],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **home},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    assert (made["master"], made["executors"]) == (master, 2)
    assert made["kept"] > 0  # scored rows stay on the cluster
    assert "Spark already runs in this process, at 'local-cluster" in made["refused"]
    assert mbc_command("outcomes", *folders, *words, "--csv", ours).returncode == 0
    assert_frame_equal(pl.read_csv(theirs), pl.read_csv(ours), check_row_order=False, rel_tol=1e-12)
    rows = outcomes.growth_rows(outcomes.read_folders(folders), "rses")
    for per, numbers in made["fits"].items():
        fit = models.growth_curve(
            rows, outcome="score", time="occasion", client="episode_id", shape="log", sums_per=per
        )
        expected = [fit.log_likelihood, *(c.estimate for c in fit.coefficients)]
        assert numbers == pytest.approx(expected, rel=1e-8)


def test_the_documented_layout_is_the_one_that_is_checked():
    assert layout_table() in (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")


def _skip_without(engine: str) -> None:
    if engine == "spark":
        pytest.importorskip("pyspark", reason="pyspark is not installed")
