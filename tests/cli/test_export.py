from __future__ import annotations

import sys
from datetime import date

import polars as pl
import pytest

from mbc.cli.program import main
from mbc.store import Administration, Client, Clinician, Store

pytestmark = pytest.mark.long


@pytest.fixture
def url(tmp_path) -> str:
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as store:
        with store.writing() as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1"), Client("C2")])
            for client in ("C1", "C2"):
                about = {"form": "standard", "coding": "0-3"}
                record.add(Administration(client, "gad7", date(2026, 1, 5), (1,) * 7, **about))
                record.add(Administration(client, "phq9", date(2026, 1, 5), (1,) * 9, **about))
        store.accounts.add("one", "a long enough phrase", "clinician", clinician_id="K1")
    return address


@pytest.fixture
def run(monkeypatch, capfd, url):
    def command(name: str, *words: str, store: str = url) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mbc", name, *words, "--store", store])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.mark.parametrize("name", [pytest.param("out", marks=pytest.mark.slow), "out.xlsx", "out.json"])
def test_what_is_exported_can_be_imported_into_an_empty_record(run, url, tmp_path, name):
    target = tmp_path / name
    status, out, err = run("export", str(target), "--include-safety")
    assert (status, err) == (0, "")
    assert f"Written to {target}" in out
    other = f"sqlite:///{tmp_path}/other.db"
    Store.create(other).close()
    status, out, err = run("import", str(target), store=other)
    assert (status, err) == (0, ""), out
    with Store.open(url) as mine, Store.open(other) as theirs:
        kept = ["client_id", "instrument", "item", "value"]
        assert mine.answers().select(kept).equals(theirs.answers().select(kept))
        assert mine.clients().equals(theirs.clients())


def test_a_user_takes_their_part_and_no_safety_data(run, tmp_path):
    target = tmp_path / "out"
    status, out, _ = run("export", str(target), "--as", "one")
    assert status == 0
    assert "Answers to phq9 are left out" in out
    assert pl.read_csv(target / "scores.csv")["client_id"].unique().to_list() == ["C1"]
    status, _, err = run("export", str(tmp_path / "b"), "--as", "one", "--include-safety")
    assert status == 1
    assert "safety:read" in err
    assert not (tmp_path / "b").exists()


def test_scores_or_answers_alone_of_a_client_and_a_questionnaire(run, tmp_path):
    run("export", str(tmp_path / "s"), "--scores", "--client", "C2", "--instrument", "gad7")
    scores = pl.read_csv(tmp_path / "s/scores.csv")
    assert scores.select("client_id", "instrument", "score", "answered").rows() == [("C2", "gad7", 7.0, 7)]
    run("export", str(tmp_path / "a"), "--answers")
    assert not (tmp_path / "a/scores.csv").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--format", "word"), 2, "word"),
        (("--client", "C9"), 1, "There is no client 'C9'"),
        (("--instrument", "gad"), 1, "There is no instrument"),
        (("--as", "nobody"), 1, "nobody"),
    ],
)
def test_faults_are_explained_and_write_nothing(run, tmp_path, words, status, said):
    ended, _, err = run("export", str(tmp_path / "out"), *words)
    assert ended == status
    assert said in err
    assert "Unexpected error" not in err
    assert not (tmp_path / "out").exists()


def test_an_export_is_replaced_only_when_asked(run, tmp_path):
    target = str(tmp_path / "out.xlsx")
    assert run("export", target)[0] == 0
    status, _, err = run("export", target)
    assert status == 1
    assert "--force" in err
    assert run("export", target, "--force")[0] == 0
