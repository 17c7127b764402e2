"""What the ledger says of the clinic's signals: answered or not, how many, how often right, and what followed."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from mbc.care.client.trajectory import Cohort
from mbc.care.clinic.clinic_data import ClinicData, read_clinic
from mbc.care.clinic.worklist import SOME_PROGRESS
from mbc.care.signals.ledger import LedgerEntry, read_ledger
from mbc.care.signals.past_states import past_states
from mbc.care.signals.present_states import NOT_ON_TRACK
from mbc.care.values.review import ClientState
from mbc.errors import AccessDenied
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.models import wilson_interval
from mbc.privacy.small_numbers.presets import Preset
from mbc.privacy.small_numbers.rounded_counts import publish, small_number_rule
from mbc.store import Store
from mbc.store.clinic_settings import SignalRules

ALERT_DAYS = 90
NO_PROOF = (
    "This is no proof of a cause: what was changed was not left to chance, and clients who are furthest off tend "
    "to come back towards the rest by themselves."
)
WHAT_IS_RIGHT = (
    f"Right means: at the end of care the client's average progress over all measures was below {SOME_PROGRESS:g} "
    "standard deviations of first scores. A signal that led to a change that helped counts as not right."
)
_GROUPS = ("changed", "seen", "not now", "not answered")


@dataclass(frozen=True, slots=True)
class Share:
    """A count among others, with its 95 % limits."""

    title: str
    count: int
    of: int

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Wilson limits; None where nobody is counted."""
        interval = wilson_interval(self.count, self.of)
        return interval.lower, interval.upper

    @property
    def words(self) -> str:
        """The share in words.

        Examples
        --------
        >>> Share("Answered", 8, 10).words, Share("Answered", 0, 0).words
        ('8 of 10 (80%, 49% to 94%)', 'none yet')
        """
        if not self.of:
            return "none yet"
        low, high = self.limits
        return f"{self.count} of {self.of} ({self.count / self.of:.0%}, {low:.0%} to {high:.0%})"


@dataclass(frozen=True, slots=True)
class Alerts:
    """How many signals one clinician was given of late."""

    clinician: str
    signals: int
    clients: int  # in care


@dataclass(frozen=True, slots=True)
class Followed:
    """What a signal was followed by, some sessions later or at the end of care."""

    entry: LedgerEntry
    on: dt.date
    before: ClientState
    after: ClientState

    @property
    def gain(self) -> float | None:
        """Average progress since the signal, in standard deviations of first scores."""
        if self.before.progress is None or self.after.progress is None:
            return None
        return self.after.progress - self.before.progress

    @property
    def answer(self) -> str:
        """What was answered: a change counts, whatever else was said."""
        latest = self.entry.latest
        return "changed" if self.entry.changed else "not answered" if latest is None else latest.answer


@dataclass(frozen=True, slots=True)
class FollowedGroup:
    """What followed signals that were answered alike."""

    answer: str
    resolved: Share  # not on track any more
    mean_gain: float | None


@dataclass(frozen=True, slots=True)
class SignalReport:
    """The clinic's signals on a day; exact counts, for those who see the clients."""

    as_of: dt.date
    since: dt.date | None  # the first signal on record
    rules: SignalRules
    answered: Share
    days_to_answer: float | None  # the median
    alerts: tuple[Alerts, ...]
    precision: Share
    negative: Share
    followed: tuple[FollowedGroup, ...]
    waiting: int  # signals too young to be judged

    @property
    def shares(self) -> tuple[Share, ...]:
        """Every share of the report."""
        return (self.answered, self.precision, self.negative, *(group.resolved for group in self.followed))

    def to_frame(self, *, small_numbers: int | Preset = "nhs5") -> pl.DataFrame:
        """Give one row per share: metric, numerator, denominator, value, lower, upper, published."""
        rule = small_number_rule(small_numbers)
        rows = [
            (each.title, each.count, each.of, each.count / each.of if each.of else None, *each.limits,
             str(publish(each.count, each.of, rule)))
            for each in self.shares
        ]  # fmt: skip
        schema = {
            "metric": pl.String, "numerator": pl.Int64, "denominator": pl.Int64, "value": pl.Float64,
            "lower": pl.Float64, "upper": pl.Float64, "published": pl.String,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")


@with_definitions_of_record
def signal_report(store: Store, *, as_of: dt.date | None = None, cohort: Cohort | None = None) -> SignalReport:
    """Report on the signals of everybody whom this view shows.

    Parameters
    ----------
    store : Store
        A clinician's view counts their own clients.
    as_of : date, optional
        The day; today when not given.
    cohort : CohortModel or CohortModels, optional
        For spreads and measurement errors.

    Raises
    ------
    AccessDenied
        If this view sees no persons: the figures are exact.
    """
    if not store.can_read("signals"):
        store.audit.record("refused", asked="signals", fault="AccessDenied")
        raise AccessDenied("This report contains exact counts of clients that your account cannot see.")
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    entries = [entry for entry in read_ledger(store) if entry.signal.raised_on <= today]
    data = read_clinic(store, today, cohort)
    rules = store.signal_rules()
    followed = what_followed(data, entries, rules, cohort)
    days = [entry.days_to_answer for entry in entries if entry.days_to_answer is not None]
    precision, negative = _right(data, entries, cohort)
    return SignalReport(
        as_of=today,
        since=min((entry.signal.raised_on for entry in entries), default=None),
        rules=rules,
        answered=Share("Signals answered", len(days), len(entries)),
        days_to_answer=statistics.median(days) if days else None,
        alerts=_alerts(store, data, entries, today),
        precision=precision,
        negative=negative,
        followed=tuple(_group(answer, followed) for answer in _GROUPS),
        waiting=len(entries) - len(followed),
    )


def what_followed(
    data: ClinicData, entries: Sequence[LedgerEntry], rules: SignalRules, cohort: Cohort | None = None
) -> list[Followed]:
    """Judge what followed each signal, once the clinic's number of sessions was held or care has ended.

    Of signals "not on track" alone: a scale and the alliance are parts of the state, and not the state.
    """
    days: dict[str, dt.date] = {}
    for entry in entries:
        signal = entry.signal
        held = sorted(day for day in data.sessions.get(signal.client_id, ()) if day > signal.raised_on)
        closed = data.closed.get(signal.client_id)
        if len(held) >= rules.follow_sessions:
            days[signal.signal_id] = held[rules.follow_sessions - 1]
        elif closed is not None and closed[0] >= signal.raised_on:
            days[signal.signal_id] = closed[0]
    judged = [entry for entry in entries if entry.signal.signal_id in days and entry.signal.state == NOT_ON_TRACK]
    wanted = [
        (entry.signal.client_id, day)
        for entry in judged
        for day in (entry.signal.raised_on, days[entry.signal.signal_id])
    ]
    states = past_states(data, wanted, cohort)
    return [
        Followed(
            entry,
            (on := days[entry.signal.signal_id]),
            states[entry.signal.client_id, entry.signal.raised_on],
            states[entry.signal.client_id, on],
        )
        for entry in judged
    ]


def _group(answer: str, followed: Sequence[Followed]) -> FollowedGroup:
    own = [each for each in followed if each.answer == answer]
    gains = [each.gain for each in own if each.gain is not None]
    known = [each for each in own if each.after.state != "no forecast"]
    resolved = sum(each.after.state != NOT_ON_TRACK for each in known)
    title = f"Signal cleared, {answer}"
    return FollowedGroup(answer, Share(title, resolved, len(known)), statistics.mean(gains) if gains else None)


def _alerts(store: Store, data: ClinicData, entries: Sequence[LedgerEntry], today: dt.date) -> tuple[Alerts, ...]:
    clients: Mapping[str, str | None] = dict(store.clients().select("client_id", "clinician_id").iter_rows())
    names = dict(store.clinicians().select("clinician_id", "display_name").iter_rows())
    first = today - dt.timedelta(days=ALERT_DAYS)
    given = Counter(clients.get(e.signal.client_id) for e in entries if e.signal.raised_on > first)
    in_care = Counter(clinician for client, clinician in clients.items() if client not in data.closed)
    listed = sorted(
        (key for key in {*given, *in_care} if key is not None), key=lambda key: (-given[key], str(names.get(key)))
    )
    return tuple(Alerts(names.get(key, key), given[key], in_care[key]) for key in listed)


def _right(data: ClinicData, entries: Sequence[LedgerEntry], cohort: Cohort | None) -> tuple[Share, Share]:
    """Compare signals with the end of care, of care that ended since signals are on record."""
    since = min((entry.signal.raised_on for entry in entries), default=None)
    ended = {client: day for client, (day, _) in data.closed.items() if since is not None and day >= since}
    states = past_states(data, list(ended.items()), cohort)
    progress = {client: states[client, day].progress for client, day in ended.items()}
    flagged = {entry.signal.client_id for entry in entries if entry.signal.state == NOT_ON_TRACK}
    known = {client: value for client, value in progress.items() if value is not None}
    with_signal = [value for client, value in known.items() if client in flagged]
    without = [value for client, value in known.items() if client not in flagged]
    return (
        Share("Signals that were right", sum(value < SOME_PROGRESS for value in with_signal), len(with_signal)),
        Share("No signal, and rightly", sum(value >= SOME_PROGRESS for value in without), len(without)),
    )
