"""Signals are given once, rest after an answer, and are written by those who may write alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mbc.care import client_review, client_safety
from mbc.care.signals.answer import answer_signal
from mbc.care.signals.ledger import client_signals, read_ledger
from mbc.care.signals.note import note_signals, signals_of, update_signals
from mbc.care.signals.present_states import standing_signals
from mbc.care.signals.words import entry_words
from mbc.errors import AccessDenied, NotInRecord, StoreError
from mbc.store import Administration, Episode, Session, Signal, SignalAnswer, Store
from mbc.store.clinic_settings import SignalRules
from tests.dashboards.record import day, make_record, rses_answers

FELL = (22, 21, 14, 11, 10)  # at weeks 0, 2, 4, 6, 8: clearly worse from week 4 on
RULES = SignalRules(cooldown_days=14)


def sheet(week: int, total: int) -> Administration:
    return Administration("C002", "rses", day(week), rses_answers(total), form="a", coding="0-3")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as store, store.writing() as record:
        record.add_all([sheet(2 * place, total) for place, total in enumerate(FELL)])
    return url


@pytest.fixture
def ash(template, tmp_path) -> Iterator[Store]:
    copy = tmp_path / "clinic.db"
    copy.write_bytes(Path(template.removeprefix("sqlite:///")).read_bytes())
    with Store.open(f"sqlite:///{copy}") as store:
        store.set_signal_rules(RULES)
        yield store.as_user("ash")


def asks(store: Store, week: int) -> Signal | None:
    """What the page asks in a week, noting what is new as the page does."""
    signals = signals_of(store, client_review(store, "C002", as_of=day(week)))
    note_signals(store, signals.new)
    return signals.ask


def test_a_state_becomes_one_entry_however_often_it_is_looked_at(ash):
    first = asks(ash, 8)
    assert first is not None
    assert (first.state, first.raised_on, first.instrument) == ("not on track", day(8), None)
    assert "rses.total 22 to 10" in first.inputs
    assert asks(ash, 8) == first
    assert asks(ash, 10) == first  # it still waits, and is no new one
    assert [entry.signal for entry in read_ledger(ash)] == [first]
    assert update_signals(ash, as_of=day(10)) == 0


def test_an_answer_lets_it_rest_for_the_clinics_days(ash):
    first = asks(ash, 8)
    answer_signal(ash, "C002", "changed", change="alliance", on=day(8))
    assert asks(ash, 8) is None
    assert asks(ash, 9) is None  # within the 14 days
    assert asks(ash, 12) is None  # after them, but nothing newer is known
    with ash.writing() as record:
        record.add(sheet(11, 9))
    again = asks(ash, 12)
    assert again is not None
    assert (again.raised_on, again.signal_id != first.signal_id) == (day(12), True)
    assert [entry_words(entry) for entry in read_ledger(ash)] == [
        "30 Mar 2026, not on track: not answered.",
        "2 Mar 2026, not on track: changed: alliance (2 Mar 2026).",
    ]


def test_not_now_asks_the_same_signal_again_after_the_days(ash):
    first = asks(ash, 8)
    answer_signal(ash, "C002", "not now", reason="exam week", on=day(8))
    assert asks(ash, 9) is None
    assert asks(ash, 10) == first
    assert len(read_ledger(ash)) == 1


def test_after_an_answer_nothing_more_is_asked_that_day(ash):
    review = client_review(ash, "C002", as_of=day(8))
    (state,) = standing_signals(review)
    entries = read_ledger(ash)
    other = Signal("S-other", "C002", day(8), "alliance fell", "wai_sr.total", "wai_sr", "total")
    assert client_signals(entries, [state, other], review, RULES).ask == state
    note_signals(ash, [state, other])
    answer_signal(ash, "C002", "seen", signal_id=state.signal_id, on=day(8))
    left = client_signals(read_ledger(ash), [state, other], review, RULES)
    assert (left.ask, left.new) == (None, ())
    assert (
        client_signals(read_ledger(ash), [state, other], client_review(ash, "C002", as_of=day(9)), RULES).ask
        == other
    )


def test_reading_writes_nothing_where_nothing_may_be_written(ash, template):
    with Store.open(template) as store:
        oak = store.as_user("oak")
        before = store.revision()
        assert signals_of(oak, client_review(oak, "C002", as_of=day(8))).new
        assert update_signals(oak, as_of=day(8)) == 0
        assert store.revision() == before
        with pytest.raises(AccessDenied, match="accounts:manage"):
            oak.set_signal_rules(RULES)
        birch = store.as_user("birch")  # sees C003 alone
        assert read_ledger(birch) == ()


def test_a_wrong_answer_is_refused_in_words(ash):
    with pytest.raises(NotInRecord, match="No signal of C002 waits"):
        answer_signal(ash, "C002", "seen")
    asks(ash, 8)
    with pytest.raises(NotInRecord, match=r"no signal .S-1.\. On record: S-"):
        answer_signal(ash, "C002", "seen", signal_id="S-1")
    with pytest.raises(StoreError, match="cannot be earlier"):
        answer_signal(ash, "C002", "seen", on=day(8) - timedelta(days=1))
    with pytest.raises(StoreError, match="reason: Say in a few words why not now"):
        answer_signal(ash, "C002", "not now", on=day(8))
    with pytest.raises(StoreError, match="change: 'luck' is none of alliance, "):
        answer_signal(ash, "C002", "changed", change="luck", on=day(8))


def test_what_concerns_safety_is_seen_to_everybody_without_the_permission(ash, template):
    asks(ash, 8)
    answer_signal(ash, "C002", "changed", change="safety", on=day(8))
    assert ash.signal_answers()["answer"].to_list() == ["seen"]
    assert ash.safety_changes()["client_id"].to_list() == ["C002"]
    with pytest.raises(AccessDenied), Store.open(ash.url) as store:
        store.as_user("oak").safety_changes()
    assert "Signal answered with a change that concerns safety, 2 Mar 2026" in client_safety(ash, "C002").entries


def test_words_beside_a_change_that_concerns_safety_are_refused(ash):
    asks(ash, 8)
    with pytest.raises(StoreError, match="reason: Everybody who may read the answer"):
        answer_signal(ash, "C002", "changed", change="safety", reason="he reads her telephone", on=day(8))
    assert ash.signal_answers().is_empty()


def test_a_signal_can_be_withdrawn_whether_or_not_an_answer_concerned_safety(ash):
    signal = asks(ash, 8)
    answer_signal(ash, "C002", "changed", change="safety", on=day(8))
    with ash.writing() as record:
        record.withdraw_entry(SignalAnswer, signal.signal_id, day(8), reason="wrong client")
        record.withdraw_entry(Signal, signal.signal_id, reason="wrong client")
    assert (ash.signals().height, ash.safety_changes().height) == (0, 1)
    with Store.open(ash.url) as store:
        assert store.verify().intact


def test_no_signal_names_a_questionnaire_of_the_safety_channel(ash):
    with pytest.raises(StoreError, match="never planned, signalled or shared"):
        note_signals(ash, [Signal("S-9", "C002", day(8), "clearly worse", "hits 4", "hits", "total")])


def test_who_left_care_is_asked_nothing(ash):
    with ash.writing() as record:
        record.add(Episode("E9", "C002", "K1", day(0), day(0), day(9), "planned"))
        record.add(Session("C002", "E9", 1, day(1)))
    assert asks(ash, 10) is None
