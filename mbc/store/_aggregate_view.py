"""The door for code that counts over many people: rates with small numbers hidden, and de-identified cohorts.

The module is private, and nobody's view of the record has this door as a method. Only three modules of
`mbc.care` may import it (an import contract holds that), and each gives back a result in which nobody is found.
An analyst reaches outcome rates and no row of a person, a researcher a de-identified cohort and nothing that is
identified, whoever may compare clinicians the means of their clients.
"""

from __future__ import annotations

from typing import Literal

from mbc.store.access.roles import Permission
from mbc.store.store import Store

Purpose = Literal["clinic outcomes", "de-identified cohort", "comparison of clinicians"]
NEEDS: dict[Purpose, Permission] = {
    "clinic outcomes": "aggregate:read",
    "de-identified cohort": "cohort:read",
    "comparison of clinicians": "clinicians:compare",
}


def counting_view(store: Store, purpose: Purpose) -> Store:
    """Widen the readers of a view for counting; labels, texts and the safety channel are left out.

    A clinician's and a supervisor's view still reaches only their clients, except to compare clinicians.

    Parameters
    ----------
    store : Store
        The record, or one user's view of it.
    purpose : {"clinic outcomes", "de-identified cohort", "comparison of clinicians"}
        What the rows are for; it stands in the audit trail.

    Raises
    ------
    AccessDenied
        If this user may not have that.
    """
    return store._counting(NEEDS[purpose], purpose)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the only way to it
