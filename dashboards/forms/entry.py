"""What a form is: which fields, for which client, and which records of the store it makes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, TypeVar

from dashboards.forms.fields import Field, Reading
from mbc.store import Episode, Goal, GoalRating, Relationship, RelationshipStatus, Session, Store, User
from mbc.store.schema import records
from mbc.store.schema.kinds import KINDS
from mbc.store.schema.records import Record

_Record = TypeVar("_Record")
RESTRICTED = "Restricted"  # the group of forms that stand on a page of their own
_BETWEEN = "~"  # between the parts of a key in an address; no identifier contains it


class Subject:
    """Whom a form is about, and what is on record of them, as the visitor may see it.

    Parameters
    ----------
    store : Store
        Narrowed to the visitor.
    user : User
        Who is signed in.
    client_id : str
        Empty for a client who is not on record yet.
    today : date
    """

    def __init__(self, store: Store, user: User, client_id: str, today: dt.date) -> None:
        self.store, self.user, self.client_id, self.today = store, user, client_id, today

    def of(self, kind: type[_Record]) -> list[_Record]:
        """Give the client's records of one kind."""
        return self._records(kind)

    def on_record(self, record: Record) -> Any:
        """Give what is on record under a record's key, or None."""
        kind = type(record)
        if kind not in KINDS or not self.client_id:
            return None
        wanted = key_of(record)
        return next((kept for kept in self.of(kind) if key_of(kept) == wanted), None)

    def find(self, kind: type[_Record], key: str) -> Any:
        """Give the record of a kind that an address names, or None."""
        return next((kept for kept in self.of(kind) if key_of(kept) == key), None)

    @cached_property
    def name(self) -> str:
        """The clinic's label of the client, or the pseudonym."""
        (client,) = self.of(records.Client)
        return client.alias or client.client_id

    @cached_property
    def open_episode(self) -> Episode | None:
        """The episode of care that has not ended, latest first."""
        open_ones = [episode for episode in self.of(Episode) if episode.ended_on is None]
        return max(open_ones, key=lambda episode: episode.started_on or dt.date.min, default=None)

    @cached_property
    def sessions(self) -> list[Session]:
        """Sessions in order of time."""
        return sorted(self.of(Session), key=lambda session: (session.held_on, session.number))

    @cached_property
    def goals(self) -> list[Goal]:
        """Goals that are not retired."""
        return [goal for goal in self.of(Goal) if goal.retired_on is None]

    def ratings(self, goal_id: str) -> list[GoalRating]:
        """Ratings of one goal in order of time."""
        return sorted((rating for rating in self.of(GoalRating) if rating.goal_id == goal_id), key=_rated_on)

    @cached_property
    def relationships(self) -> list[tuple[Relationship, RelationshipStatus | None]]:
        """Relationships with their latest status, the current ones first."""
        statuses = self.of(RelationshipStatus)
        pairs = [
            (
                relationship,
                max(
                    (status for status in statuses if status.relationship_id == relationship.relationship_id),
                    key=lambda status: status.since,
                    default=None,
                ),
            )
            for relationship in self.of(Relationship)
        ]
        return sorted(pairs, key=lambda pair: (not is_current(pair[1]), -_since(pair[1]).toordinal()))

    @cached_property
    def _kept(self) -> dict[type, list[Any]]:
        return {}

    def _records(self, kind: type) -> list[Any]:
        if kind not in self._kept:
            rows = getattr(self.store, KINDS[kind].reader)(client_id=self.client_id)
            names = kind.__dataclass_fields__
            self._kept[kind] = [
                kind(**{name: value for name, value in row.items() if name in names})
                for row in rows.iter_rows(named=True)
            ]
        return self._kept[kind]


def _rated_on(rating: GoalRating) -> dt.date:
    return rating.rated_on


def _since(status: RelationshipStatus | None) -> dt.date:
    return dt.date.min if status is None else status.since


def is_current(status: RelationshipStatus | None) -> bool:
    """Say whether a relationship with this latest status goes on; one without a status does."""
    return status is None or status.status not in ("separated", "ended", "widowed", "single")


def key_of(record: object) -> str:
    """Write what names a record among those of its kind, for an address.

    Examples
    --------
    >>> key_of(GoalRating("G-1", dt.date(2026, 1, 5), 4))
    'G-1~2026-01-05'
    """
    parts = (getattr(record, name) for name in KINDS[type(record)].key)
    return _BETWEEN.join("" if part is None else str(part) for part in parts)


def as_seen(record: object) -> dict[str, str]:
    """Write a record as texts, to be sent along with a form and compared when it comes back."""
    return json.loads(json.dumps({name: str(value) for name, value in asdict(record).items()}))  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form that was filled in asks to write.

    Parameters
    ----------
    records : tuple of Record
        In this order.
    reason : str
        Why what is on record is replaced; a form that asks for it itself leaves this empty.
    """

    records: tuple[Any, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """A short list below a form, collapsed until it is opened."""

    title: str
    points: Sequence[str]
    sources: str = ""


@dataclass(frozen=True, slots=True)
class EntryForm:
    """One form: all there is to declare.

    Parameters
    ----------
    key : str
        In its address.
    title : str
        What is recorded.
    group : str
        Under which heading it is listed; empty for a form that only a link leads to.
    writes : tuple of type
        Kinds of record that it makes, the first one being what it is about. Who may not write them all has no
        such form.
    fields : callable
        Gives the fields, for a client, from the record that is changed (None: a new one) and what was typed.
    draft : callable
        Makes the records, or None when there is more to ask.
    unavailable : callable
        Says why it cannot be filled in yet; empty where it can.
    changes : bool
        Whether it can change what is on record: then it asks for a reason.
    only_changes : bool
        Whether it cannot make anything new.
    needs_client : bool
        Whether it is about a client on record.
    lead : str
        A sentence above the fields.
    button : str
        What pressing the button does.
    permission : str
        Needed to have it at all; empty for none.
    links : callable
        Gives the records that it can change, each with the words of a link to it.
    standing : callable, optional
        Gives the record that it changes where its address names none: the address is the same whether there is one
        or not.
    offered : callable
        Whether there is such a form for a client at all.
    details : callable
        Gives short lists that stand below the fields, folded.
    """

    key: str
    title: str
    group: str
    writes: tuple[type, ...]
    fields: Callable[[Subject, Any, Mapping[str, str]], tuple[Field, ...]]
    draft: Callable[[Subject, Any, Reading, str], Draft | None]
    unavailable: Callable[[Subject], str] = lambda _: ""
    changes: bool = False
    only_changes: bool = False
    needs_client: bool = True
    lead: str = ""
    button: str = "Record"
    permission: str = ""
    links: Callable[[Subject], Sequence[tuple[str, Any]]] = lambda _: ()
    standing: Callable[[Subject], Any] | None = None
    offered: Callable[[Subject], bool] = lambda _: True
    details: Callable[[Subject], Sequence[Details]] = lambda _: ()

    def record(self, subject: Subject, key: str) -> Any:
        """Give the record that an address names, or the current one, or None."""
        if self.standing is not None:
            return self.standing(subject)
        return subject.find(self.writes[0], key) if self.changes and key else None

    @property
    def asks_for_a_reason(self) -> bool:
        """Whether a change needs a reason from whoever makes it; other forms give one by themselves."""
        return self.changes and not self.only_changes


def may_have(form: EntryForm, store: Store) -> bool:
    """Say whether a visitor's account has a form at all, whoever it is about."""
    allowed = not form.permission or store.has_permission(form.permission)  # pyright: ignore[reportArgumentType]
    return allowed and all(store.can_write(kind) for kind in form.writes)


def may_use(form: EntryForm, subject: Subject) -> bool:
    """Say whether a visitor has a form for a client."""
    return may_have(form, subject.store) and form.offered(subject)
