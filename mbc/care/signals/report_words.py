"""A report on signals in rows of words, the same on the page and on the command line."""

from __future__ import annotations

from mbc.care.signals.report import ALERT_DAYS, NO_PROOF, WHAT_IS_RIGHT, SignalReport
from mbc.care.words import count, day, number

_ANSWERS = {"changed": "something was changed", "seen": "seen", "not now": "not now", "not answered": "no answer"}


def share_rows(report: SignalReport) -> list[tuple[str, str]]:
    """Give what was answered and how often signals were right, one row each."""
    return [(share.title, share.words) for share in (report.answered, report.precision, report.negative)]


def alert_rows(report: SignalReport) -> list[tuple[str, str, str]]:
    """Give the signals of each clinician in the last 90 days, beside their clients in care."""
    return [(alerts.clinician, str(alerts.signals), str(alerts.clients)) for alerts in report.alerts]


def followed_rows(report: SignalReport) -> list[tuple[str, str, str]]:
    """Give what followed, by answer: of how many the signal stands no longer, and the average further change."""
    return [
        (
            _ANSWERS[group.answer],
            group.resolved.words,
            "" if group.mean_gain is None else f"{number(group.mean_gain, 2, signed=True)} SD",
        )
        for group in report.followed
    ]


def notes(report: SignalReport) -> tuple[str, ...]:
    """Say what the figures rest on, and what they do not prove."""
    if report.since is None:
        return (
            (
                "No signal is on record yet. One is written when a client's page or review shows that they are "
                "not on track, that a scale is clearly worse, or that the alliance fell."
            ),
        )
    soon = (
        "No signal was answered yet."
        if report.days_to_answer is None
        else f"Half of the answers came within {count(round(report.days_to_answer), 'day')}."
    )
    after = count(report.rules.follow_sessions, "session")
    return (
        f"Signals are on record since {day(report.since)}; care that ended earlier is not counted. {soon}",
        (
            f"What followed is judged {after} after the signal, or at the end of care; {report.waiting} are too "
            f"young, or concern one scale or the alliance. Alerts are those of the last {ALERT_DAYS} days."
        ),
        WHAT_IS_RIGHT,
        NO_PROOF,
    )
