"""Clinicians compared with what is expected given case mix: who may, who is listed, whose the numbers are."""

from __future__ import annotations

import csv
import datetime as dt
import stat
from collections.abc import Iterator

import numpy as np
import pytest

from mbc import figures
from mbc.care import clinic_expectation, compare_clinicians, own_outcomes
from mbc.care.clinic import clinician_words as words
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons, finished_measures
from mbc.care.clinic.clinician_outcomes import compare_own
from mbc.errors import AccessDenied, MbcError, ModelError, SettingsError
from mbc.models.effects.case_mix import fit_case_mix
from mbc.store import Administration, Client, Episode, Store
from tests.care.clinic.finished_clients import DAY, SIZES, Person, fill, people
from tests.cli.in_process import mbc
from tests.store.conftest import GOOD_PASSWORD

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def persons() -> list[Person]:
    return people()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory, persons) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path_factory.mktemp('clinicians') / 'clinic.db'}") as store:
        fill(store, persons)
        add = store.accounts.add
        add("kim", GOOD_PASSWORD, "clinician", "K1")
        add("cas", GOOD_PASSWORD, "clinician", "K3")
        add("lead", GOOD_PASSWORD, "supervisor", supervises=["K2"], permissions=["clinicians:compare"])
        add("sue", GOOD_PASSWORD, "supervisor", supervises=["K1", "K2"])
        add("ana", GOOD_PASSWORD, "analyst")
        yield store


def by_hand(persons: list[Person]):
    """The regression from the persons themselves; single clients are fewer than those in a relationship."""
    measured = [(each, each.last) for each in persons if each.last is not None]
    design = np.array([[1, p.first, p.single, p.earlier] for p, _ in measured], dtype=float)
    improvement = np.array([p.first - last for p, last in measured], dtype=float)
    names = [p.clinician for p, _ in measured]
    return fit_case_mix(improvement, design, names, ("a", "b", "c", "d")), design, improvement, np.array(names)


def test_the_numbers_are_those_of_the_persons(clinic, persons):
    model, design, improvement, names = by_hand(persons)
    before = clinic.audit.entries(action="aggregate").height
    made = compare_clinicians(clinic, "phq9")
    assert clinic.audit.entries(action="aggregate").height > before
    assert made.expectation.case_mix.names == (
        "constant", "each point of the first score", "in no relationship", "each earlier episode of care",
    )  # fmt: skip
    np.testing.assert_allclose(made.expectation.model.coefficients, model.coefficients)
    assert made.expectation.model.clients == sum(SIZES.values())
    assert [line.clinician_id for line in made.lines] == ["K1", "K10", "K2"]  # by identifier
    assert (made.left_out, made.without_clinician) == (1, 0)
    for line in made.lines:
        own = names == line.clinician_id
        assert line.finished == own.sum() + 2
        assert line.difference == model.difference(improvement[own], design[own])


def test_a_clinician_sees_their_own_line_and_no_other(clinic):
    expectation = clinic_expectation(clinic, "phq9")
    [line] = own_outcomes(clinic.as_user("kim"), expectation).lines
    [listed] = [each for each in compare_clinicians(clinic, "phq9").lines if each.clinician_id == "K1"]
    assert line.difference == listed.difference
    assert own_outcomes(clinic.as_user("cas"), expectation).lines[0].difference.clients == SIZES["K3"]
    with pytest.raises(AccessDenied, match="all clients"):
        clinic_expectation(clinic.as_user("kim"), "phq9")
    for view in (clinic, clinic.as_user("sue"), clinic.as_user("ana")):
        with pytest.raises(AccessDenied):
            own_outcomes(view, expectation)


def test_comparing_needs_the_permission_and_reaches_every_clinician(clinic):
    for name in ("kim", "sue", "ana"):
        with pytest.raises(AccessDenied, match="clinicians:compare"):
            compare_clinicians(clinic.as_user(name), "phq9")
    made = compare_clinicians(clinic.as_user("lead"), "phq9").to_frame()
    assert made.equals(compare_clinicians(clinic, "phq9").to_frame())
    assert set(clinic.as_user("lead").clients()["clinician_id"]) == {"K2"}  # reading reaches no further
    with pytest.raises(SettingsError, match="20 measured clients each or more, got 10"):
        compare_clinicians(clinic, "phq9", least=10)
    with pytest.raises(SettingsError, match="safety channel"):
        compare_clinicians(clinic, "hits")
    with pytest.raises(ModelError, match="there are 0"):
        compare_clinicians(clinic, "gad7")


def test_who_was_not_measured_is_said_with_the_reason(clinic):
    (line,) = own_outcomes(clinic.as_user("kim"), clinic_expectation(clinic, "phq9")).lines
    assert (line.finished, line.unscored, line.scored_once) == (24, 0, 2)
    assert words.not_measured(line) == "Not measured: 2 of 24 (2 with scores of one day only)."
    assert "22 of 24 finished clients were measured" in words.own_words(line)


def test_one_clinician_does_not_learn_how_little_the_clinic_has(clinic):
    with pytest.raises(ModelError, match="does not have enough finished clients") as refused:
        compare_own(clinic, clinic.as_user("kim"), "gad7")
    assert "there are" not in str(refused.value)


def test_what_was_kept_gives_the_same_numbers_and_asks_who_asks_each_time(clinic):
    kept = ClinicianComparisons(clinic)
    assert kept.measures() == ("phq9",)
    assert finished_measures(clinic.as_user("lead")) == ("phq9",)
    for _ in range(2):
        before = clinic.audit.entries(action="aggregate", who="lead").height
        assert (
            kept.everybody(clinic.as_user("lead"), "phq9")
            .to_frame()
            .equals(compare_clinicians(clinic, "phq9").to_frame())
        )
        assert clinic.audit.entries(action="aggregate", who="lead").height == before + 1
        own = kept.own(clinic.as_user("kim"), "phq9")
        assert own.to_frame().equals(
            own_outcomes(clinic.as_user("kim"), clinic_expectation(clinic, "phq9")).to_frame()
        )
        with pytest.raises(AccessDenied, match="clinicians:compare"):
            kept.everybody(clinic.as_user("kim"), "phq9")
        with pytest.raises(AccessDenied):
            kept.own(clinic.as_user("sue"), "phq9")


def test_what_was_kept_is_read_again_after_a_writing(tmp_path, persons):
    with Store.create(f"sqlite:///{tmp_path / 'clinic.db'}") as store:
        fill(store, persons)
        kept = ClinicianComparisons(store)
        before = kept.everybody(store, "phq9").expectation.model.clients
        begin = DAY + dt.timedelta(days=400)
        with store.writing(by="test") as record:
            record.add(Client("NEW", clinician_id="K1"))
            record.add(Episode("NEWE", "NEW", "K1", begin, begin, begin + dt.timedelta(days=90)))
            for day, score in ((begin, 20), (begin + dt.timedelta(days=80), 5)):
                record.add(Administration("NEW", "phq9", day, totals={"total": score}))
        assert kept.everybody(store, "phq9").expectation.model.clients == before + 1


def test_care_that_ended_in_no_clinic_is_refused(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'empty.db'}") as store, pytest.raises(MbcError, match="No care"):
        compare_clinicians(store, "phq9")


def test_the_command_draws_what_it_lists_for_its_owner_alone(clinic, tmp_path):
    made = compare_clinicians(clinic, "phq9")
    exports = clinic.audit.entries(action="export").height
    place = tmp_path / "funnel.svg"
    done = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "lead", "--figure", place)
    assert done.returncode == 0, done.stderr
    assert place.read_text("utf-8") == figures.clinician_funnel(made).svg()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert clinic.audit.entries(action="export").height == exports + 1
    again = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "lead", "--figure", place)
    assert (again.returncode, "already exists" in again.stderr) == (1, True)
    mine = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "kim", "--mine", "--figure", place, "--force")
    assert mine.returncode == 0, mine.stderr
    own = own_outcomes(clinic.as_user("kim"), clinic_expectation(clinic, "phq9"))
    assert place.read_text("utf-8") == figures.clinician_difference(own).svg()
    wrong = mbc("clinicians", "phq9", "--store", clinic.url, "--figure", tmp_path / "funnel.png")
    assert (wrong.returncode, ".svg, .pdf or .html" in wrong.stderr) == (2, True)
    refused = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "sue", "--figure", tmp_path / "no.svg")
    assert refused.returncode == 1
    assert {file.name for file in tmp_path.iterdir()} == {"funnel.svg"}


def test_the_command_lists_all_for_those_who_may_and_ones_own_line(clinic, tmp_path):
    place = tmp_path / "clinicians.csv"
    done = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "lead", "--least", "23", "--csv", place)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(place.read_text().splitlines()))
    assert [row["clinician_id"] for row in rows] == ["K10", "K2"]
    made = compare_clinicians(clinic, "phq9", least=23)
    assert float(rows[0]["difference"]) == pytest.approx(made.lines[0].difference.difference)
    text = " ".join(done.stdout.split())
    assert "not ranked" in text
    assert "fewer than 23 measured clients are left out: 2." in text
    assert "R2" in text
    assert "over-dispersion is judged from 10 clinicians on" in text
    refused = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "kim")
    assert refused.returncode == 1
    assert "clinicians:compare" in refused.stderr
    mine = mbc("clinicians", "phq9", "--store", clinic.url, "--as", "kim", "--mine", "--csv", tmp_path / "own.csv")
    (row,) = csv.DictReader((tmp_path / "own.csv").read_text().splitlines())
    assert all(len(value.partition(".")[2]) <= 1 for value in row.values())  # no more than is shown
    assert "Your clients whose care has ended" in mine.stdout
    assert "care ended between" not in mine.stdout  # the first and the last day are of anybody in the clinic
    broken = mbc("clinicians", "phq9", "--store", clinic.url, "--csv", tmp_path / "none" / "all.csv")
    assert (broken.returncode, "cannot be written: No such file or directory" in broken.stderr) == (1, True)
    assert mine.returncode == 0, mine.stderr
    assert "22 of 24" in mine.stdout
    assert "Not measured: 2 of 24" in mine.stdout
    assert not {"K2", "K10", "K3"} & set(mine.stdout.split())
    assert "about 85 clients" in " ".join(mine.stdout.split())  # 83
    for options in (("--mine",), ("--mine", "--as", "kim", "--from", "2026-01-01")):
        assert mbc("clinicians", "phq9", "--store", clinic.url, *options).returncode == 2
