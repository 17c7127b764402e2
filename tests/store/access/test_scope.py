"""What a role becomes for one user: whose records, which readers, and in which words the rest is refused."""

from __future__ import annotations

import pytest

from mbc.errors import AccessDenied
from mbc.store import User
from mbc.store.access.roles import (
    ACCESS,
    PERSON_READERS,
    ROLES,
    SAFETY_READERS,
    Scope,
    counting_scope_of,
    scope_of,
)
from mbc.store.schema import records

ANN = User("ann", "clinician", "T1")
SAM = User("sam", "supervisor", "T1", supervises=frozenset({"T2", "T3"}))


@pytest.mark.parametrize(("user", "clinicians"), [
    (ANN, {"T1"}),
    (SAM, {"T1", "T2", "T3"}),
    (User("sam", "supervisor", supervises=frozenset({"T2"})), {"T2"}),
    (User("new", "clinician"), set()),  # nobody's clinician: no client, not every client
    (User("adam", "administrator", "T1", supervises=frozenset({"T2"})), set()),
    (User("ida", "analyst", "T1"), None),
    (User("rae", "researcher"), None),
    (User("lee", "safety_lead"), None),
])  # fmt: skip
def test_each_role_reaches_its_own_clients(user, clinicians):
    assert scope_of(user).clinicians == clinicians


@pytest.mark.parametrize("role", ROLES)
def test_a_scope_is_that_of_the_role_in_the_users_name(role):
    user = User("ann", role, "T1")
    scope, access = scope_of(user), ACCESS[role]
    assert (scope.who, scope.user) == ("ann", user)
    assert (scope.readers, scope.writes, scope.permissions) == (access.readers, access.writes, access.permissions)
    assert (scope.masked, scope.only, scope.until) == (False, None, None)


def test_a_permission_that_was_granted_adds_its_reader_and_takes_nothing():
    granted = scope_of(User("ann", "clinician", "T1", permissions=frozenset({"safety:read"})))
    assert granted.readers == PERSON_READERS | SAFETY_READERS
    assert granted.permissions == ACCESS["clinician"].permissions | {"safety:read"}
    assert granted.writes == ACCESS["clinician"].writes
    assert User("ann", "clinician", permissions=frozenset({"safety:read"})).has_permission("safety:read")
    assert not ANN.has_permission("safety:read")


def test_what_is_refused_is_named():
    scope = scope_of(ANN)
    scope.require("aggregate:read")
    with pytest.raises(AccessDenied, match=r"^ann may not do that: it needs the permission 'safety:read'\.$"):
        scope.require("safety:read")
    scope.require_reader("goal_ratings")
    with pytest.raises(AccessDenied, match=r"^ann may not read safety flags\.$"):
        scope.require_reader("safety_flags")
    scope.require_writer(records.Goal)
    with pytest.raises(AccessDenied, match=r"^ann may not write Clinician records\.$"):
        scope.require_writer(records.Clinician)


def test_a_scope_without_limits_allows_everything():
    scope = Scope("operator")
    scope.require("accounts:manage")
    scope.require_reader("safety_flags")
    scope.require_writer(records.Clinician)
    assert not scope.narrow


@pytest.mark.parametrize(
    ("scope", "narrow"),
    [(Scope("x", clinicians=frozenset()), True), (Scope("x", only="C1"), True), (Scope("x"), False)],
)
def test_a_scope_is_narrow_when_clients_lie_outside(scope, narrow):
    assert scope.narrow is narrow


def test_counting_reads_every_persons_rows_masked_and_opens_nothing_else():
    scope = counting_scope_of(scope_of(SAM), "aggregate:read")
    assert scope == Scope(
        who="sam",
        readers=PERSON_READERS,
        writes=frozenset(),
        permissions=frozenset(),
        clinicians=frozenset({"T1", "T2", "T3"}),
        masked=True,
        user=SAM,
    )
    assert scope.masked is True
    with pytest.raises(AccessDenied, match="it needs the permission 'cohort:read'"):
        counting_scope_of(scope_of(SAM), "cohort:read")
