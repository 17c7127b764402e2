"""Every form there is, in the order in which they are listed."""

from __future__ import annotations

from dashboards.forms.care import END_EPISODE, NEW_CLIENT, OPEN_EPISODE
from dashboards.forms.entry import EntryForm
from dashboards.forms.goals import NEW_GOAL, RATE_GOALS, RETIRE_GOAL
from dashboards.forms.life import BEGAN, ENDED, EVENT, STATUS
from dashboards.forms.paper import PAPER
from dashboards.forms.sessions import SESSION

FORMS: dict[str, EntryForm] = {
    form.key: form
    for form in (
        SESSION, RATE_GOALS, PAPER,
        NEW_GOAL, RETIRE_GOAL,
        EVENT, BEGAN, STATUS, ENDED,
        OPEN_EPISODE, END_EPISODE, NEW_CLIENT,
    )
}  # fmt: skip
GROUPS = tuple(dict.fromkeys(form.group for form in FORMS.values() if form.group))


def form_of(kind: type) -> EntryForm | None:
    """Give the form that corrects records of a kind."""
    corrects = [form for form in FORMS.values() if form.changes and not form.only_changes]
    return next((form for form in corrects if form.writes[0] is kind), None)
