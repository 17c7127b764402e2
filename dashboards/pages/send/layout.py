"""The page on which a client is asked to answer on their own device. The server writes it."""

from __future__ import annotations

from dashboards.forms.entry import Subject
from dashboards.pages.send.addresses import ASK, PAPER, PATTERN, WITHDRAW
from dashboards.pages.send.content import send_page
from dashboards.pages.send.fields import offer
from dashboards.pages.send.forms import answer_ask, answer_paper, answer_withdraw, may_ask
from dashboards.routes import Page, PageRequest
from dashboards.web.asking_access import asking_access
from dashboards.web.server_page import lead_to_page
from mbc.errors import NotInRecord, WordingError
from mbc.store import Administration
from mbc.store.access.roles import ACCESS, User

_NO_SETTINGS = "This server was started without settings about asking clients: mbc serve --settings FILE"


def write_page(request: PageRequest) -> str:
    """Write the page; raises NotInRecord for whoever may not ask this client."""
    subject = Subject(request.store, request.user, request.client_id or "", request.today)
    if not may_ask(subject):
        raise NotInRecord("There is no such page.")
    _ = subject.name  # raises for a client who does not exist here
    access = asking_access()
    if access is None:
        return send_page(None, subject, unavailable=_NO_SETTINGS)
    try:
        offered = offer(subject, access.settings)
    except WordingError as fault:
        return send_page(None, subject, unavailable=str(fault), box_fault=request.box_fault)
    return send_page(offered, subject, note=request.note, box_fault=request.box_fault)


def _asks(user: User) -> bool:
    return Administration in ACCESS[user.role].writes


PAGE = Page(
    name="send",
    pattern=PATTERN,
    path="",
    label="Send",
    may_open=_asks,
    layout=lead_to_page(write_page),
    written=write_page,
    forms={ASK: answer_ask, PAPER: answer_paper, WITHDRAW: answer_withdraw},
)
