"""Records are kept for as long as the clinic's rule says; an erasure names where the person still stands."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import AccessDenied, SettingsError
from mbc.store import Administration, Client, Clinician, Episode, Event, Goal, Session, Store
from tests.store.conftest import GOOD_PASSWORD

pytestmark = pytest.mark.long

TODAY = date(2026, 11, 28)


@pytest.fixture
def kept(filled) -> Store:
    return filled(fill_kept)


def fill_kept(store: Store) -> None:
    def episode(number: int, ended: date | None) -> Episode:
        client = f"C{number}"
        return Episode(f"E{number}", client, "K1", None, date(2010, 1, 4), ended, "agreed" if ended else None)

    with store.writing(by="desk") as record:
        record.add(Clinician("K1", "One"))
        record.add_all(Client(f"C{number}", None, "K1") for number in range(1, 7))
        record.add(Client("C7", "Wren Meadow", "K1"))
        record.add(episode(1, date(2015, 3, 2)))  # due since 2025
        record.add(episode(2, date(2017, 1, 9)))  # not yet
        record.add(episode(3, None))  # in care
        record.add_all([episode(4, date(2012, 5, 7)), Episode("E4b", "C4", "K1", None, date(2020, 1, 6))])
        record.add_all([episode(5, date(2012, 5, 7)), Session("C5", "E5", 9, date(2019, 2, 4))])
        record.add_all(
            [episode(7, date(2012, 2, 29)), Administration("C7", "who5", date(2012, 2, 29), (1, 2, 3, 4, 5))]
        )
        record.add(Administration("C1", "hits", date(2024, 5, 1), (1, 1, 1, 1)))  # says nothing of a contact


def test_who_is_due_by_the_last_contact_of_the_last_episode(kept):
    with pytest.raises(SettingsError, match="no rule yet"):
        kept.retention_due(TODAY)
    kept.set_retention_years(10)
    assert kept.retention_due(TODAY).rows() == [
        ("C7", date(2012, 2, 29), date(2022, 2, 28)),
        ("C1", date(2015, 3, 2), date(2025, 3, 2)),
    ]
    assert kept.retention_due(date(2025, 3, 1))["client_id"].to_list() == ["C7"]
    assert kept.retention_due(date(2027, 1, 9))["client_id"].to_list() == ["C7", "C1", "C2"]
    assert kept.verify().faults == ()


def test_a_rule_that_was_put_into_the_table_by_another_way_is_named(kept):
    kept.set_retention_years(10)
    with kept._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE setting SET value = '1' WHERE name = 'retention years'")
    assert "Setting 'retention years'" in kept.verify().faults[0]


@pytest.mark.parametrize("years", [0, -1, 101])
def test_rules_that_make_no_sense_are_refused(kept, years):
    with pytest.raises(SettingsError, match="1 to 100 years"):
        kept.set_retention_years(years)


def test_only_those_who_may_erase_see_who_is_due(kept):
    kept.set_retention_years(10)
    for name, role, clinician in (
        ("adm", "administrator", None),
        ("ann", "clinician", "K1"),
        ("lead", "safety_lead", None),
    ):
        kept.accounts.add(name, GOOD_PASSWORD, role, clinician)
    assert kept.as_user("adm").retention_due(TODAY).height == 2
    for name in ("ann", "lead"):
        with pytest.raises(AccessDenied):
            kept.as_user(name).retention_due(TODAY)
        with pytest.raises(AccessDenied):
            kept.as_user(name).set_retention_years(1)
        with pytest.raises(AccessDenied):
            kept.as_user(name).retention_years()
    kept.as_user("adm").set_retention_years(12)
    assert kept.retention_years() == 12


def test_everybody_due_is_erased_on_confirmation_and_nobody_else(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store, store.writing(by="desk") as record:
        record.add_all([Clinician("K1", "One"), Client("C1", None, "K1"), Client("C2", None, "K1")])
        record.add(Episode("E1", "C1", "K1", None, date(2001, 1, 8), date(2002, 3, 4), "agreed"))
        record.add(Event("V1", "C2", date(2026, 1, 5), "other", "came with C1, as C10 did"))

    def run(*words: str, typed: str = "") -> str:
        return CliRunner().invoke(program, ["retention", *words, "--store", url], input=typed).output

    assert "10 years" in run("set", "10")
    assert "C1 " in run("list")
    assert "Nothing was erased" in run("erase", typed="7\n")
    said = run("erase", typed="1\n")
    assert "Named in event V1 of C2" in said
    assert "Nobody is due" in run("list")
    with Store.open(url) as store:
        assert store.clients()["client_id"].to_list() == ["C2"]
        assert store.verify().faults == ()


def test_an_erasure_names_where_the_person_still_stands(kept):
    with kept.writing(by="desk") as record:
        record.add(Event("V1", "C1", date(2026, 1, 5), "other", "met wren meadow at the door"))
        record.add(Event("V2", "C1", date(2026, 1, 6), "other", "read about C77, and a wren in a meadow"))
        record.add(Event("V3", "C1", date(2026, 1, 6), "safety plan", "call Wren Meadow"))
        record.add(Goal("G1", "C2", "Speak with C7 again", date(2026, 1, 5)))
        record.add(Client("C3", "not C7", "K1"), supersede="was taken for C7")
    kept.accounts.add("adm", GOOD_PASSWORD, "administrator")
    done = kept.as_user("adm").erase("C7", reason="request of today")
    assert set(done.mentions) == {"event V1 of C1", "goal G1 of C2", "client C3"}  # nothing of the safety channel
    assert kept.verify().faults == ()


def test_the_operator_reads_of_the_safety_channel_and_earlier_versions_too(kept):
    with kept.writing(by="desk") as record:
        record.add(Event("V3", "C1", date(2026, 1, 6), "safety plan", "call Wren Meadow"))
        record.add(Client("C3", "somebody", "K1"), supersede="was taken for C7")
    named = kept.erase("C7", reason="request of today").mentions
    assert "event V3 of C1" in named
    assert any(name.startswith("earlier version") for name in named)
