"""The one question of a visit: a signal that waits for an answer, or the answer that was just given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.aria import aria, script_data
from dashboards.components.wording import day_words
from dashboards.forms.signals import KEY
from dashboards.pages.record.addresses import SAVE, form_path, list_path
from mbc.care.signals.ledger import ClientSignals, LedgerEntry
from mbc.care.signals.words import answer_words, entry_words, signal_words
from mbc.store import Signal

_HEADING = "signal"


def signal_question(
    signals: ClientSignals, today: dt.date, *, answers: bool, token: str, writes: bool = True
) -> list[Component]:
    """Lay out the question, or today's answer with the way to take it back.

    Parameters
    ----------
    signals : ClientSignals
    today : date
        The day that the page is read on.
    answers : bool
        Whether the visitor may answer; others read that a signal waits, once it is on record.
    token : str
        Of the session.
    writes : bool
        Whether a new signal is written down once the page was read; where it is not, nobody can answer it yet.
    """
    signal = signals.ask
    if signal is not None and ((answers and writes) or signal not in signals.new):
        return [_section(signal, today, answers=answers, token=token)]
    return [_answered(entry, answers=answers) for entry in signals.answered_today[:1]]


def _section(signal: Signal, today: dt.date, *, answers: bool, token: str) -> Component:
    words = html.H2(f"{signal_words(signal)} ({day_words(signal.raised_on)})", id=_HEADING)
    if not answers:
        return html.Section(
            [words, html.P("Not answered yet.", className="quiet-words")],
            className="signal no-print",
            **aria(labelledby=_HEADING),
        )
    return html.Section(
        [
            words,
            html.P("What was done about it? You are asked only once.", className="quiet-words"),
            html.Div([_seen(signal, today, token), *_more(signal)], className="row"),
        ],
        className="signal no-print",
        **aria(labelledby=_HEADING),
    )


def _seen(signal: Signal, today: dt.date, token: str) -> Component:
    hidden = {
        "form": KEY,
        "key": signal.signal_id,
        "client": signal.client_id,
        "token": "seen",
        "answer": "seen",
        "answered_on": today.isoformat(),
        "from": "page",
    }
    return _press(SAVE, token, hidden, "Seen", "firm")


def _more(signal: Signal) -> list[Component]:
    path = form_path(signal.client_id, KEY, signal.signal_id)
    return [
        html.A("We changed something, or not now", href=path, className="button", **script_data(drawer="yes")),
    ]


def _answered(entry: LedgerEntry, *, answers: bool) -> Component:
    latest = entry.latest
    words = "" if latest is None else answer_words(latest)
    parts: list[Component | str] = [f"{signal_words(entry.signal)}: answered today, {words}. "]
    if answers:  # what was just recorded stands there first, and can be taken back
        path = list_path(entry.signal.client_id)
        parts.append(html.A("Undo", href=path, className="button", **script_data(drawer="yes")))
    return html.Div(parts, className="signal answered no-print", role="status")


def _press(action: str, token: str, hidden: dict[str, str], words: str, kind: str) -> Component:
    fields = [
        dcc.Input(type="hidden", name=name, value=value) for name, value in {"csrf": token, **hidden}.items()
    ]
    return html.Form(
        [*fields, html.Button(words, type="submit", className=kind)],
        action=action,
        method="POST",
        className="inline",
        **script_data(entry="yes"),
    )


def signal_history(entries: Sequence[LedgerEntry]) -> list[Component]:
    """Lay out every signal with its answers, folded."""
    if not entries:
        return []
    items = [html.Li(entry_words(entry)) for entry in entries]
    return [html.Details([html.Summary("Signals and answers"), html.Ul(items, className="plain")])]
