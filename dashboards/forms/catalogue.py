"""Every form there is, in the order in which they are listed."""

from __future__ import annotations

from dashboards.forms.care import END_EPISODE, NEW_CLIENT, OPEN_EPISODE
from dashboards.forms.demographics import DEMOGRAPHICS
from dashboards.forms.entry import EntryForm
from dashboards.forms.goals import NEW_GOAL, RATE_GOALS, RETIRE_GOAL
from dashboards.forms.life import BEGAN, ENDED, EVENT, STATUS
from dashboards.forms.measures import PAUSE, PLANNED
from dashboards.forms.paper import PAPER
from dashboards.forms.patterns import PATTERN, SUPPORT
from dashboards.forms.points import CLARITY, IMAGINED_VIEW, READINESS
from dashboards.forms.releases import RELEASE, WITHDRAW_RELEASE
from dashboards.forms.restricted import COUPLES, DUTY, PLAN
from dashboards.forms.sessions import SESSION
from dashboards.forms.signals import SIGNAL
from dashboards.forms.working_day import (
    CONFLICT,
    HOMEWORK,
    HOMEWORK_DONE,
    RUPTURE,
    RUPTURE_REPAIRED,
    SMALL_WIN,
)

FORMS: dict[str, EntryForm] = {
    form.key: form
    for form in (
        SIGNAL, SESSION, RATE_GOALS, PAPER, HOMEWORK_DONE, HOMEWORK, SMALL_WIN, RUPTURE, RUPTURE_REPAIRED,
        EVENT, CONFLICT, BEGAN, STATUS, ENDED, CLARITY, IMAGINED_VIEW, READINESS, PATTERN, SUPPORT,
        NEW_GOAL, RETIRE_GOAL,
        PLANNED, PAUSE,
        OPEN_EPISODE, END_EPISODE, RELEASE, WITHDRAW_RELEASE, DEMOGRAPHICS,
        PLAN, DUTY, COUPLES, NEW_CLIENT,
    )
}  # fmt: skip
GROUPS = tuple(dict.fromkeys(form.group for form in FORMS.values() if form.group))


def form_of(kind: type) -> EntryForm | None:
    """Give the form that corrects records of a kind."""
    corrects = [form for form in FORMS.values() if form.asks_for_a_reason]
    return next((form for form in corrects if form.writes[0] is kind), None)
