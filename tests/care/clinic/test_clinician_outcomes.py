"""Clinicians compared with what is expected given case mix: who may, who is listed, whose the numbers are."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from mbc.care import clinic_expectation, compare_clinicians, own_outcomes
from mbc.errors import AccessDenied, MbcError, ModelError, SettingsError
from mbc.models.effects.case_mix import fit_case_mix
from mbc.store import Administration, Client, Clinician, Episode, RelationshipStatus, Store
from tests.cli.in_process import mbc
from tests.store.conftest import GOOD_PASSWORD

DAY = dt.date(2025, 1, 6)
SIZES = {"K2": 30, "K10": 24, "K1": 22, "K3": 7}  # not in the order of their identifiers


@dataclass
class Person:
    client: str
    clinician: str
    first: int
    last: int | None
    single: bool
    earlier: int


def people() -> list[Person]:
    draw = random.Random(8)
    made = []
    for clinician, size in SIZES.items():
        for number in range(size + 2):  # two of each without a last score
            first, single, earlier = draw.randint(8, 24), draw.random() < 0.4, draw.choice([0, 0, 1, 2])
            last = first - round(0.5 * first - 2 * single - earlier + draw.gauss(0, 3)) if number < size else None
            last = None if last is None else min(max(last, 0), 27)
            made.append(Person(f"{clinician}C{number:02d}", clinician, first, last, single, earlier))
    return made


def fill(store: Store, persons: list[Person]) -> None:
    with store.writing(by="test") as record:
        record.add_all([Clinician(name, name) for name in SIZES])
        for each in persons:
            client, begin = each.client, DAY + dt.timedelta(days=400)
            record.add(Client(client, clinician_id=each.clinician))
            record.add(RelationshipStatus(client, "single" if each.single else "partnered", DAY))
            for number in range(each.earlier):  # of another clinician, and not the care that is counted
                start = DAY + dt.timedelta(days=100 * number)
                record.add(
                    Episode(f"{client}E{number}", client, "K2", start, start, start + dt.timedelta(days=50))
                )
            # where an episode names no clinician, it is the client's
            named = None if client.endswith("0") else each.clinician
            record.add(Episode(f"{client}E9", client, named, begin, begin, begin + dt.timedelta(days=90)))
            scores = [(begin, each.first), (begin + dt.timedelta(days=80), each.last)]
            record.add_all(
                [
                    Administration(client, "phq9", day, totals={"total": score})
                    for day, score in scores
                    if score is not None
                ]
            )


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


def test_care_that_ended_in_no_clinic_is_refused(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'empty.db'}") as store, pytest.raises(MbcError, match="No care"):
        compare_clinicians(store, "phq9")


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
    assert not {"K2", "K10", "K3"} & set(mine.stdout.split())
    assert "about 85 clients" in " ".join(mine.stdout.split())  # 83
    for words in (("--mine",), ("--mine", "--as", "kim", "--from", "2026-01-01")):
        assert mbc("clinicians", "phq9", "--store", clinic.url, *words).returncode == 2
