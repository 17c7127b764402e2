"""That a report was made: who, which kind, about whom, under which consent. Nothing of its content."""

from __future__ import annotations

from mbc.reports.document import Document
from mbc.store import Store

ACTION = "report"


def record_report(
    store: Store,
    document: Document,
    client_id: str | None,
    *,
    form: str,
    included: tuple[str, ...] = (),
    release: str | None = None,
) -> None:
    """Add a line to the audit trail.

    Parameters
    ----------
    store : Store
        The view of the user who makes the report.
    document : Document
    client_id : str or None
        Whom it is about; None for reports about the clinic.
    form : str
        "pdf" or "html".
    included : tuple of str
        What was ticked for this print.
    release : str, optional
        Identifier of the release of information that allows it.
    """
    detail: dict[str, object] = {"kind": document.kind, "form": form, "language": document.language}
    if included:
        detail["included"] = list(included)
    if release is not None:
        detail["release"] = release
    store.audit.record(ACTION, subject=client_id, **detail)
