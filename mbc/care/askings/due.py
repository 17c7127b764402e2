"""What a client is asked by plan: the questionnaires that are due and wait for no answer yet."""

from __future__ import annotations

import datetime as dt

from mbc.care.askings.collect import asking_states
from mbc.care.plan.client_plan import client_plan
from mbc.store import Store

_OPEN = ("made", "opened", "begun")


def due_keys(store: Store, client_id: str, day: dt.date) -> list[str]:
    """List the questionnaires that the plan of measures has due on a day, and that no open asking asks.

    Screens of the safety channel are never among them: the record takes no plan of one.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    plan = client_plan(store, client_id, as_of=day)
    if plan is None:
        return []
    waiting = {
        key for row in asking_states(store, client_id) if row["state"] in _OPEN for key in row["instruments"]
    }
    return list(dict.fromkeys(each.instrument for each in plan.due if each.instrument not in waiting))
