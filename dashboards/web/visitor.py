"""Who is asking, and what of the record they may see."""

from __future__ import annotations

import datetime as dt

from flask import current_app, request, session
from flask_login import UserMixin, current_user

from dashboards.web.known_browser import known_browser
from mbc.care import CohortModels
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons
from mbc.care.forecast.model_files import Models
from mbc.errors import AccessDenied, NotInRecord
from mbc.store import Store, User
from mbc.store.accounts.passkeys import Passkey

_STORE, _ADDRESS, _MODELS, _TODAY = "mbc_store", "mbc_address", "mbc_models", "mbc_today"
_COMPARISONS = "mbc_comparisons"
_ACCOUNT = "account"  # in the session: the state of the account at sign-in
BY_PROVIDER = "by_provider"  # in the session: what the provider had ended at sign-in


class Visitor(UserMixin):
    """A signed-in person, in the shape that Flask-Login asks for, with their view of the record."""

    def __init__(self, store: Store, user: User) -> None:
        self.store = store
        self.user = user

    def get_id(self) -> str:
        """Name the account."""
        return self.user.username


def set_record(
    extensions: dict[str, object],
    store: Store,
    address: str,
    models: Models | None = None,
    today: dt.date | None = None,
) -> None:
    """Store the record, its models and the day it is read on (None: the real one) within reach of requests."""
    extensions[_TODAY] = today
    extensions[_STORE] = store
    extensions[_ADDRESS] = address
    extensions[_MODELS] = CohortModels(store, models, fits="in the background")
    extensions[_COMPARISONS] = ClinicianComparisons(store)


def synthetic_mark() -> str:
    """Give the words that mark every page where nobody on record exists; empty otherwise."""
    return "Synthetic clinic: nobody exists" if current_app.config.get("MBC_SYNTHETIC") else ""


def is_personal() -> bool:
    """Whether one person runs this server on their own computer."""
    return bool(current_app.config.get("MBC_PERSONAL"))


def record_address(extensions: dict[str, object]) -> str:
    """Give the address that the record was opened by, which may hold a password."""
    return str(extensions[_ADDRESS])


def close_record(extensions: dict[str, object]) -> None:
    """Give the record's connections back; no request can be answered afterwards."""
    store = extensions.get(_STORE)
    if isinstance(store, Store):
        store.close()


def verify(username: str, password: str) -> Visitor | None:
    """Check a password; the session then remembers the state that the account is in."""
    where = {"address": request.remote_addr or "", "browser": known_browser(username)}
    user = _from_here().accounts.verify(username, password, **where)
    return None if user is None else visitor_of(user.username)


def verify_code(username: str, code: str) -> bool:
    """Check the second factor of somebody whose password was right."""
    where = {"address": request.remote_addr or "", "browser": known_browser(username)}
    return _from_here().accounts.verify_code(username, code, **where)


def sign_in_by_provider(
    issuer: str, subject: str, *, named: str | None, session_there: str | None, complete: bool
) -> Visitor | None:
    """Find whose account here belongs to an account at the clinic's provider, which was just proved.

    The session then remembers what the provider had ended until now: the sign-in lasts as long as that stays.
    """
    accounts = _from_here().accounts
    state = accounts.provider_state(issuer, subject, session_there)
    user = accounts.sign_in_by_provider(
        issuer, subject, named=named, address=request.remote_addr or "", complete=complete
    )
    if user is None:
        return None
    session[BY_PROVIDER] = state
    return visitor_of(user.username)


def sign_out_by_provider(issuer: str, subject: str | None, session_there: str | None, *, token_id: str) -> bool:
    """End the sign-ins that the provider says are over; False if its token was taken before."""
    return _from_here().accounts.sign_out_by_provider(
        issuer, subject=subject, session=session_there, message=token_id
    )


def find_passkey(credential: str) -> Passkey | None:
    """Find a passkey by the id that its device gives."""
    return unscoped_store().accounts.passkey(credential)


def sign_in_by_passkey(passkey: Passkey, *, uses: int, asked_at: dt.datetime) -> Visitor | None:
    """Sign in whoever answered with a passkey."""
    user = _from_here().accounts.sign_in_by_passkey(passkey, uses=uses, asked_at=asked_at)
    return None if user is None else visitor_of(user.username)


def refuse_passkey() -> None:
    """Write down that an answer with a passkey was refused."""
    _from_here().accounts.refuse_passkey(request.remote_addr or "")


def has_factor(username: str) -> bool:
    """Whether an account has a second factor."""
    return unscoped_store().accounts.has_factor(username)


def requires_factor(user: User) -> bool:
    """Whether the clinic requires a second factor of somebody's role."""
    return unscoped_store().accounts.requires_factor(user.role)


def add_factor(username: str, secret: str, code: str) -> tuple[str, ...]:
    """Keep a second factor that a code confirms; gives the recovery codes."""
    return _from_here().accounts.add_factor(username, secret, code)


def link_account(token: str) -> str | None:
    """Give the account that a one-time link is for."""
    return _from_here().accounts.link_account(token)


def use_link(token: str, password: str) -> None:
    """Give an account the password that its owner chose by a one-time link."""
    _from_here().accounts.use_link(token, password)


def store_account_state(visitor: Visitor) -> None:
    """Note in the session what the account was like, so that a changed one signs in again."""
    session[_ACCOUNT] = account_state(visitor)


def load_user(username: str) -> Visitor | None:
    """Read a visitor back for a request: none when the account was closed or changed since the sign-in."""
    visitor = visitor_of(username)
    return visitor if visitor and session.get(_ACCOUNT) == account_state(visitor) else None


def end_sign_in(token: str) -> None:
    """Write down that the visitor handed this sign-in back."""
    _from_here().accounts.end_sign_in(signed_in_user().username, token)


def has_ended(token: str) -> bool:
    """Whether a sign-in was handed back, or ended by the provider: here, on any worker, or before a restart."""
    accounts, state = unscoped_store().accounts, session.get(BY_PROVIDER)
    return accounts.has_ended(token) or (isinstance(state, dict) and accounts.has_provider_ended(state))


def note_ended(token: str, username: str) -> None:
    """Write down, once, that a sign-in was used that has ended."""
    _from_here().accounts.note_ended(username, token)


def note_refusal(store: Store, page: str, client_id: str | None) -> None:
    """Write down that somebody asked for a page that their account may not have."""
    store.audit.record("refused", subject=client_id, asked=f"page {page}", fault="AccessDenied")


def is_signed_in() -> bool:
    """Whether somebody is signed in."""
    return bool(current_user.is_authenticated)


def signed_in_user() -> User:
    """Give the account that is asking."""
    return _here().user


def user_store() -> Store:
    """Give the record narrowed to what the visitor may see; everything a page shows comes from here."""
    return _here().store


def models() -> CohortModels:
    """Give the clinic's models as the record keeps them: of them, a page shows only a client's own course."""
    fitted = current_app.extensions[_MODELS]
    if not isinstance(fitted, CohortModels):
        raise TypeError("the server was started without models")
    return fitted


def comparisons() -> ClinicianComparisons:
    """Give the comparisons of clinicians; of whom, each is asked by the view of the record that asks for it."""
    kept = current_app.extensions[_COMPARISONS]
    if not isinstance(kept, ClinicianComparisons):
        raise TypeError("the server was started without comparisons")
    return kept


def today() -> dt.date:
    """Give the day that pages are read on."""
    return fixed_day() or dt.date.today()  # noqa: DTZ011 - where the clinic is


def fixed_day() -> dt.date | None:
    """Give the day that pages are read on where it is not the real one."""
    fixed = current_app.extensions[_TODAY]
    return fixed if isinstance(fixed, dt.date) else None


def record_view(client_id: str | None) -> Store:
    """Give the view in which the visitor sees a client: their own, or the emergency access that they opened."""
    own_view = user_store()
    if any(record.client_id == client_id for record in own_view.break_glass_records()):
        return own_view.open_break_glass_view(str(client_id))
    return own_view


def can_see(client_id: str) -> bool:
    """Whether a client's record exists for the visitor; one outside their reach does not."""
    try:
        record_view(client_id).episodes(client_id=client_id)
    except (NotInRecord, AccessDenied):
        return False
    return True


def _here() -> Visitor:
    visitor = current_user._get_current_object()  # noqa: SLF001 - Flask-Login's own way to the object
    if not isinstance(visitor, Visitor):
        raise TypeError("nobody is signed in")  # the guard lets nobody else come this far
    return visitor


def unscoped_store() -> Store:
    """Give the record without narrowing: for accounts and models, never for a page."""
    store = current_app.extensions[_STORE]
    if not isinstance(store, Store):
        raise TypeError("the server was started without a record")
    return store


def _from_here() -> Store:
    return unscoped_store().from_origin(request.remote_addr or "unknown address")


def visitor_of(username: str) -> Visitor | None:
    """Give the view of an active account."""
    try:
        store = unscoped_store().as_user(username, origin=request.remote_addr)
    except AccessDenied:
        return None
    return None if store.user is None else Visitor(store, store.user)


def account_state(visitor: Visitor) -> str:
    """Write what an account was like, so that a changed one is noticed."""
    return visitor.user.changed_at.isoformat() if visitor.user.changed_at else ""
