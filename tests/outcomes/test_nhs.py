"""NHS Talking Therapies: against a second derivation, at every boundary, on every kind of table."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

import mbc
from mbc import outcomes
from mbc.cli.program import program
from mbc.errors import FrameError, MbcError, MissingItems, SettingsError
from tests.outcomes.made_people import END, NAMES, START, Tables, make_people, nhs_by_hand

CASES = Path(__file__).resolve().parents[2] / "../shared/cases/outcomes"
KINDS: dict[str, Callable[[pl.DataFrame], object]] = {
    "polars": lambda frame: frame,
    "polars lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: frame.to_pandas(),
    "pyarrow": lambda frame: frame.to_arrow(),
    "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
    "polars text": lambda frame: frame.with_columns(pl.col(pl.Date).cast(pl.String)),
}
KINDS_RUN = ("polars", "pandas", "duckdb")  # by make test
DAY = {"referred_on": pl.Date, "started_on": pl.Date, "ended_on": pl.Date, "held_on": pl.Date, "taken_on": pl.Date}


def frames_of(tables: Tables, kind: str = "polars") -> dict[str, object]:
    def made(rows, columns) -> object:
        schema = {name: DAY.get(name, pl.String) for name in columns}
        schema |= {"attended": pl.Boolean} if "attended" in columns else {}
        schema |= {"score": pl.Int64} if "score" in columns else {}
        schema |= {"number": pl.Int64} if "number" in columns else {}
        return KINDS[kind](pl.DataFrame([tuple(row[c] for c in columns) for row in rows], schema, orient="row"))

    return {
        "episodes": made(
            tables.episodes, ("episode_id", "client_id", "clinician_id", "referred_on", "started_on", "ended_on")
        ),
        "sessions": made(tables.sessions, ("episode_id", "number", "held_on", "attended")),
        "scores": made(tables.scores, ("client_id", "instrument", "scale", "taken_on", "score")),
    }


def counted(report: outcomes.OutcomeReport) -> dict[str, tuple[int | None, int]]:
    return {metric.metric: (metric.numerator, metric.denominator) for metric in report.metrics}


@pytest.fixture(scope="module")
def people() -> Tables:
    return make_people(seed=17, size=400)


@pytest.mark.parametrize(
    "kind", [each if each in KINDS_RUN else pytest.param(each, marks=pytest.mark.slow) for each in KINDS]
)
def test_every_figure_agrees_with_the_second_derivation_on_every_kind_of_table(people, kind):
    report = outcomes.report(frames_of(people, kind), "nhs", "finished", start=START, end=END)
    assert counted(report) == nhs_by_hand(people)
    assert tuple(metric.metric for metric in report.metrics) == NAMES
    assert min(of for _, of in counted(report).values()) > 10  # every denominator has people in it
    # and a table of the same kind comes back
    assert type(report.to_frame()) is type(KINDS[kind](pl.DataFrame({"a": [1]})))


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_other_people_and_other_periods(seed):
    tables = make_people(seed, size=120)
    for start, end in ((START, END), (START, START), (dt.date(2025, 1, 1), dt.date(2025, 12, 31))):
        report = outcomes.report(frames_of(tables), start=start, end=end)
        assert counted(report) == nhs_by_hand(tables, start, end)


def test_the_people_lie_on_every_boundary(people):
    """The draw is worth nothing if a limit is never met exactly: each is, on both sides."""
    waits, gaps = set(), set()
    for episode in people.episodes:
        held = sorted(
            row["held_on"]
            for row in people.sessions
            if row["attended"] and row["episode_id"] == episode["episode_id"]
        )
        waits |= {(held[0] - episode["referred_on"]).days} if held else set()
        gaps |= {(held[1] - held[0]).days} if len(held) > 1 else set()
    assert {42, 43, 126, 127} <= waits
    assert {28, 29, 90, 91} <= gaps
    ends = {episode["ended_on"] for episode in people.episodes}
    assert {START - dt.timedelta(1), START, END, END + dt.timedelta(1), None} <= ends


def test_a_clinics_tables_without_any_row_give_zeros_and_no_shares():
    report = outcomes.report(frames_of(Tables()), start=START, end=END)
    assert set(counted(report).values()) == {(0, 0)}
    assert {metric.value for metric in report.metrics} == {None}


@pytest.mark.long
def test_bounds_hold_whatever_the_missing_outcomes_were(people):
    """Whoever lacks a last score gets one, drawn anew: the rate then lies within the bounds given before."""
    report = outcomes.report(frames_of(people), start=START, end=END)
    for name in ("recovery", "reliable_improvement", "reliable_deterioration", "reliable_recovery"):
        metric = report[name]
        assert metric.worst <= metric.value <= metric.best + 1e-9
        assert metric.best - metric.worst == pytest.approx(100 * metric.unknown / metric.denominator)
    for best in (True, False):
        filled = with_last_scores(people, best=best)
        again = outcomes.report(frames_of(filled), start=START, end=END)
        for name in ("reliable_improvement", "reliable_deterioration"):
            assert report[name].worst - 1e-9 <= again[name].value <= report[name].best + 1e-9


def with_last_scores(people: Tables, *, best: bool) -> Tables:
    made = Tables(people.clients, people.episodes, people.sessions, list(people.scores))
    for episode in people.episodes:
        if episode["ended_on"] is None:
            continue
        for instrument, most in (("phq9", 27), ("gad7", 21)):
            mine = [
                row["taken_on"]
                for row in people.scores
                if row["client_id"] == episode["client_id"]
                and row["instrument"] == instrument
                and episode["referred_on"] <= row["taken_on"] <= episode["ended_on"]
            ]
            if len(mine) == 1 and mine[0] < episode["ended_on"]:
                row = {"client_id": episode["client_id"], "instrument": instrument, "scale": "total"}
                made.scores.append(row | {"taken_on": episode["ended_on"], "score": 0 if best else most})
    return made


def test_the_flow_of_numbers_ends_where_the_figures_begin(people):
    report = outcomes.report(frames_of(people), start=START, end=END)
    flow = {step.name: step.count for step in report.flow}
    assert flow["cohort"] == report["ended_before_treatment"].denominator
    assert flow["treated"] == report["finished_course"].numerator
    assert flow["paired_all"] == report["paired_both_measures"].numerator
    assert sum(step.lost for step in report.flow) == flow["cohort"] - flow["paired_all"]


def test_other_cohorts_are_named_and_counted_by_their_own_rule(people):
    started = outcomes.report(frames_of(people), cohort="started", start=START, end=END)
    assert started.heading == "Clients whose care began between 1 Apr 2026 and 30 Jun 2026"
    assert started.flow[0].count == sum(START <= episode["referred_on"] <= END for episode in people.episodes)
    in_care = outcomes.report(frames_of(people), cohort="in-care", start=START, end=END)
    assert in_care.flow[0].count == sum(
        episode["referred_on"] <= END and (episode["ended_on"] is None or episode["ended_on"] >= START)
        for episode in people.episodes
    )
    assert "up to 30 Jun 2026" in in_care.summary()


@pytest.mark.long
def test_a_definition_of_ones_own_changes_the_limits(people, tmp_path):
    file = tmp_path / "ours.toml"
    text = (Path(outcomes.__file__).parent / "definitions" / "nhs.toml").read_text(encoding="utf-8")
    file.write_text(text.replace("caseness = 10", "caseness = 27").replace("caseness = 8", "caseness = 21"))
    strict = outcomes.report(frames_of(people), file, start=START, end=END)
    plain = outcomes.report(frames_of(people), start=START, end=END)
    assert strict["recovery"].denominator < plain["recovery"].denominator
    assert strict["reliable_improvement"] == plain["reliable_improvement"]
    file.write_text(text.replace("caseness = 10", "casenes = 10"))
    with pytest.raises(SettingsError, match="measures"):
        outcomes.report(frames_of(people), file, start=START, end=END)


def test_what_cannot_be_read_is_refused(people):
    frames = frames_of(people)
    with pytest.raises(FrameError, match="missing: scores"):
        outcomes.report({name: frames[name] for name in ("episodes", "sessions")}, start=START, end=END)
    with pytest.raises(MissingItems, match="needs ended_on"):
        outcomes.report(frames | {"episodes": frames["episodes"].drop("ended_on")}, start=START, end=END)
    with pytest.raises(FrameError, match="one engine"):
        outcomes.report(frames | {"episodes": frames["episodes"].lazy()}, start=START, end=END)
    wrong = frames["sessions"].with_columns(held_on=pl.lit(3))
    with pytest.raises(FrameError, match="must contain days"):
        outcomes.report(frames | {"sessions": wrong}, start=START, end=END)
    with pytest.raises(SettingsError, match="'nhs'"):
        outcomes.report(frames, "nsh", start=START, end=END)
    with pytest.raises(SettingsError, match="finished, in-care, started"):
        outcomes.report(frames, cohort="ended", start=START, end=END)
    with pytest.raises(MbcError, match="swapped"):
        outcomes.report(frames, start=END, end=START)


def test_zero_is_zero_and_shares_are_computed_from_rounded_counts():
    """Twelve finished: seven recover, nobody deteriorates; published, that is 5 of 10 and 0 of 10."""
    tables = Tables()
    for number in range(12):
        who, low = f"Z{number:02d}", number < 7
        tables.episodes.append(
            {"episode_id": who, "client_id": who, "clinician_id": "K1", "referred_on": START, "started_on": START,
             "ended_on": END}
        )  # fmt: skip
        for position, (day, phq, gad) in enumerate(((START, 18, 12), (END, 4 if low else 16, 3 if low else 11))):
            tables.sessions.append({"episode_id": who, "number": position, "held_on": day, "attended": True})
            for key, score in (("phq9", phq), ("gad7", gad)):
                tables.scores.append(
                    {"client_id": who, "instrument": key, "scale": "total", "taken_on": day, "score": score}
                )
    report = outcomes.report(frames_of(tables), start=START, end=END)
    assert (report["recovery"].published, report["recovery"].share.percent) == ("5 of 10", 50)
    assert (report["reliable_deterioration"].published, report["reliable_deterioration"].value) == ("0 of 10", 0)


@pytest.mark.skipif(not CASES.is_dir(), reason="the acceptance cases are not on this machine")
def test_the_thirty_people_of_the_acceptance_cases(tmp_path):
    address, file = f"sqlite:///{tmp_path / 'c.db'}", tmp_path / "nhs.csv"
    run = CliRunner()
    for words in (
        f"init --store {address}",
        f"import {CASES / 'nhs_record'} --clinician K01 --store {address}",
        f"outcomes --store {address} --definition nhs --cohort finished --from {START} --to {END} --csv {file}",
    ):
        assert run.invoke(program, words.split(), catch_exceptions=False).exit_code == 0
    rows = {row["metric"]: row for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())}
    with (CASES / "nhs_expected.csv").open(encoding="utf-8") as wanted:
        for row in csv.DictReader(wanted):
            ours = rows[row["metric"]]
            assert (ours["numerator"], ours["denominator"]) == (row["numerator"], row["denominator"])
            assert (ours["value"], ours["published"]) == (row["percent"], row["published_nhs5"])


@pytest.mark.slow  # test_record_folders.py compares folders with the record
@pytest.mark.long
def test_the_record_gives_the_same_as_its_tables(tmp_path):
    people = make_people(seed=17, size=120)
    folder = write_record(people, tmp_path / "record")
    address, file = f"sqlite:///{tmp_path / 'clinic.db'}", tmp_path / "nhs.csv"
    run = CliRunner()
    for words in (
        f"init --store {address}",
        f"import {folder} --clinician K1 --store {address}",
        f"outcomes --store {address} --definition nhs --from {START} --to {END} --csv {file}",
    ):
        result = run.invoke(program, words.split(), catch_exceptions=False)
        assert result.exit_code == 0, result.output
    rows = pl.read_csv(file)
    assert rows.columns == ["metric", "numerator", "denominator", "value", "lower", "upper", "published"]
    assert {name: (hit, of) for name, hit, of in rows.select(rows.columns[:3]).iter_rows()} == nhs_by_hand(people)
    with mbc.Store.open(address) as store:
        report = mbc.care.clinic_report(store, start=START, end=END)
        assert counted(report) == nhs_by_hand(people)
        store.accounts.add("ana", "a long enough passphrase", "analyst")
        with pytest.raises(mbc.MbcError, match="exact counts"):
            mbc.care.clinic_report(store.as_user("ana"), start=START, end=END)


def write_record(people: Tables, folder: Path) -> Path:
    (folder / "administrations").mkdir(parents=True)
    pl.DataFrame({"clinician_id": ["K1", "K2", "K3"], "display_name": ["A", "B", "C"]}).write_csv(
        folder / "clinicians.csv"
    )
    clients = pl.DataFrame(people.clients).with_columns(
        alias=pl.col("client_id"), clinician_id=pl.lit("K1"), status=pl.lit("active")
    )
    clients.write_csv(folder / "clients.csv")
    pl.DataFrame(people.episodes, infer_schema_length=None).write_csv(folder / "episodes.csv")
    pl.DataFrame(people.sessions).write_csv(folder / "sessions.csv")
    (folder / "relationships.csv").write_text(
        "relationship_id,client_id,label,kind\n"
    )  # an empty table is zero rows
    (folder / "goals.csv").write_text("goal_id,client_id,label\n")
    for key, items in (("phq9", 9), ("gad7", 7)):
        rows = [row for row in people.scores if row["instrument"] == key]
        pl.DataFrame(
            [
                {
                    "client_id": row["client_id"],
                    "taken_on": row["taken_on"],
                    "target": "self",
                    "informant": "client",
                }
                | {f"{key}_{i + 1}": row["score"] // items + (i < row["score"] % items) for i in range(items)}
                for row in rows
            ]
        ).write_csv(folder / "administrations" / f"{key}.csv")
    return folder
