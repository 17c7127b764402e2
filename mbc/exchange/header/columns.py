"""Which column of a file is the client, the date, the answer ..."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import polars as pl

from mbc.errors import ImportRefused, SettingsError, nearest
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import TextTable


@dataclass(frozen=True, slots=True)
class Role:
    """What a column can be, and what people call it."""

    name: str
    what: str
    called: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    """Names that are used only when no better one exists: ``id`` may number the rows."""
    mapped_only: bool = False
    """Whether a column has this role only when the user says so."""


_ROLES = (
    Role("client_id", "the client", ("client", "client code", "patient", "patient id", "participant",
         "participant id", "subject", "subject id", "pseudonym"), ("id", "code", "record id", "case", "case id")),
    Role("taken_on", "the date of the questionnaire", ("date", "taken", "date taken", "completed", "completed on",
         "date completed", "completion date", "administered on", "assessment date", "answered on"),
         ("completed at", "timestamp", "datetime", "day")),
    Role("taken_at", "the date and time of the questionnaire"),
    Role("instrument", "the questionnaire", ("questionnaire", "measure", "instrument key"), ("test",)),
    Role("item", "the item's number", ("item number", "item no", "question", "question number"), ("number",)),
    Role("value", "the answer", ("answer", "response", "item value", "item score"), ("rating",)),
    Role("scale", "the scale", ("subscale", "scale key")),
    Role("score", "the score", ("total", "total score", "sum score", "scale score"), ("sum", "result")),
    Role("session_number", "the session's number", ("session", "session no", "session nr")),
    Role("target", "the relationship rated", ("relationship", "relationship id", "relationship label")),
    Role("informant", "who answered", ("respondent", "rater", "answered by")),
    Role("form", "the form (item order)", ("item order",)),
    Role("coding", "the answer coding", ("answer coding",)),
    Role("clinician_id", "the clinician", ("clinician", "therapist", "therapist id", "counsellor", "counselor")),
    Role("episode_id", "the episode of care", mapped_only=True),
    Role("version", "the version of the questionnaire's definition", mapped_only=True),
)  # fmt: skip
ROLES: Mapping[str, Role] = {role.name: role for role in _ROLES}
# Columns that each questionnaire of a wide file may have of its own: rses_taken_on, rses_form ...
OWN_ROLES = ("taken_on", "taken_at", "session_number", "target", "informant", "form", "coding")


@lru_cache(maxsize=1 << 16)
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
    given: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for canonical, header in self.given.items():
            if header not in self.table.columns:
                raise SettingsError(
                    f"--map {quote(canonical)}={quote(header)}: '{quote(self.table.name)}' has no column "
                    f"'{quote(header)}'.{_meant([header], self.table.columns)}"
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
        if ROLES[role].mapped_only:
            return None
        spoken_for = set(self.given.values())
        for names in ((role,), ROLES[role].called, ROLES[role].perhaps):
            folded = {fold(name) for name in names}
            fit = [name for name in self.table.columns if fold(name) in folded and name not in spoken_for]
            if len(fit) > 1:
                raise ImportRefused(
                    f"'{quote(self.table.name)}' has {len(fit)} columns that could be {ROLES[role].what}: "
                    f"{join_names(fit)}. Name it: --map {role}='{quote(fit[0])}'."
                )
            if fit:
                self._refuse_repeated(fit[0])
                return fit[0]
        return None

    def without(self, headers: Iterable[str]) -> Columns:
        """Leave columns out that the user does not want read.

        Raises
        ------
        SettingsError
            When there is no such column.
        """
        headers = list(headers)
        absent = [header for header in headers if header not in self.table.columns]
        if absent:
            raise SettingsError(
                f"--ignore '{quote(absent[0])}': '{quote(self.table.name)}' has no such column."
                f"{_meant(absent, self.table.columns)}"
            )
        left = tuple(name for name in self.table.columns if name not in headers)
        return Columns(replace(self.table, columns=left, frame=self.table.frame.drop(headers)), self.given)

    def own(self, key: str, role: str) -> str | None:
        """Header of the column that plays a role for one questionnaire alone: ``rses_form``, ``RSES date``."""
        names = (role, *ROLES[role].called)
        return self._belonging(f"{key}_{role}", (f"{key}{fold(name)}" for name in names))

    def score(self, key: str, scale: str, called: Iterable[str]) -> str | None:
        """Header of the column of scores that were kept of a scale: ``rses_total``, ``ECR-S anxiety``."""
        return self._belonging(f"{key}_{scale}", (f"{key}{fold(name)}" for name in (scale, *called)))

    def _belonging(self, canonical: str, names: Iterable[str]) -> str | None:
        if canonical in self.given:
            return self.given[canonical]
        folded = {fold(name) for name in names}
        spoken_for = set(self.given.values())
        fit = [name for name in self.table.columns if fold(name) in folded and name not in spoken_for]
        return self._unambiguous(canonical, fit)

    def speaking_for(self, key: str) -> Columns:
        """Use the questionnaire's own columns where they are filled, and the shared ones where not."""
        own = {role: header for role in OWN_ROLES if (header := self.own(key, role)) is not None}
        if not own:
            return self
        shared = {role: common for role in own if (common := self.find(role)) is not None and common != own[role]}
        filled = [pl.coalesce(own[role], header).alias(own[role]) for role, header in shared.items()]
        table = replace(self.table, frame=self.table.frame.with_columns(filled))
        return Columns(table, {**self.given, **own})

    def need(self, role: str) -> str:
        """Header of the column that plays a role.

        Raises
        ------
        ImportRefused
            When no column does; the message names the nearest.
        """
        header = self.find(role)
        if header is None:
            raise ImportRefused(self._lacks([role]))
        return header

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
            f"'{quote(self.table.name)}' has no column for {wanted}. It has {join_names(self.table.columns)}."
            f"{_meant(names, self.table.columns)} Name it with --map {roles[0]}='its header'."
        )

    def item(self, name: str, alike: Iterable[str] = ()) -> str | None:
        """Header of an item's column: as mapped, as named, or the one that is like it."""
        if name in self.given:
            return self.given[name]
        columns = self.table.columns
        fit = [header for header in columns if header == name]
        fit = fit or [header for header in columns if header.casefold() == name.casefold()] or list(alike)
        return self._unambiguous(name, fit)

    def _unambiguous(self, wanted: str, fit: Sequence[str]) -> str | None:
        """Give the one header that fits what is wanted; several, or one that stands there twice, are refused."""
        if len(fit) > 1:
            raise ImportRefused(
                f"'{quote(self.table.name)}' has {len(fit)} columns that could be {quote(wanted)}: "
                f"{join_names(fit)}. Name it: --map {quote(wanted)}='{quote(fit[0])}'."
            )
        for header in fit:
            self._refuse_repeated(header)
        return fit[0] if fit else None

    def _refuse_repeated(self, header: str) -> None:
        if header in self.table.repeated:
            raise ImportRefused(
                f"'{quote(self.table.name)}' has more than one column named '{quote(header)}'. Which one is "
                "meant? Rename or remove the others."
            )


def _meant(names: Iterable[str], columns: Iterable[str]) -> str:
    hits = dict.fromkeys(hit for name in names for hit in nearest(name, columns, most=2))
    return f" Nearest: {join_names(list(hits)[:3])}." if hits else ""
