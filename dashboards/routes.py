"""Which page answers which path, and who may open it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mbc.store.access.roles import ACCESS, PERSON_READERS, User
from mbc.store.accounts.break_glass import MAY_OPEN

Name = Literal["caseload", "client", "outcomes", "open points", "other records"]
OPEN_POINTS, OTHER_RECORDS = "/open-points", "/other-records"
MARK_SEEN, OPEN_RECORD, CLOSE_RECORD = "/mark-seen", "/open-record", "/close-record"  # addresses of forms

_ID = r"(?P<client_id>[A-Za-z0-9][A-Za-z0-9._-]{0,63})"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the application."""

    name: Name
    pattern: str  # of its path
    path: str  # "" where the path names a client
    label: str  # in the navigation


@dataclass(frozen=True, slots=True)
class Visit:
    """A page asked for, and the client its path names."""

    page: Page
    client_id: str | None = None


PAGES = (
    Page("caseload", r"/caseload", "/caseload", "Caseload"),
    Page("client", rf"/client/{_ID}", "", "Client"),
    Page("outcomes", r"/outcomes", "/outcomes", "Outcomes"),
    Page("open points", OPEN_POINTS, OPEN_POINTS, "Open points"),
    Page("other records", OTHER_RECORDS, OTHER_RECORDS, "Other records"),
)


def visit(path: str | None, user: User) -> Visit | None:
    """Give the page of a path, or None: there is no such page, as far as this user may know."""
    for page in pages_of(user):
        if found := re.fullmatch(page.pattern, path or ""):
            return Visit(page, found.groupdict().get("client_id"))
    return None


def named(path: str) -> Page | None:
    """Give the page that a path names, whoever may open it."""
    return next((page for page in PAGES if re.fullmatch(page.pattern, path)), None)


def pages_of(user: User) -> tuple[Page, ...]:
    """Give the pages a user may open."""
    return tuple(page for page in PAGES if _may_open(page, user))


def home(user: User) -> str | None:
    """Give the path of a user's first page, or None when there is none for them."""
    return next((page.path for page in pages_of(user) if page.path), None)


def reads_records(user: User) -> bool:
    """Whether a user reads records of clients as a matter of course: those of a caseload."""
    return ACCESS[user.role].readers >= PERSON_READERS


def client_path(client_id: str) -> str:
    """Give the path of a client's page."""
    return f"/client/{client_id}"


def client_of(path: str | None) -> str | None:
    """Read the client's id from a path; whether they may be seen is for the store to say.

    Examples
    --------
    >>> client_of("/client/C001"), client_of("/caseload"), client_of("/client/../x")
    ('C001', None, None)
    """
    found = re.fullmatch(rf"/client/{_ID}", path or "")
    return found["client_id"] if found else None


def _may_open(page: Page, user: User) -> bool:
    if page.name == "outcomes":
        return user.can("aggregate:read")
    if page.name == "open points":
        return user.can("safety:read")
    treats = user.role in MAY_OPEN  # may read a client's record: of the caseload, or one opened out of turn
    return treats if page.name != "caseload" else reads_records(user)
