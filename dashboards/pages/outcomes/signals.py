"""The clinic's signals on the outcomes page: answered, how many, how often right, and what followed."""

from __future__ import annotations

import datetime as dt

from dash import html
from dash.development.base_component import Component

from dashboards.components.aria import aria
from dashboards.components.tables import table
from mbc.care import CohortModels
from mbc.care.signals.report import signal_report
from mbc.care.signals.report_words import alert_rows, followed_rows, notes, share_rows
from mbc.store import Store

_SHARES = ("Figure", "Result")
_ALERTS = ("Clinician", "Signals", "Clients in care")
_FOLLOWED = ("Answer", "Signal cleared", "Further change")


def signals_section(store: Store, own: CohortModels | None, today: dt.date | None) -> list[Component]:
    """Lay out the report on signals, for those who see the clients."""
    report = signal_report(store, as_of=today, cohort=own)
    note, *more = notes(report)
    inside: list[Component] = [html.H2("Signals", id="signals"), html.P(note, className="lead")]
    if report.since is not None:
        inside += [
            table("Signals", _SHARES, share_rows(report), blocks=True),
            html.H3("What followed"),
            table("What followed", _FOLLOWED, followed_rows(report), blocks=True),
            html.H3("Signals of each clinician in the last 90 days"),
            table("Signals of each clinician", _ALERTS, alert_rows(report), numbers=(1, 2), blocks=True),
            html.Ul([html.Li(words) for words in more], className="quiet-words"),
        ]
    return [html.Section(inside, className="panel", **aria(labelledby="signals"))]
