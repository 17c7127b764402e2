"""A kept score that was edited is never shown: not with its own digest, nor with that of another row."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from mbc.care import scores
from mbc.care.scoring.rescore import keep_scores, wrong_scores
from mbc.care.scoring.scores import current_sets
from mbc.store import Administration, Client, Store

pytestmark = pytest.mark.long

DAY = date(2026, 3, 2)


@pytest.fixture
def answered(store, monkeypatch, tmp_path) -> Store:
    monkeypatch.delenv("MBC_SECRET_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # where a server's key is kept
    with store.writing(by="desk") as record:
        record.add(Client("C1"))
        for week in range(4):
            answers = tuple((week + item) % 4 for item in range(10))
            record.add(Administration("C1", "rses", DAY + timedelta(weeks=week), answers))
    keep_scores(store)
    return store


def kept(store: Store) -> int:
    return store.administrations_to_score(list(current_sets(store))).kept.height


EDITS = {
    "a score": "UPDATE score SET score = score + 3",
    "one score": "UPDATE score SET score = 0 WHERE administration_id = 1",
    "a band": "UPDATE score SET band = 'high'",
    "no digest": "UPDATE score SET score = 30, digest = NULL",
    "another row's digest": (
        "UPDATE score SET score = (SELECT score FROM score WHERE administration_id = 2), "
        "digest = (SELECT digest FROM score WHERE administration_id = 2) WHERE administration_id = 1"
    ),
    "a definition": "UPDATE score_set SET scale = scale, version = version, definition = definition",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_score_is_worked_out_again(answered, edit):
    before = scores(answered).drop("administration_id").rows()
    assert kept(answered) == 4
    with answered._engine.begin() as connection:
        connection.exec_driver_sql(EDITS[edit])
    assert scores(answered).drop("administration_id").rows() == before
    assert scores(answered, client_id="C1").drop("administration_id").rows() == before
    if edit in ("a score", "one score", "a band", "no digest"):
        assert wrong_scores(answered) > 0  # and mbc verify names it
    keep_scores(answered)
    assert kept(answered) == 4
    assert wrong_scores(answered) == 0
    assert scores(answered).drop("administration_id").rows() == before


def test_scores_of_another_definition_cannot_pass_for_today_s(answered):
    with answered._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE score SET score = 1")
        connection.exec_driver_sql("UPDATE score_set SET definition = 'another'")
    assert kept(answered) == 0
    with answered._engine.begin() as connection:  # moved under another scale's name
        connection.exec_driver_sql("UPDATE score_set SET instrument = 'gad7'")
    assert kept(answered) == 0


def test_without_the_secret_everything_is_worked_out_again(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store:
        with store.writing() as record:
            record.add_all([Client("C1"), Administration("C1", "rses", DAY, (1,) * 10)])
        keep_scores(store)
        before = scores(store).rows()
        assert kept(store) == 1
    secret = Path(f"{tmp_path}/clinic.db.scores-key")
    assert secret.stat().st_mode & 0o077 == 0
    secret.write_text("ab" * 32)
    with Store.open(url) as store:
        assert kept(store) == 0
        assert scores(store).rows() == before
        keep_scores(store)
        assert kept(store) == 1
