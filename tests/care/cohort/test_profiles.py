"""Who can be recognised in a cohort, by people who know something: each of them plays against each profile."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter, defaultdict
from itertools import pairwise

import polars as pl
import pytest

from mbc.care.cohort.files import read_cohort, write_cohort
from mbc.care.cohort.prepare import prepare_cohort
from mbc.care.cohort.profiles import COARSE, DAYS, PROFILES, SAFE_HARBOR, Profile, profile_named, read_profile
from mbc.errors import IdentityLeft, SettingsError
from mbc.exchange import import_record
from mbc.simulate import clinic
from mbc.store import Client, Store
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    home = tmp_path_factory.mktemp("clinic")
    url = f"sqlite:///{home / 'clinic.db'}"
    with Store.create(url) as made:
        import_record(clinic().write(home / "record"), made, by="test")
    return url


@pytest.fixture(scope="module")
def folders(address, tmp_path_factory):
    """A folder for each profile, written by the command."""
    home = tmp_path_factory.mktemp("cohorts")
    for name in PROFILES:
        ended = mbc("deidentify", home / name, "--profile", name, "--store", address)
        assert ended.returncode == 0, ended.stderr
    return home


def rows(folder, name):
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def fits(texts) -> list[int]:
    """How many people each person's text fits."""
    counts = Counter(texts.values())
    return [counts[text] for text in texts.values()]


def visits(folder):
    """Days of each person's visits, or of their scores where there are no sessions: what a diary shows."""
    days = defaultdict(set)
    for row in rows(folder, "sessions") or rows(folder, "scores"):
        if row.get("attended", "true") == "true":
            days[row["study_id"]].add(int(row["day"]))
    return {person["study_id"]: tuple(sorted(days[person["study_id"]])) for person in rows(folder, "people")}


def attackers(folder):
    """What five people would match, from the files alone: this reads no code of the measurement."""
    people = rows(folder, "people")
    statuses = defaultdict(list)
    for row in rows(folder, "relationships"):
        statuses[row["study_id"]].append((int(row["day"]), row["status"]))
    rated = {row["study_id"] for row in rows(folder, "scores") if row["target"] != "self"}
    targets = defaultdict(set)
    for row in rows(folder, "scores"):
        targets[row["study_id"]].add(row["target"])
    yield "public table", {p["study_id"]: tuple(v for k, v in p.items() if k != "study_id") for p in people}
    yield (
        "partner",
        {
            p["study_id"]: (
                tuple(status for _, status in sorted(statuses[p["study_id"]])),
                tuple(b[0] - a[0] for a, b in pairwise(sorted(statuses[p["study_id"]]))),
                p["study_id"] in rated,
                len(targets[p["study_id"]]),
            )
            for p in people
        },
    )
    yield (
        "receptionist",
        {
            p["study_id"]: (
                p["sessions"],
                p.get("days"),
                p.get("weeks"),
                p["ending"],
                p.get("therapist", ""),
            )
            for p in people
        },
    )
    yield "diary", visits(folder)
    yield "clinician's holidays", {
        person: tuple((a, b - a) for a, b in pairwise(days) if b - a >= 14)
        for person, days in visits(folder).items()
    }  # fmt: skip


def test_nobody_finds_fewer_than_five_in_the_coarse_cohort(folders):
    for who, texts in attackers(folders / "coarse"):
        assert min(fits(texts)) >= 5, who
    everything = defaultdict(tuple)
    for _, texts in attackers(folders / "coarse"):
        for person, text in texts.items():
            everything[person] += (text,)
    assert min(fits(dict(everything))) >= 5  # nor does whoever knows all of it at once


def test_most_are_recognised_where_days_are_kept_and_the_measurement_says_so(folders):
    about = json.loads((folders / "days" / "risk.json").read_text())
    assert (about["k"], about["unique"]) == (1, 134)  # as an outside tester counted
    alone = {who: sum(size == 1 for size in fits(texts)) for who, texts in attackers(folders / "days")}
    assert alone["public table"] == about["knowledge"]["public table"]["unique"] == 134
    assert alone["diary"] == about["knowledge"]["diary"]["unique"]
    assert alone["clinician's holidays"] == about["knowledge"]["clinician's holidays"]["unique"]


def test_safe_harbor_tells_weeks_years_and_bands(folders, address):
    folder = folders / "safe-harbor"
    for name in ("scores", "sessions", "goals", "events"):
        assert {int(row["day"]) % 7 for row in rows(folder, name)} == {0}, name
    before = [int(row["day"]) for row in rows(folder, "relationships") if int(row["day"]) < 0]
    assert before
    assert {day % 365 for day in before} == {0}
    assert not any("holiday" in row["kind"] for row in rows(folder, "events"))
    assert {row["therapist"] for row in rows(folder, "people")} == {""}
    assert {row["ending"] for row in rows(folder, "people")} == {"in care", "planned", "other"}
    with Store.open(address) as store:
        days = prepare_cohort(store).cohort
        coarse = prepare_cohort(store, profile=SAFE_HARBOR).cohort
    assert coarse.scores.height < days.scores.height  # the last weeks of people in care are gone


@pytest.mark.parametrize("name", PROFILES)
def test_a_folder_is_its_owner_s_alone_bears_no_time_and_comes_back(folders, name):
    folder = folders / name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_mtime == 946_684_800
    about = json.loads((folder / "risk.json").read_text())
    assert about["profile"] == name
    assert {"k", "unique", "quasi_identifiers", "prosecutor", "journalist", "l_diversity", "cost"} <= set(about)
    assert about["people"] == read_cohort(folder).people.height
    assert "How easily people can be recognised" in (folder / "README.md").read_text()
    assert json.loads((folder / "codebook.json").read_text())["risk"]


def test_two_treatments_are_never_one_course(folders):
    frame = pl.read_csv(folders / "days" / "scores.csv")
    second = frame.filter(pl.col("episode") == 2)
    assert second["study_id"].n_unique() >= 8  # came back after earlier care
    assert second["since_intake"].min() >= -7
    assert second["since_intake"].max() < second["day"].max()
    coarse = pl.read_csv(folders / "coarse" / "scores.csv")
    assert coarse["episode"].unique().to_list() == [1]
    assert set(coarse["day"]) <= {0, 84, 182, 364, 365}


def test_what_it_costs_is_said_and_small(folders):
    cost = json.loads((folders / "coarse" / "risk.json").read_text())["cost"]
    assert cost
    assert all(abs(row["mean_change_moved_sd"]) < 0.2 for row in cost)
    assert all(0 < row["pairs_kept"] <= 1 for row in cost)
    days = json.loads((folders / "days" / "risk.json").read_text())["cost"]
    assert all(row["mean_change_moved_sd"] == 0 and row["scores_kept"] == 1 for row in days)


def test_too_few_people_are_refused_and_nothing_is_written(tmp_path):
    url = f"sqlite:///{tmp_path}/small.db"
    with Store.create(url) as made, made.writing(by="test") as record:
        record.add_all([Client(f"C{n}") for n in range(4)])
    ended = mbc("deidentify", tmp_path / "out", "--profile", "coarse", "--store", url)
    assert ended.returncode == 1
    assert "4 people are too few for k = 5" in ended.stderr
    assert "Nothing was written" in ended.stderr
    assert not (tmp_path / "out").exists()
    with Store.open(url) as store, pytest.raises(IdentityLeft):
        prepare_cohort(store, profile=COARSE)


def test_a_clinic_s_own_profile_is_read_and_its_mistakes_are_named(address, tmp_path):
    own = tmp_path / "ours.toml"
    own.write_text('time = "periods"\nperiods = [26]\nsession_bands = [1, 15]\nlength_bands = [1, 27]\n'
                   'group_endings = true\nbefore_care = "left out"\ntherapists = false\nk = 10\n')  # fmt: skip
    ended = mbc("deidentify", tmp_path / "out", "--profile", "expert", "--settings", own, "--store", address)
    assert ended.returncode == 0, ended.stderr
    about = json.loads((tmp_path / "out" / "risk.json").read_text())
    assert about["profile"] == "ours"
    assert about["k"] >= 10
    for text, words in (
        ('tim = "weeks"', "'tim', which is not a setting. Did you mean 'time'"),
        ('time = "months"', "time is one of days, weeks, periods, got 'months'"),
        ("k = true", "'k' has True, which is not accepted"),
        ("k = 5", "k can be reached only with time = 'periods'"),
        ('time = "periods"\nperiods = [26, 12]', "periods must be increasing whole numbers above 0"),
        ("time = ", "is not a TOML file"),
    ):
        own.write_text(text)
        with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
            read_profile(own)
    assert mbc("deidentify", tmp_path / "x", "--profile", "expert", "--store", address).returncode == 2
    with pytest.raises(SettingsError, match=r"There is no profile 'course'.*Did you mean 'coarse'"):
        profile_named("course")
    with pytest.raises(SettingsError, match="periods and time"):
        Profile("x", periods=(12,))


def test_the_days_are_written_as_before(address, tmp_path):
    with Store.open(address) as store:
        prepared = prepare_cohort(store, profile=DAYS)
    write_cohort(prepared.cohort, tmp_path / "a")
    assert not (tmp_path / "a" / "risk.json").exists()
    assert read_cohort(tmp_path / "a").scores.equals(prepared.cohort.scores)
