"""Which column of somebody's file is the client, the date, the answer ..."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mbc.errors import ImportRefused, SettingsError, nearest
from mbc.exchange.shown import listing, shown
from mbc.exchange.tables import TextTable


@dataclass(frozen=True, slots=True)
class Role:
    """What a column can be, and what people call it."""

    name: str
    what: str
    called: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    """Names that serve only when no surer one is there: ``id`` may as well number the rows."""


_ROLES = (
    Role("client_id", "the client", ("client", "client code", "patient", "patient id", "participant",
         "participant id", "subject", "subject id", "pseudonym"), ("id", "code", "record id", "case", "case id")),
    Role("taken_on", "the day it was taken", ("date", "taken", "date taken", "completed", "completed on",
         "date completed", "completion date", "administered on", "assessment date", "answered on"),
         ("completed at", "timestamp", "datetime", "day")),
    Role("taken_at", "the moment it was taken"),
    Role("instrument", "the questionnaire", ("questionnaire", "measure", "instrument key"), ("test",)),
    Role("item", "the item's number", ("item number", "item no", "question", "question number"), ("number",)),
    Role("value", "the answer", ("answer", "response", "item value", "item score"), ("rating",)),
    Role("scale", "the scale", ("subscale", "scale key")),
    Role("score", "the score", ("total", "total score", "sum score", "scale score"), ("sum", "result")),
    Role("session_number", "the session's number", ("session", "session no", "session nr")),
    Role("target", "the relationship that is rated", ("relationship", "relationship id", "relationship label")),
    Role("informant", "who answered", ("respondent", "rater", "answered by")),
    Role("form", "the form (item order)", ("item order",)),
    Role("coding", "the answer coding", ("answer coding",)),
    Role("clinician_id", "the clinician", ("clinician", "therapist", "therapist id", "counsellor", "counselor")),
)  # fmt: skip
ROLES: Mapping[str, Role] = {role.name: role for role in _ROLES}


def fold(name: str) -> str:
    """Forget case, spaces and punctuation of a column's name.

    Examples
    --------
    >>> fold("Client-ID "), fold("taken_on")
    ('clientid', 'takenon')
    """
    return re.sub(r"[\W_]+", "", name.casefold())


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of one file, read as roles; ``given`` (role or item column -> header) is the user's word."""

    table: TextTable
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for canonical, header in self.given.items():
            if header not in self.table.columns:
                raise SettingsError(
                    f"--map {shown(canonical)}={shown(header)}: '{shown(self.table.name)}' has no column "
                    f"'{shown(header)}'.{_meant([header], self.table.columns)}"
                )
            self._refuse_repeated(header)

    def find(self, role: str) -> str | None:
        """Header of the column that plays a role, or None.

        Raises
        ------
        ImportRefused
            When two columns could play it equally well, or the column's name is there twice.
        """
        if role in self.given:
            return self.given[role]
        spoken_for = set(self.given.values())
        for names in ((role,), ROLES[role].called, ROLES[role].perhaps):
            folded = {fold(name) for name in names}
            fit = [name for name in self.table.columns if fold(name) in folded and name not in spoken_for]
            if len(fit) > 1:
                raise ImportRefused(
                    f"'{shown(self.table.name)}' has {len(fit)} columns that could be {ROLES[role].what}: "
                    f"{listing(fit)}. Say which: --map {role}='{shown(fit[0])}'."
                )
            if fit:
                self._refuse_repeated(fit[0])
                return fit[0]
        return None

    def need(self, role: str) -> str:
        """Header of the column that plays a role.

        Raises
        ------
        ImportRefused
            When no column does; the message names the nearest.
        """
        found = self.find(role)
        if found is None:
            raise ImportRefused(self._lacks([role]))
        return found

    def need_all(self, roles: Iterable[str]) -> None:
        """Refuse the file once for all the roles that no column plays.

        Raises
        ------
        ImportRefused
            When some role is played by no column.
        """
        lacking = [role for role in roles if self.find(role) is None]
        if lacking:
            raise ImportRefused(self._lacks(lacking))

    def _lacks(self, roles: list[str]) -> str:
        names = [name for role in roles for name in (role, *ROLES[role].called[:3])]
        wanted = "; ".join(f"{ROLES[role].what} ({', '.join((role, *ROLES[role].called[:3]))})" for role in roles)
        return (
            f"'{shown(self.table.name)}' has no column for {wanted}. It has {listing(self.table.columns)}."
            f"{_meant(names, self.table.columns)} Name it with --map {roles[0]}='its header'."
        )

    def item(self, name: str, alike: Iterable[str] = ()) -> str | None:
        """Header of an item's column: as mapped, as named, or the one that is like it."""
        if name in self.given:
            return self.given[name]
        columns = self.table.columns
        fit = [header for header in columns if header == name]
        fit = fit or [header for header in columns if header.casefold() == name.casefold()] or list(alike)
        if len(fit) > 1:
            raise ImportRefused(
                f"'{shown(self.table.name)}' has {len(fit)} columns that could be {shown(name)}: {listing(fit)}. "
                f"Say which: --map {shown(name)}='{shown(fit[0])}'."
            )
        for header in fit:
            self._refuse_repeated(header)
        return fit[0] if fit else None

    def _refuse_repeated(self, header: str) -> None:
        if header in self.table.repeated:
            raise ImportRefused(
                f"'{shown(self.table.name)}' has more than one column named '{shown(header)}'. Which one is "
                "meant? Rename or remove the others."
            )


def _meant(names: Iterable[str], columns: Iterable[str]) -> str:
    hits = dict.fromkeys(hit for name in names for hit in nearest(name, columns, most=2))
    return f" Nearest: {listing(list(hits)[:3])}." if hits else ""
