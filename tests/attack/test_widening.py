"""A view that was narrowed reaches no further, whatever public function or method it is handed to.

Every public callable of every public module of `mbc.store` that could take a view is called with one, with
arguments that fit its parameters; so is every public method of the view and of what it hands out. What comes back,
and what that hands out in turn, must hold nobody outside the user's reach.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest

import mbc.store
from mbc.errors import MbcError
from mbc.store import Store
from mbc.store.access.roles import Scope, User
from tests.store.conftest import GOOD_PASSWORD, fill_numbers

pytestmark = pytest.mark.long

EVERYBODY = {"C1", "C2", "C3"}
REACH = {  # whose rows each account may meet; a pseudonym alone may also stand in lists of the safety lead
    "clinician": {"C1"},
    "supervisor": {"C1", "C2"},
    "analyst": set(),
    "researcher": set(),
    "administrator": set(),
}
# the address of a file is the operator's way in, for whoever may open the file: see docs/access.md
OPERATORS_WAY = {"open", "create"}
VALUES: dict[str, tuple[Any, ...]] = {
    "client_id": ("C1", "C3"),
    "purpose": ("clinic outcomes", "de-identified cohort"),
    "permission": ("aggregate:read", "cohort:read", "safety:read"),
    "user": ("supervisor", "operator"),
    "username": ("supervisor",),
    "origin": ("127.0.0.1",),
    "reason": ("Covering for a colleague who is ill today",),
    "reader": ("clients",),
    "set_ids": ((),),
    "client_ids": (["C3"],),
    "questionnaires": ((),),
    "worked": ((),),
    "as_of": (date(2026, 5, 1),),
}


@pytest.fixture
def clinic(tmp_path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path}/clinic.db") as store:
        with store.writing(by="intake") as record:
            fill_numbers(record, (1, 2, 3))
        store.accounts.add("clinician", GOOD_PASSWORD, "clinician", "T1")
        store.accounts.add("supervisor", GOOD_PASSWORD, "supervisor", "T1", supervises=["T2"])
        for role in ("analyst", "researcher", "administrator"):
            store.accounts.add(role, GOOD_PASSWORD, role)
        yield store


def public_callables() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every public function and class of every public module below `mbc.store`."""
    for module in pkgutil.walk_packages(mbc.store.__path__, "mbc.store."):
        if any(part.startswith("_") for part in module.name.split(".")) or ".versions" in module.name:
            continue
        if module.name.endswith("migrations.env"):
            continue
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if (
                callable(value)
                and not name.startswith("_")
                and getattr(value, "__module__", "") == loaded.__name__
            ):
                yield f"{module.name}.{name}", value


def calls(function: Callable[..., object], view: Store) -> Iterator[object]:
    """Call with the view for each parameter that could be one, and values that fit the names of the others."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return
    needed = [
        each
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if len(needed) > 3:
        return
    offered = [VALUES.get(each.name, (view,)) for each in needed]
    for values in itertools.product(*offered):
        positional = [v for each, v in zip(needed, values, strict=True) if each.kind is not each.KEYWORD_ONLY]
        named = {each.name: v for each, v in zip(needed, values, strict=True) if each.kind is each.KEYWORD_ONLY}
        try:
            yield function(*positional, **named)
        except Exception:  # noqa: BLE001 - whatever a wrong argument leads to, it hands nothing out
            continue


def named_clients(value: object) -> set[str]:
    """Everybody whom a value names."""
    if isinstance(value, pl.DataFrame):
        return {
            cell for column in value.columns if column == "client_id" for cell in value[column].to_list() if cell
        }
    return set()


def reachable(value: object, depth: int = 2) -> set[str]:
    """Everybody whom a value, or what its public methods hand out, names."""
    if isinstance(value, Store):
        readers = (
            getattr(value, name) for name in ("clients", "sessions", "answers", "administrations", "events")
        )
        clients: set[str] = set()
        for reader in readers:
            try:
                clients |= named_clients(reader())
            except MbcError:
                continue
        return clients
    if depth and type(value).__module__.startswith("mbc.store"):
        clients = set()
        for name in dir(value):
            if name.startswith("_"):
                continue
            try:
                part = getattr(value, name)
                handed_out = part() if inspect.ismethod(part) and not _needs(part) else part
            except Exception:  # noqa: BLE001 - it handed nothing out
                continue
            clients |= reachable(handed_out, depth - 1)
        return clients
    return named_clients(value)


def _needs(method: Callable[..., object]) -> bool:
    return any(each.default is each.empty for each in inspect.signature(method).parameters.values())


# In make test stay a view of some clients, one of counts only, and one of nobody's record.
LATER = {"supervisor", "researcher"}


@pytest.mark.parametrize(
    "account", [pytest.param(name, marks=[pytest.mark.slow] * (name in LATER)) for name in REACH]
)
def test_no_public_function_of_the_store_widens_a_view(clinic, account):
    for name, function in public_callables():
        if name.endswith((".Store", ".SharedState")):
            continue  # made of what a view keeps to itself
        for value in calls(function, clinic.as_user(account)):
            assert reachable(value) <= REACH[account], f"{name} hands out more than {account} may meet"


@pytest.mark.parametrize("account", REACH)
def test_no_public_method_of_a_view_widens_it(clinic, account):
    view = clinic.as_user(account)
    glass = {"C3"} if account in {"clinician", "supervisor"} else set()  # a reason was given, and it is in the log
    tried = 0
    for name in dir(view):
        if name.startswith("_") or name in OPERATORS_WAY or name == "close":
            continue
        try:
            method = getattr(view, name)
        except MbcError:
            continue
        if not callable(method):
            assert reachable(method) <= REACH[account]
            continue
        for value in calls(method, view):
            tried += 1
            allowed = REACH[account] | (glass if "break_glass" in name else set())
            if account == "administrator" and name == "caseloads":
                allowed = EVERYBODY  # pseudonyms, to be assigned; nothing else of anybody
            assert reachable(value) <= allowed, f"{name} hands out more than {account} may meet"
    assert tried > 5


@pytest.mark.parametrize("account", REACH)
def test_a_scope_made_by_hand_is_taken_by_nothing_public(clinic, account):
    """Whoever makes a `Scope` or a `User` of their own has nothing to give it to."""
    view = clinic.as_user(account)
    wide = (Scope(who=account), User(account, "safety_lead", permissions=frozenset({"safety:read"})))
    for name in ("as_user", "from_origin", "open_break_glass_view"):
        for made in wide:
            with pytest.raises((MbcError, TypeError, AttributeError)):
                getattr(view, name)(made)
    assert reachable(view) <= REACH[account]


def test_the_walk_would_find_a_widening(clinic):
    """The test itself is tested: a function that hands out the whole record is seen."""
    view = clinic.as_user("analyst")

    def widen(store: Store) -> Store:
        return Store(store._shared, Scope(who="analyst"))

    assert set().union(*(reachable(value) for value in calls(widen, view))) >= EVERYBODY
    assert {"mbc.store.access.roles.counting_scope_of", "mbc.store.store.Store"} <= {
        n for n, _ in public_callables()
    }
