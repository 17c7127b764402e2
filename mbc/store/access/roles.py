"""Who may see and write what: roles, permissions, and the scope that every reader and writer obeys.

What lies outside a scope does not exist for its user: they meet ``NotInRecord``, never "forbidden".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import ColumnElement, select

from mbc.errors import AccessDenied
from mbc.store.schema import entries, kinds, records
from mbc.store.schema.kinds import CARE_READERS, DEMOGRAPHICS_READER, KINDS
from mbc.store.schema.tables import client

Role = Literal["clinician", "supervisor", "analyst", "researcher", "safety_lead", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

Permission = Literal[
    "safety:read", "aggregate:read", "cohort:read", "accounts:manage", "caseloads:manage", "audit:read",
    "clients:erase", "demographics:read", "clinicians:compare",
]  # fmt: skip
GRANTABLE: tuple[Permission, ...] = (
    "safety:read",
    "demographics:read",
    "clinicians:compare",
)  # given person by person, on top of a role

PERSON_READERS = CARE_READERS | {"administrations", "answers", "totals"}
SAFETY_READERS = kinds.SAFETY_READERS | {"safety_flags"}
# kinds of the safety channel are among them: writing one needs the permission `safety:read` as well
_APART = {records.Clinician, entries.Demographics}
_CLINICAL_RECORDS = frozenset({records.Administration, *KINDS}) - _APART

Reach = Literal["all", "caseload", "none"]


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """What a role may do; ``reach`` says whose records."""

    reach: Reach
    readers: frozenset[str] = frozenset()
    writes: frozenset[type] = frozenset()
    permissions: frozenset[Permission] = frozenset()


ACCESS: dict[Role, RoleAccess] = {
    "clinician": RoleAccess("caseload", PERSON_READERS, _CLINICAL_RECORDS, frozenset({"aggregate:read"})),
    "supervisor": RoleAccess("caseload", PERSON_READERS, permissions=frozenset({"aggregate:read"})),
    "analyst": RoleAccess("all", permissions=frozenset({"aggregate:read"})),
    "researcher": RoleAccess("all", permissions=frozenset({"cohort:read"})),
    "safety_lead": RoleAccess("all", frozenset({"clients", "clinicians"}), permissions=frozenset({"safety:read"})),
    "administrator": RoleAccess(
        "none",
        frozenset({"clinicians"}),
        frozenset({records.Clinician}),
        frozenset({"accounts:manage", "caseloads:manage", "audit:read", "clients:erase"}),
    ),
}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account."""

    username: str
    role: Role
    clinician_id: str | None = None
    permissions: frozenset[str] = frozenset()
    supervises: frozenset[str] = frozenset()  # clinician ids, for a supervisor
    changed_at: datetime | None = None  # UTC; a sign-in from before has ended

    def has_permission(self, permission: Permission) -> bool:
        """Say whether a permission comes with the role or was granted."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the record that one user meets. ``clinicians=None`` reaches every client."""

    who: str
    readers: frozenset[str] | None = None  # None: every reader
    writes: frozenset[type] | None = None  # None: every record
    permissions: frozenset[str] | None = None  # None: every permission
    clinicians: frozenset[str] | None = None
    masked: bool = False  # free text and labels are left out: for counts over many people
    user: User | None = None
    only: str | None = None  # one client and nobody else: emergency access to a record
    until: datetime | None = None  # UTC; nothing can be read through this scope from then on
    among: frozenset[str] | None = None  # of the clients within reach, these alone

    def has_permission(self, permission: Permission) -> bool:
        """Say whether this scope holds a permission."""
        return self.permissions is None or permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise AccessDenied unless the permission is held."""
        if not self.has_permission(permission):
            raise AccessDenied(f"{self.who} may not do that: it needs the permission '{permission}'.")

    def may_read(self, reader: str) -> bool:
        """Say whether this scope has a reader."""
        return self.readers is None or reader in self.readers

    def require_reader(self, reader: str) -> None:
        """Raise AccessDenied unless the reader is part of this scope."""
        if not self.may_read(reader):
            raise AccessDenied(f"{self.who} may not read {reader.replace('_', ' ')}.")

    def may_write(self, kind: type) -> bool:
        """Say whether records of this kind may be written."""
        return self.writes is None or kind in self.writes

    def require_writer(self, kind: type) -> None:
        """Raise AccessDenied unless records of this kind may be written."""
        if not self.may_write(kind):
            raise AccessDenied(f"{self.who} may not write {kind.__name__} records.")

    @property
    def may_keep_definitions(self) -> bool:
        """Say whether definitions may be kept: they decide for the whole clinic, so its operator keeps them."""
        return self.user is None and not self.masked

    @property
    def narrow(self) -> bool:
        """Say whether some clients lie outside this scope."""
        return self.clinicians is not None or self.only is not None or self.among is not None

    def reaches(self, column: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Conditions on a client_id column that keep a query inside this scope."""
        if self.only is not None:
            return [column == self.only]
        among: list[ColumnElement[bool]] = [] if self.among is None else [column.in_(sorted(self.among))]
        if self.clinicians is None:
            return among
        return [*among, column.in_(select(client.c.client_id).where(client.c.clinician_id.in_(self.clinicians)))]

    def reaches_clinician(self, column: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Conditions on a clinician_id column that keep a query inside this scope."""
        if self.only is not None:
            return [column.in_(select(client.c.clinician_id).where(client.c.client_id == self.only))]
        return [] if self.clinicians is None else [column.in_(self.clinicians)]


def scope_of(user: User) -> Scope:
    """Narrow the record to what one user may meet."""
    access = ACCESS[user.role]
    readers = access.readers
    if "safety:read" in user.permissions:
        readers |= SAFETY_READERS
    writes = access.writes
    if "demographics:read" in user.permissions:
        readers |= {DEMOGRAPHICS_READER}
        writes |= {entries.Demographics} if records.Administration in writes else frozenset[type]()
    return Scope(
        who=user.username,
        readers=readers,
        writes=writes,
        permissions=user.permissions | access.permissions,
        clinicians=None if access.reach == "all" else _caseload(user, access.reach),
        user=user,
    )


def counting_scope_of(scope: Scope, permission: Permission) -> Scope:
    """Widen readers for counting, and leave out everything that is not counted.

    Whoever may compare clinicians counts the clients of all of them; nobody else reaches further than before.

    Raises
    ------
    AccessDenied
        If the user does not hold the permission that this kind of counting needs.
    """
    scope.require(permission)
    return Scope(
        who=scope.who,
        readers=PERSON_READERS,
        writes=frozenset(),
        permissions=frozenset(),
        clinicians=None if permission == "clinicians:compare" else scope.clinicians,
        masked=True,
        user=scope.user,
    )


def _caseload(user: User, reach: Reach) -> frozenset[str]:
    if reach == "none":
        return frozenset()
    own = frozenset({user.clinician_id}) if user.clinician_id else frozenset[str]()
    return own | user.supervises
