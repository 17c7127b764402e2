"""How answers come from the box on record: opened with the private key, written by the record's own rules."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mbc.box.box import Box
from mbc.box.content import Progress, Sheet, State
from mbc.box.seal import KeyPair, unseal
from mbc.care.askings.sheets import administration
from mbc.errors import MbcError, NotInRecord
from mbc.store import Administration, GoalRating, Store
from mbc.store.askings import GOAL, AskedSheet

_ANOTHER_RATING = "the client's own rating, given later on the same day"
_CLOCKS_DIFFER = timedelta(hours=1)  # the box's clock may be slower: there it can still be answered
_KEPT_AFTER_END = timedelta(days=30)  # an asking that nobody answered leaves the box so long after it ended


@dataclass(slots=True)
class Collected:
    """What collecting did."""

    answered: int = 0  # askings whose answers are on record from now on
    stored: int = 0  # administrations and ratings of goals
    duplicates: int = 0  # of these, what was on record already
    clients: set[str] = field(default_factory=set[str])  # whose answers these are
    stopped: list[str] = field(default_factory=list[str])  # clients who want no more askings
    faults: list[str] = field(default_factory=list[str])  # what could not be written, and why; it stays in the box


def collect(store: Store, box: Box, *, now: datetime | None = None, day: date | None = None) -> Collected:
    """Bring states and answers from the box on record; run twice, it writes once.

    An asking leaves the box when its answers are on record. If this is interrupted at any step, the next run goes
    on: what is written already counts as a duplicate.

    Parameters
    ----------
    store : Store
        The record, as the operator has it.
    box : Box
        Where the answers are.
    now : datetime, optional
        The moment.
    day : date, optional
        The day that the answers are dated by, instead of the one on which they were sent: the demo has its own.

    Raises
    ------
    AccessDenied
        If this is a user's view.
    """
    moment, result = now or datetime.now(UTC), Collected()
    keys = [KeyPair(bytes.fromhex(key.public), bytes.fromhex(key.private)) for key in store.asking_keys()]
    for progress in box.progress():
        try:
            _collect_asking(store, box, progress, keys, moment, result, day)
        except MbcError as fault:
            result.faults.append(f"Request {progress.asking_id}: {fault}")
    return result


def asking_states(
    store: Store, client_id: str | None = None, *, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Give the askings of a client, or of everybody, with their states."""
    moment = now or datetime.now(UTC)
    return [{**row, "state": _state(row, moment)} for row in store.askings(client_id).iter_rows(named=True)]


def _state(row: dict[str, Any], now: datetime) -> State:
    names = ("made_at", "expires_at", "opened_at", "begun_at", "answered_at", "stopped_at", "withdrawn_at")
    return Progress(row["asking_id"], *(row[name] for name in names)).state(now)


def _collect_asking(
    store: Store,
    box: Box,
    progress: Progress,
    keys: list[KeyPair],
    now: datetime,
    result: Collected,
    day: date | None,
) -> None:
    asking_id, state = progress.asking_id, progress.state(now)
    moments = {name: value for name, value in asdict(progress).items() if name.endswith("_at")}
    try:
        client_id, sheets = store.asked_sheets(asking_id)
    except NotInRecord:
        erased = asking_id in box.erasing()
        if erased or (state != "answered" and now > progress.expires_at + _KEPT_AFTER_END):
            box.discard(asking_id)
        elif state == "answered":
            raise NotInRecord(
                "it was answered, but this record does not contain the request. The answers stay in the box."
            ) from None
        return
    if state == "answered":
        sealed = box.sealed(asking_id)
        if not sealed and not box.holds(asking_id):
            return  # somebody else has collected it meanwhile
        _write(store, _answers(sealed, asking_id, client_id, sheets, keys), day, result)
        store.note_progress(asking_id, moments, collected=True)
        box.discard(asking_id)
        result.answered += 1
        result.clients.add(client_id)
        return
    store.note_progress(asking_id, moments, collected=False)
    if state == "stopped":
        result.stopped.append(client_id)
        for other in asking_states(store, client_id, now=now):
            if other["state"] in ("made", "opened", "begun"):
                box.withdraw(other["asking_id"])
                store.withdraw_asking(other["asking_id"])
        box.discard(asking_id, answered=False)
    elif state == "withdrawn" or (state == "expired" and now > progress.expires_at + _CLOCKS_DIFFER):
        box.discard(asking_id, answered=False)


def _write(store: Store, taken: list[Administration | GoalRating], day: date | None, result: Collected) -> None:
    dated = [each if day is None else _dated(each, day) for each in taken]
    with store.writing(by="questionnaire") as record:
        outcomes = record.add_all(each for each in dated if isinstance(each, Administration))
        ratings = [each for each in dated if isinstance(each, GoalRating)]
        outcomes += record.add_all(ratings, supersede=_ANOTHER_RATING) if ratings else []
    result.stored += sum(outcome != "duplicate" for outcome in outcomes)
    result.duplicates += outcomes.count("duplicate")


def _answers(
    sealed: list[bytes], asking_id: str, client_id: str, sheets: list[AskedSheet], keys: list[KeyPair]
) -> list[Administration | GoalRating]:
    """Open the answers of an asking.

    Raises
    ------
    MbcError
        If one cannot be opened, belongs to another asking, or is no answer to its question.
    """
    contents = [_unseal(keys, each) for each in sealed]
    if any(content.get("asking") != asking_id for content in contents):
        raise MbcError("a sealed answer belongs to another request: it was moved. Nothing from it was saved.")
    sent = [content["sent"] for content in contents if "sent" in content]
    if len(sent) != 1:
        raise MbcError("the mark that it was submitted is missing. Nothing from it was saved.")
    sent_at = datetime.fromisoformat(sent[0])
    answers = {content["place"]: content["value"] for content in contents if "place" in content}
    taken: list[Administration | GoalRating | None] = []
    first = 0
    for asked in sheets:
        questions = Sheet.from_json(asked.wording).questions
        own = {place: answers.get(first + place) for place in range(len(questions))}
        for place, value in own.items():
            if value is not None and not questions[place].accepts(value):
                raise MbcError(f"{value!r} is not an answer to question {place + 1} of {asked.instrument}.")
        is_goal = asked.instrument == GOAL
        taken.append(
            _rating(asked, own[0], sent_at) if is_goal else administration(client_id, asked, own, sent_at)
        )
        first += len(questions)
    return [each for each in taken if each is not None]


def _rating(asked: AskedSheet, value: float | None, sent_at: datetime) -> GoalRating | None:
    """Make the rating of a goal; None where it was left blank."""
    return None if value is None else GoalRating(asked.target, sent_at.astimezone().date(), value)


def _dated(taken: Administration | GoalRating, day: date) -> Administration | GoalRating:
    if isinstance(taken, GoalRating):
        return replace(taken, rated_on=day)
    moment = None if taken.taken_at is None else datetime.combine(day, taken.taken_at.timetz())
    return replace(taken, taken_on=day, taken_at=moment)


def _unseal(keys: list[KeyPair], sealed: bytes) -> dict[str, Any]:
    for pair in keys[:-1]:
        try:
            return unseal(pair, sealed)
        except MbcError:
            continue
    if not keys:
        raise MbcError("this record has no key to decrypt answers.")
    return unseal(keys[-1], sealed)
