"""``mbc client assign`` as a user calls it."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner

from mbc.cli.client import command
from mbc.errors import MbcError, NotInRecord, UnknownInstrument
from mbc.store import Administration, Client, Clinician, ImportSource, Store


@pytest.fixture
def url(tmp_path):
    where = f"sqlite:///{tmp_path / 'clinic.db'}"
    with Store.create(where) as store, store.writing(by="test") as record:
        record.add_all([Clinician("K1", "Dr. One"), Clinician("K2", "Dr. Two")])
        record.add_all([Client("C1"), Client("C2", clinician_id="K1", alias="Wren")])
    return where


def assign(*words):
    return CliRunner().invoke(command, ["assign", *words], catch_exceptions=False)


def caseloads(url):
    with Store.open(url) as store:
        return dict(store.clients().select("client_id", "clinician_id").iter_rows())


def test_clients_change_hands_and_keep_the_rest_of_their_record(url):
    done = assign("C1", "C2", "--clinician", "K2", "--store", url)
    assert (done.exit_code, done.output) == (0, "2 in the caseload of K2.\n")
    assert caseloads(url) == {"C1": "K2", "C2": "K2"}
    with Store.open(url) as store:
        assert store.clients(client_id="C2")["alias"].to_list() == ["Wren"]


def test_one_unknown_client_and_nobody_is_assigned(url):
    with pytest.raises(MbcError, match=r"Not on record: C9\. No client was assigned"):
        assign("C1", "C9", "--clinician", "K2", "--store", url)
    assert caseloads(url) == {"C1": None, "C2": "K1"}


def test_an_unknown_clinician_is_refused_with_the_nearest(url):
    with pytest.raises(NotInRecord, match=r"no clinician 'K_1' on record\. Did you mean 'K1'"):
        assign("C1", "--clinician", "K_1", "--store", url)


def test_history_says_from_which_file_and_line_and_what_was_corrected(url):
    about = {"form": "standard", "coding": "0-3"}
    with Store.open(url) as store:
        with store.writing(by="ann", source=ImportSource("first.csv", "ab" * 32, "csv")) as record:
            record.add(Administration("C1", "gad7", date(2026, 1, 5), (1,) * 7, **about, source_line=7))
            record.add(
                Administration(
                    "C1", "hits", date(2026, 1, 5), (1,) * 4, form="standard", coding="1-5", channel="safety"
                )
            )
        with store.writing(by="bea") as record:
            record.add(Administration("C1", "gad7", date(2026, 1, 5), (2,) * 7, **about), supersede="misread")
    done = CliRunner().invoke(command, ["history", "C1", "--store", url], catch_exceptions=False)
    _, first, second = done.output.splitlines()
    assert "first.csv (abababababab), line 7" in first
    assert first.split()[-2:] == ["by", "2"]
    assert second.rstrip().endswith("corrects 1: misread")
    assert "hits" not in done.output
    everything = ["history", "C1", "--include-safety", "--store", url]
    assert "hits" in CliRunner().invoke(command, everything, catch_exceptions=False).output
    with pytest.raises(NotInRecord, match="C9"):
        CliRunner().invoke(command, ["history", "C9", "--store", url], catch_exceptions=False)


def test_history_of_nothing_is_a_sentence_and_a_mistyped_questionnaire_is_named(url):
    with Store.open(url) as store, store.writing(by="ann") as record:
        record.add(Administration("C1", "hits", date(2026, 1, 5), (1,) * 4, channel="safety"))
    for words, said in (
        (("C2",), "No questionnaire of C2 to show."),
        (("C1", "--instrument", "hits"), "No hits of"),
    ):
        done = CliRunner().invoke(command, ["history", *words, "--store", url], catch_exceptions=False)
        assert done.output.startswith(said), done.output
    with pytest.raises(UnknownInstrument, match="rses"):
        CliRunner().invoke(
            command, ["history", "C1", "--instrument", "rsess", "--store", url], catch_exceptions=False
        )
