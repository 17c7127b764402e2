"""What the forms of the settings page do: the store decides what one administrator may change alone."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import user_store
from mbc.care.second_person import check_second_person
from mbc.errors import SettingsError
from mbc.store import Store
from mbc.store.accounts.clinic_settings import (
    factor_words,
    notice_words,
    retention_words,
    second_person_words,
    signal_words,
)
from mbc.store.clinic_settings import SignalRules

PATH = "/settings"
FACTOR, RETENTION, NOTICE = "/require-factor", "/set-retention", "/set-notice"
SIGNALS, SECOND = "/set-signal-rules", "/require-second-person"
_ASKED = (
    "This role would no longer need a second factor: a second administrator, or the operator with "
    "'mbc user confirm', must confirm this on the Accounts page."
)


@form_on(PATH)
def answer_factor() -> ResponseReturnValue:
    """Require a second factor of a role, or ask that it is required no longer."""
    return back_to(PATH, _factor(user_store()))


@form_on(PATH)
def answer_retention() -> ResponseReturnValue:
    """Say how long records are kept."""
    return back_to(PATH, _retention(user_store()))


@form_on(PATH)
def answer_notice() -> ResponseReturnValue:
    """Say who is written to when signing in was paused."""
    return back_to(PATH, _notice(user_store()))


@form_on(PATH)
def answer_signals() -> ResponseReturnValue:
    """Say how long an answered signal rests, and when what followed is judged."""
    return back_to(PATH, _signals(user_store()))


@form_on(PATH)
def answer_second() -> ResponseReturnValue:
    """Say of a further risk answer that a second person looks at it."""
    return back_to(PATH, _second(user_store()))


def _factor(store: Store) -> str:
    accounts, role = store.accounts, _sent("role")
    before = set(accounts.factor_roles())
    asked = accounts.require_factor(before | {role} if _sent("required") else before - {role})
    return _ASKED if asked is not None else f"{DONE}{_begin_small(factor_words(accounts.factor_roles()))}"


def _retention(store: Store) -> str:
    years = _number("years", "Records are kept for 1 to 100 years: enter a number in that range.")
    store.set_retention_years(years)
    return f"{DONE}{_begin_small(retention_words(years))}"


def _notice(store: Store) -> str:
    accounts = store.accounts
    accounts.set_notice_address(_sent("address") or None)
    words = notice_words(accounts.notice_address())
    return f"{DONE}{_begin_small(words) if words.startswith('Nobody') else words}"


def _signals(store: Store) -> str:
    days = _number(
        "cooldown_days", "An answered signal is paused for 1 to 365 days: enter a number in that range."
    )
    sessions = _number(
        "follow_sessions", "What followed is assessed after 1 to 52 sessions: enter a number in that range."
    )
    store.set_signal_rules(SignalRules(days, sessions))
    return f"{DONE}{_begin_small(signal_words(days, sessions))}"


def _second(store: Store) -> str:
    item = _sent("item")
    check_second_person([item])
    store.set_second_person_items({*store.second_person_items(), item})
    return f"{DONE}{_begin_small(second_person_words(store.second_person_items()))}"


def _number(name: str, needed: str) -> int:
    typed = _sent(name)
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 3):
        raise SettingsError(needed)
    return int(typed)


def _begin_small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _sent(name: str) -> str:
    return request.form.get(name, "").strip()
