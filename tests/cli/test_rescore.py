"""``mbc rescore`` as a user calls it, with a questionnaire of one's own that gets a new version."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.exchange.own_definitions import keep_definitions
from mbc.instruments.own.folders import using
from mbc.instruments.own.template import start
from mbc.sqlite_library import SQLITE
from mbc.store import Administration, Client, Store

ANSWERS = ((1, 2, 3, 4), (4, 4, 4, 4), (1, 1, 1, None), (2, 3, 2, 3))
BANDS = 'bands = [{ from = 4, label = "far" }, { from = 12, label = "near" }]\nmissing = '


def definition(version: str, *, reverse: str) -> str:
    text = start("closeness", items=4, answers=(1, 4)).replace('version = "1"', f'version = "{version}"')
    return text.replace("reverse = [] ", f"reverse = [{reverse}] ").replace("missing = ", BANDS, 1)


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """Version 1 in use, scores kept; version 2, where q4 is reversed, laid ready in a folder apart."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("MBC_INSTRUMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    for folder, text in (("now", definition("1", reverse="")), ("next", definition("2", reverse='"q4"'))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "closeness.toml").write_text(text)
    with using("now"), Store.create("sqlite:///clinic.db") as store, store.writing(by="desk") as record:
        keep_definitions(record, ["closeness"])
        for number, answers in enumerate(ANSWERS, 1):
            record.add(Client(f"C{number}"))
            record.add(Administration(f"C{number}", "closeness", date(2026, 1, 1) + timedelta(number), answers))
            record.add(Administration(f"C{number}", "who5", date(2026, 1, 1), (3,) * 5))
    return tmp_path


def rescore(*words):
    done = CliRunner().invoke(program, ["rescore", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_nothing_is_kept_at_first(clinic):
    assert "No scores are stored yet" in rescore("--instruments", "now")
    assert "8 scores computed and stored" in rescore("--instruments", "now", "--apply")
    assert "nothing would change" in rescore("--instruments", "now")


def test_a_new_version_is_shown_before_anything_changes(clinic):
    rescore("--instruments", "now", "--apply")
    said = rescore("--instruments", "next")
    # by hand: 10 -> 7, 16 -> 13, blank stays blank, 10 -> 9 (q4 of 4, 4 and 3 becomes 1, 1 and 2)
    assert "closeness: version 1 -> 2; 4 on record; 3 scores would change" in said
    assert "total: 3 of 4 scores, of 3 clients" in said
    assert "by −3 to −1, median −3" in said
    assert "C1" not in said
    assert "C1, C2, C4" in rescore("--instruments", "next", "--clients")
    assert "who5" not in said
    assert "Nothing was changed" in said
    assert "nothing would change" in rescore("--instruments", "now")  # version 1 is in force still


def test_moves_between_bands_are_counted(clinic):
    (clinic / "next" / "closeness.toml").write_text(definition("2", reverse='"q3", "q4"'))
    rescore("--instruments", "now", "--apply")
    said = rescore("--instruments", "next")  # by hand: 16 (near) -> 10 (far); 10 -> 6 and 10 -> 10: far
    assert "1 from near to far" in said
    assert "total: 2 of 4 scores" in said


def test_applied_it_is_the_new_state_and_in_the_trail(clinic):
    rescore("--instruments", "now", "--apply")
    rescore("--instruments", "next", "--apply")
    assert "nothing would change" in rescore("--instruments", "next")
    with Store.open("sqlite:///clinic.db") as store:
        last = store.audit.entries(last=1).row(0, named=True)
        assert last["action"] == "rescore"
        assert '"closeness": {"changed": 3, "from": "1", "to": "2"}' in last["detail"]
        assert store.verify().intact


def test_scores_of_a_questionnaire_that_is_not_there_now_are_left_alone(clinic):
    rescore("--instruments", "now", "--apply")
    rescore("--apply")  # without the folder, closeness is unknown
    assert "closeness: version 1 -> 2" in rescore("--instruments", "next")


def test_verify_compares_kept_scores_with_the_answers(clinic):
    rescore("--instruments", "now", "--apply")
    with SQLITE.connect("clinic.db") as other:
        other.execute("UPDATE score SET score = 99 WHERE administration_id = 2")
    other.close()
    done = CliRunner().invoke(program, ["verify"])
    assert done.exit_code == 1
    assert "1 stored score different from the score of the answers" in done.output
