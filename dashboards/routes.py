"""What a page is, which page answers which path, and who may open it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dash import Dash
from dash.development.base_component import Component
from flask.typing import ResponseReturnValue

from mbc.care import Caseload, CohortModels
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons
from mbc.figures.theme import Theme
from mbc.store.access.roles import ACCESS, PERSON_READERS, User
from mbc.store.store import Store

CLIENT_ID = r"(?P<client_id>[A-Za-z0-9][A-Za-z0-9._-]{0,63})"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Everything that a page is laid out from."""

    store: Store  # narrowed to what the visitor may see
    user: User
    client_id: str | None = None  # as the path names them
    theme: Theme = "light"
    models: CohortModels | None = None
    comparisons: ClinicianComparisons | None = None
    caseload: Callable[[], Caseload] | None = None  # kept from an earlier visit, where nothing was written since
    today: dt.date = field(default_factory=dt.date.today)  # the demo has a fixed one
    token: str = ""  # goes back with each form
    note: str = ""  # what the last form led to
    box_fault: str = ""  # why what clients have answered may not be on record yet
    path: str = ""  # that was asked for
    no_passkeys: str = ""  # why there are none at this address; empty where there are
    provider: tuple[str, str] | None = None  # issuer and name of the clinic's directory, if it is a way to sign in
    personal: bool = False  # one person runs this on their own computer
    later: list[Callable[[], object]] | None = field(
        default_factory=list[Callable[[], object]]
    )  # what is written once everything was read; None where nothing can be written


def _no_callbacks(app: Dash) -> None:
    """Register nothing: the page has no callback."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the application: all there is to register.

    A new page is a folder of `dashboards.pages` whose ``layout.py`` ends in one of these, and a line in
    `dashboards.app.PAGES`.
    """

    name: str  # in the audit trail
    pattern: str  # of its path
    path: str  # "" where the path names a client
    label: str  # in the navigation
    may_open: Callable[[User], bool]
    layout: Callable[[PageRequest], list[Component]]
    register: Callable[[Dash], None] = _no_callbacks  # wires its callbacks
    forms: Mapping[str, Callable[[], ResponseReturnValue]] = field(default_factory=dict)  # address -> what answers
    written: Callable[[PageRequest], str] | None = None  # the server writes it, as HTML, for every browser
    keeps: frozenset[str] = frozenset()  # forms whose words are given back after the next sign-in


@dataclass(frozen=True, slots=True)
class Visit:
    """A page asked for, and the client its path names."""

    page: Page
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of an application, in the order of its navigation."""

    pages: tuple[Page, ...]

    def visit(self, path: str | None, user: User) -> Visit | None:
        """Give the page of a path, or None: there is no such page, as far as this user may know."""
        for page in self.of(user):
            if match := re.fullmatch(page.pattern, path or ""):
                return Visit(page, match.groupdict().get("client_id"))
        return None

    def at(self, path: str | None) -> Page | None:
        """Give the page at a path, whoever may open it."""
        return next((page for page in self.pages if re.fullmatch(page.pattern, path or "")), None)

    def of(self, user: User) -> tuple[Page, ...]:
        """Give the pages a user may open."""
        return tuple(page for page in self.pages if page.may_open(user))

    def home(self, user: User) -> str | None:
        """Give the path of a user's first page, or None when there is none for them."""
        return next((page.path for page in self.of(user) if page.path), None)

    @property
    def forms(self) -> dict[str, Callable[[], ResponseReturnValue]]:
        """Every address that a form of a page is sent to, and what answers it."""
        return {address: answer for page in self.pages for address, answer in page.forms.items()}

    @property
    def keeps(self) -> frozenset[str]:
        """Addresses of forms whose words are given back when the sign-in ended before they were sent."""
        return frozenset(address for page in self.pages for address in page.keeps)


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
    >>> client_of("/client/C001"), client_of("/client/C001/record"), client_of("/client/../x")
    ('C001', 'C001', None)
    """
    match = re.fullmatch(rf"/client/{CLIENT_ID}(/send|/record(/.*)?)?", path or "")
    return match["client_id"] if match else None
