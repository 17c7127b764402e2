"""One table says what each role may do; every reader, writer and door of the record is walked through for each.

A new method of the store, a new kind of record or a new permission that is not in the table makes a test fail: say
first who may have it.
"""

from __future__ import annotations

import contextlib
import inspect
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from mbc.care import caseload, client_review, clinic_report, deidentified_cohort
from mbc.errors import AccessDenied, IdentifierTaken, NotInRecord, StoreError
from mbc.exchange import export_record
from mbc.store import (
    ROLES,
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    FlagResponse,
    Goal,
    GoalRating,
    Homework,
    Permission,
    Record,
    Relationship,
    RelationshipStatus,
    SecondReview,
    Session,
    Store,
)
from mbc.store._aggregate_view import Purpose, counting_view
from mbc.store.access.roles import ACCESS
from mbc.store.askings import AskedSheet, AskingKeys
from mbc.store.audit.log import Audit
from mbc.store.clinic_settings import SignalRules
from mbc.store.reading.entry_readers import EntryReaders
from mbc.store.reading.model_cache import KeptModel
from mbc.store.reading.readers import Readers
from mbc.store.writing.transaction import Writing
from tests.own_questionnaires import unreadable
from tests.store.conftest import GOOD_PASSWORD, entries_of, fill_numbers
from tests.store.writing.test_administration_batch import as_frame

pytestmark = pytest.mark.long

DAY = date(2026, 5, 1)
WHY = "Covering for a colleague who is ill; the client has called"

# Whose things each view meets, by the number of their client (or clinician): "12" those of C1 and C2; "+" it may,
# "-" it may not, "0" it may and meets nobody: these answers are of PHQ-9, of which one raises a flag. Client 1 is
# the clinician's, 1 and 2 are the supervisor's, 3 was opened out of turn by "glass".
TABLE = """
door                     operator clinician clin+safety supervisor sup+safety analyst researcher lead admin glass glass+safety
clients                  123      1         1           12         12         -       -          123  -     3     3
clinicians               123      1         1           12         12         -       -          123  123   3     3
episodes                 123      1         1           12         12         -       -          -    -     3     3
relationships            123      1         1           12         12         -       -          -    -     3     3
statuses                 123      1         1           12         12         -       -          -    -     3     3
sessions                 123      1         1           12         12         -       -          -    -     3     3
administrations          123      1         1           12         12         -       -          -    -     3     3
answers                  123      0         1           0          12         -       -          -    -     0     3
totals                   123      1         1           12         12         -       -          -    -     3     3
provenance               123      1         1           12         12         -       -          -    -     3     3
score_sets               +        +         +           +          +          -       -          -    -     +     +
revision                 +        -         -           -          -          -       -          -    -     -     -
care_revision            +        +         +           +          +          -       -          -    -     +     +
care_states              123      1         1           12         12         -       -          -    -     3     3
administrations_to_score                 123      1         1           12         12         -       -          -    -     3     3
definitions              +        +         +           +          +          -       -          +    -     +     +
keep_scores              +        -         -           -          -          -       -          -    -     -     -
measured                 +        -         -           -          -          -       -          -    -     -     -
kept_models              +        -         -           -          -          -       -          -    -     -     -
claim_model              +        -         -           -          -          -       -          -    -     -     -
keep_model               +        -         -           -          -          -       -          -    -     -     -
goals                    123      1         1           12         12         -       -          -    -     3     3
goal_ratings             123      1         1           12         12         -       -          -    -     3     3
events                   123      1         1           12         12         -       -          -    -     3     3
homework                 123      1         1           12         12         -       -          -    -     3     3
small_wins               123      1         1           12         12         -       -          -    -     3     3
conflicts                123      1         1           12         12         -       -          -    -     3     3
alliance_ruptures        123      1         1           12         12         -       -          -    -     3     3
couples_readiness        123      1         1           12         12         -       -          -    -     3     3
decision_clarity         123      1         1           12         12         -       -          -    -     3     3
demographics             123      -         -           -          -          -       -          -    -     -     -
imagined_partner_views   123      1         1           12         12         -       -          -    -     3     3
releases_of_information  123      1         1           12         12         -       -          -    -     3     3
planned_measures         123      1         1           12         12         -       -          -    -     3     3
measure_pauses           123      1         1           12         12         -       -          -    -     3     3
pattern_tags             123      1         1           12         12         -       -          -    -     3     3
support_networks         123      1         1           12         12         -       -          -    -     3     3
signals                  123      1         1           12         12         -       -          -    -     3     3
signal_answers           123      1         1           12         12         -       -          -    -     3     3
safety_flags             123      -         1           -          12         -       -          123  -     -     3
safety_plans             123      -         1           -          12         -       -          123  -     -     3
duties_to_report         123      -         1           -          12         -       -          123  -     -     3
couples_contraindications 123      -         1           -          12         -       -          123  -     -     3
flag_responses           123      -         1           -          12         -       -          123  -     -     3
second_reviews           123      -         1           -          12         -       -          123  -     -     3
safety_changes           123      -         1           -          12         -       -          123  -     -     3
administrations:safety   123      -         1           -          12         -       -          123  -     -     3
answers:safety           123      -         1           -          12         -       -          123  -     -     3
totals:safety            123      -         1           -          12         -       -          123  -     -     3
provenance:safety        123      -         1           -          12         -       -          123  -     -     3
keep_definition          +        -         -           -          -          -       -          -    -     -     -
write:Clinician          +        -         -           -          -          -       -          -    +     -     -
write:Client             123      1         1           -          -          -       -          -    -     -     -
write:Episode            123      1         1           -          -          -       -          -    -     -     -
write:Relationship       123      1         1           -          -          -       -          -    -     -     -
write:RelationshipStatus 123      1         1           -          -          -       -          -    -     -     -
write:Session            123      1         1           -          -          -       -          -    -     -     -
write:Administration     123      1         1           -          -          -       -          -    -     -     -
write:safety             123      -         1           -          -          -       -          -    -     -     -
write:SafetyPlan         123      -         1           -          -          -       -          -    -     -     -
write:DutyToReport       123      -         1           -          -          -       -          -    -     -     -
write:CouplesContraindication 123      -         1           -          -          -       -          -    -     -     -
write:FlagResponse       123      -         1           -          -          -       -          -    -     -     -
write:SafetyChange       123      -         1           -          -          -       -          -    -     -     -
write:SecondReview       123      -         1           -          -          -       -          -    -     -     -
write:Goal               123      1         1           -          -          -       -          -    -     -     -
write:GoalRating         123      1         1           -          -          -       -          -    -     -     -
write:Event              123      1         1           -          -          -       -          -    -     -     -
write:Homework           123      1         1           -          -          -       -          -    -     -     -
write:SmallWin           123      1         1           -          -          -       -          -    -     -     -
write:RelationshipConflict 123      1         1           -          -          -       -          -    -     -     -
write:AllianceRupture    123      1         1           -          -          -       -          -    -     -     -
write:CouplesReadiness   123      1         1           -          -          -       -          -    -     -     -
write:DecisionClarity    123      1         1           -          -          -       -          -    -     -     -
write:Demographics       123      -         -           -          -          -       -          -    -     -     -
write:ImaginedPartnerView 123      1         1           -          -          -       -          -    -     -     -
write:ReleaseOfInformation 123      1         1           -          -          -       -          -    -     -     -
write:PlannedMeasure     123      1         1           -          -          -       -          -    -     -     -
write:MeasurePause       123      1         1           -          -          -       -          -    -     -     -
write:PatternTag         123      1         1           -          -          -       -          -    -     -     -
write:SupportNetwork     123      1         1           -          -          -       -          -    -     -     -
write:Signal             123      1         1           -          -          -       -          -    -     -     -
write:SignalAnswer       123      1         1           -          -          -       -          -    -     -     -
add_all                  123      1         1           -          -          -       -          -    -     -     -
add_frame                123      1         1           -          -          -       -          -    -     -     -
add_frame:safety          123      -         1           -          -          -       -          -    -     -     -
retire_goal              123      1         1           -          -          -       -          -    -     -     -
end_episode              123      1         1           -          -          -       -          -    -     -     -
withdraw                 123      1         1           -          -          -       -          -    -     -     -
withdraw:safety          123      0         1           -          -          -       -          -    -     -     -
undo                     123      1         1           -          -          -       -          -    -     -     -
withdraw_entry           123      1         1           -          -          -       -          -    -     -     -
acknowledge              123      -         1           -          12         -       -          123  -     -     3
respond                  123      -         1           -          12         -       -          123  -     -     3
confirm                  123      -         1           -          12         -       -          123  -     -     3
preview                  123      1         1           -          -          -       -          -    -     -     -
askings                  123      1         1           12         12         -       -          -    -     3     3
ask                      123      1         1           -          -          -       -          -    -     -     -
ask:safety               123      -         1           -          -          -       -          -    -     -     -
withdraw_asking          123      1         1           -          -          -       -          -    -     -     -
has_stopped_askings      +        +         +           +          +          -       -          -    -     +     +
asking_public_key        +        +         +           -          -          -       -          -    -     -     -
asking_keys              +        -         -           -          -          -       -          -    -     -     -
asked_sheets             +        -         -           -          -          -       -          -    -     -     -
note_progress            +        -         -           -          -          -       -          -    -     -     -
note_reminder            +        -         -           -          -          -       -          -    -     -     -
as_user                  +        -         -           -          -          -       -          -    -     -     -
from_origin              +        -         -           -          -          -       -          -    -     -     -
prepared_for             +        -         -           -          -          -       -          -    -     -     -
narrowed_to              123      1         1           12         12         -       -          123  -     3     3
accounts                 +        -         -           -          -          -       -          -    +     -     -
retention_due            +        -         -           -          -          -       -          -    +     -     -
signal_rules             +        +         +           +          +          +       +          +    +     +     +
set_signal_rules         +        -         -           -          -          -       -          -    +     -     -
second_person_items      +        -         +           -          +          -       -          +    +     -     +
set_second_person_items  +        -         -           -          -          -       -          -    +     -     -
caseloads                123      -         -           -          -          -       -          -    123   -     -
assign                   +        -         -           -          -          -       -          -    +     -     -
verify                   +        -         -           -          -          -       -          -    +     -     -
erase                    +        -         -           -          -          -       -          -    +     -     -
erased                   +        +         +           -          -          -       -          -    -     -     -
backup                   +        -         -           -          -          -       -          -    -     -     -
belongs_to_other_record            +        -         -           -          -          -       -          -    -     -     -
audit.entries            +        -         -           -          -          -       -          -    +     -     -
audit.entries:safety     +        -         -           -          -          -       -          -    -     -     -
audit.verify             +        -         -           -          -          -       -          -    +     -     -
break_glass              -        23        23          3          3          -       -          123  -     -     -
break_glass:safety       -        123       23          123        3          -       -          123  -     -     -
open_break_glass_view            -        123       23          123        3          -       -          123  -     -     -
break_glass_log             +        +         +           +          +          -       -          +    +     -     -
counting:outcomes        123      1         1           12         12         123     -          -    -     -     -
counting:cohort          123      -         -           -          -          -       123        -    -     -     -
counting:comparison      123      -         -           -          -          -       -          -    -     -     -
clinic_report            +        +         +           +          +          -       -          -    -     -     -
releases                 +        -         -           -          -          +       -          -    -     -     -
add_release              +        -         -           -          -          -       -          -    -     -     -
require_unreleased       +        -         -           -          -          +       -          -    -     -     -
require_publisher        +        -         -           -          -          -       -          -    -     -     -
episode_digests          +        -         -           -          -          -       -          -    -     -     -
counted_in_releases      +        -         -           -          -          -       -          -    -     -     -
deidentified_cohort      +        -         -           -          -          -       +          -    -     -     -
client_review            123      1         1           12         12         -       -          -    -     3     3
caseload                 123      1         1           12         12         -       -          -    -     3     3
export                   123      1         1           12         12         -       -          -    -     -     -
export:safety            123      -         1           -          12         -       -          -    -     -     -
"""  # fmt: skip  # noqa: E501

_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
VIEWS = _HEAD[1:]
EXPECTED = {name: dict(zip(VIEWS, marks, strict=True)) for name, *marks in _ROWS}

# Methods that tell nothing of a client, and why they are in no row.
BESIDE = {
    Store: {
        "open", "create",  # whoever has the address and the password of the database is the operator
        "close", "url", "user", "has_permission", "can_read", "can_write", "open_until",  # about the view
        "reach",  # itself
        "snapshot",  # reads nothing by itself
        "writing",  # what may be added is walked by kind
        "require_reachable", "database_faults",  # for monitors: whether the database answers, and is sound
        "retention_years", "set_retention_years",  # a number of years, in tests/attack/test_retention.py
        "release",  # one of the releases
        "own_account",  # one's own, in tests/attack/test_sign_in.py
        "audit",  # adding is for everybody; reading is walked
        "break_glass_records", "end_break_glass",  # one's own, in tests/store/accounts/test_break_glass.py
    },
    Writing: {
        "add", "summary", "only_named", "may_keep_definitions",
        "written_together",  # for who may write both kinds, which is walked by kind
    },
    Audit: {"line", "record"},
}  # fmt: skip


class Undone(Exception):
    """Takes a writing back."""


def records_of(number: str) -> dict[str, Any]:
    client = f"C{number}"
    return {
        "write:Client": Client(client, "another label", f"T{number}", date(2026, 1, 2)),
        "write:Episode": Episode(f"{client}-E2", client),
        "write:Relationship": Relationship(f"{client}-R2", client, "R2"),
        "write:RelationshipStatus": RelationshipStatus(client, "separated", DAY, f"{client}-R1"),
        "write:Session": Session(client, f"{client}-E1", 2, DAY),
        "write:Administration": Administration(client, "rses", DAY, (1, 2)),
        "write:safety": Administration(client, "hits", DAY, (1, 2), channel="safety"),
        "write:Goal": Goal(f"{client}-G2", client, "rest", DAY),
        "write:GoalRating": GoalRating(f"{client}-G1", DAY, 6),
        "write:Event": Event(f"{client}-V2", client, DAY, "work", "new work"),
        **{f"write:{type(entry).__name__}": entry for entry in entries_of(client, DAY, "2")},
        "write:FlagResponse": FlagResponse(int(number), "i9", client, DAY, "asked, and a plan was made"),
        "write:SecondReview": SecondReview(int(number), "i9", client, DAY),
    }


def whose(values: Iterable[str]) -> str:
    return "".join(sorted({value[1] for value in values})) or "0"


def allowed(do: Callable[[], object]) -> str:
    try:
        do()
    except AccessDenied:
        return "-"
    return "+"


def one_by_one(do: Callable[[str], object]) -> str:
    """Try each client: refused as a whole, or somebody else's does not exist."""
    reached, denied = "", 0
    for number in "123":
        try:
            do(number)
            reached += number
        except AccessDenied:
            denied += 1
        except (NotInRecord, IdentifierTaken, StoreError):
            continue
    return reached or ("-" if denied else "0")


def met(whole: Store, mine: Store, door: str, folder: Path) -> str:
    """What one view meets behind one door, in the words of the table."""
    name, _, part = door.partition(":")
    try:
        if door in ANSWERED:
            return allowed(lambda: ANSWERED[door](mine))
        if name in WRITTEN:
            return written(mine, WRITTEN[name](whole, part))
        if name in TRIED:
            return one_by_one(lambda n: TRIED[name](mine, f"C{n}", part == "safety"))
        if name in COUNTED:
            return whose(COUNTED[name](mine, part, folder))
        frame = getattr(mine, name)(channel="safety") if part == "safety" else getattr(mine, name)()
        return whose(frame["clinician_id" if name == "clinicians" else "client_id"])
    except AccessDenied:
        return "-"


def none_erased(mine: Store) -> None:
    """Ask for somebody who is not there: whoever may erase is told so."""
    with pytest.raises(NotInRecord, match="Nothing was erased"):
        mine.erase("C9", reason="a request")


def backed_up(mine: Store) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mine.backup(Path(folder) / "b")


Write = Callable[[Writing, str], object]
PERIOD = {"start": date(2026, 1, 1), "end": date(2026, 3, 31)}
ANSWERED: dict[str, Callable[[Store], object]] = {
    "write:Clinician": lambda mine: taken_back(mine, lambda record: record.add(Clinician("T9", "new"))),
    "as_user": lambda mine: mine.as_user("admin"),
    "prepared_for": lambda mine: mine.prepared_for("admin"),
    "from_origin": lambda mine: mine.from_origin("203.0.113.9"),
    "accounts": lambda mine: mine.accounts.table(),
    "verify": lambda mine: mine.verify(),
    "erase": none_erased,
    "score_sets": lambda mine: mine.score_sets(),
    "definitions": lambda mine: mine.definitions(),
    "keep_definition": lambda mine: taken_back(mine, lambda record: record.keep_definition(unreadable("own"))),
    "revision": lambda mine: mine.revision(),
    "care_revision": lambda mine: mine.care_revision(),
    "keep_scores": lambda mine: mine.keep_scores([]),
    "measured": lambda mine: mine.measured(),
    "kept_models": lambda mine: mine.kept_models(),
    "claim_model": lambda mine: mine.claim_model("rses", "total"),
    "keep_model": lambda mine: mine.keep_model(
        KeptModel("rses", "total", datetime.now(UTC), DAY, "0.0", "", "{}")
    ),
    "has_stopped_askings": lambda mine: mine.has_stopped_askings("C1"),
    "asking_public_key": lambda mine: mine.asking_public_key(AskingKeys("ab" * 32, "cd" * 32)),
    "asking_keys": lambda mine: mine.asking_keys(),
    "asked_sheets": lambda mine: asked_of_operator(mine),  # noqa: PLW0108 - defined below
    "note_progress": lambda mine: mine.note_progress("no such asking", {}, collected=False),
    "note_reminder": lambda mine: mine.note_reminder("no such asking", sent_before=0),
    "signal_rules": lambda mine: mine.signal_rules(),
    "set_signal_rules": lambda mine: mine.set_signal_rules(SignalRules()),
    "second_person_items": lambda mine: mine.second_person_items(),
    "set_second_person_items": lambda mine: mine.set_second_person_items(["phq9.i9"]),
    "retention_due": lambda mine: mine.retention_due(DAY, years=1),
    "assign": lambda mine: mine.assign(["C1"], "T1", reason="as before"),
    "erased": lambda mine: mine.erased(["C9"]),
    "backup": backed_up,
    "belongs_to_other_record": lambda mine: mine.belongs_to_other_record("no such file"),
    "audit.entries": lambda mine: mine.audit.entries(),
    "audit.entries:safety": lambda mine: mine.audit.entries(include_safety=True),
    "audit.verify": lambda mine: mine.audit.verify(),
    "break_glass_log": lambda mine: mine.break_glass_log(),
    "clinic_report": lambda mine: clinic_report(mine, **PERIOD),
    "releases": lambda mine: mine.releases(),
    "add_release": lambda mine: mine.add_release("tried", date(1999, 1, 1), date(1999, 3, 31), {}, counted=[]),
    "require_unreleased": lambda mine: mine.require_unreleased("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
    "require_publisher": lambda mine: mine.require_publisher("releases are made"),
    "episode_digests": lambda mine: mine.episode_digests(),
    "counted_in_releases": lambda mine: mine.counted_in_releases(),
    "deidentified_cohort": deidentified_cohort,
}
WRITTEN: dict[str, Callable[[Store, str], Write]] = {
    "write": lambda _, kind: lambda record, n: record.add(records_of(n)[f"write:{kind}"], supersede="tried"),
    "add_all": lambda *_: lambda record, n: record.add_all(list(records_of(n).values())[1:4]),
    "add_frame": lambda _, kind: lambda record, n: record.add_frame(frame_of(n, kind or "Administration")),
    "retire_goal": lambda *_: lambda record, n: record.retire_goal(f"C{n}-G1", on=DAY, reason="reached"),
    "end_episode": lambda *_: lambda record, n: record.end_episode(f"C{n}-E1", on=DAY, ending="agreed"),
    "withdraw": lambda whole, channel: (
        lambda record, n: record.withdraw(number_of(whole, f"C{n}", channel), client_id=f"C{n}", reason="tried")
    ),
    "withdraw_entry": lambda *_: lambda record, n: record.withdraw_entry(Event, f"C{n}-V1", reason="tried"),
    "undo": lambda *_: lambda record, n: record.undo(Homework, f"C{n}-H1"),
    "acknowledge": lambda whole, _: lambda record, n: record.acknowledge(flags_of(whole)[f"C{n}"], "i9"),
    "respond": lambda whole, _: acknowledged(
        whole, lambda record, number: record.respond(number, "i9", "asked again", supersede="tried")
    ),
    "confirm": lambda whole, _: acknowledged(whole, lambda record, number: record.confirm(number, "i9", on=DAY)),
}
TRIED: dict[str, Callable[[Store, str, bool], object]] = {
    "break_glass": lambda mine, client, safety: mine.break_glass(client, reason=WHY, safety=safety),
    "open_break_glass_view": lambda mine, client, _: opened_before(mine, client),
    "client_review": lambda mine, client, _: client_review(mine, client),
    "ask": lambda mine, client, safety: asked(mine, client, safety=safety),
    "withdraw_asking": lambda mine, client, _: mine.withdraw_asking(asking_of(mine, client)),
}
COUNTED: dict[str, Callable[[Store, str, Path], Iterable[str]]] = {
    "preview": lambda mine, *_: previewed(mine),
    "narrowed_to": lambda mine, *_: mine.narrowed_to(["C1", "C2", "C3", "C9"]).clients()["client_id"],
    "care_states": lambda mine, *_: mine.care_states(),
    "counting": lambda mine, part, _: counting_view(mine, PURPOSES[part]).clients()["client_id"],
    "administrations_to_score": lambda mine, *_: mine.administrations_to_score([]).answers["client_id"],
    "caseload": lambda mine, *_: [row.client_id for row in caseload(mine).rows],
    "export": lambda mine, part, folder: exported(mine, folder, safety=part == "safety"),
}
PURPOSES: dict[str, Purpose] = {
    "outcomes": "clinic outcomes", "cohort": "de-identified cohort", "comparison": "comparison of clinicians",
}  # fmt: skip


def acknowledged(whole: Store, do: Callable[[Writing, int], object]) -> Write:
    """What is done once somebody has acknowledged every flag."""
    numbers = flags_of(whole)
    for number in numbers.values():
        with contextlib.suppress(NotInRecord), whole.writing(by="somebody") as record:
            record.acknowledge(number, "i9")
    return lambda record, n: do(record, numbers[f"C{n}"])


def taken_back(mine: Store, do: Callable[[Writing], object]) -> None:
    """Write, and leave no trace of it on record."""
    with contextlib.suppress(Undone), mine.writing() as record:
        do(record)
        raise Undone


def written(mine: Store, do: Write) -> str:
    return one_by_one(lambda n: taken_back(mine, lambda record: do(record, n)))


def opened_before(mine: Store, client_id: str) -> Store:
    try:
        return mine.open_break_glass_view(client_id)
    except NotInRecord:  # nobody has opened it: for this column that is a no
        if mine.break_glass_records():
            raise
        raise AccessDenied from None


def asked(mine: Store, client_id: str, *, safety: bool = False) -> str:
    kinds = [("rses", "care"), *([("hits", "safety")] if safety else [])]
    sheets = [AskedSheet(key, "1", "standard", "0-3", channel, "{}") for key, channel in kinds]
    return mine.ask(client_id, sheets, language="en", expires_at=datetime(2026, 6, 1, tzinfo=UTC))


def asked_of_operator(mine: Store) -> None:
    with contextlib.suppress(NotInRecord):
        mine.asked_sheets("no such asking")


def asking_of(mine: Store, client_id: str) -> str:
    """The first that was asked, for everybody alike; who sees none names one that does not exist."""
    return next(iter(mine.askings(client_id)["asking_id"]), "no such asking")


def previewed(mine: Store) -> list[str]:
    asked = [records_of(n)["write:Administration"] for n in "123"]
    return [
        one.client_id for one, seen in zip(asked, mine.preview(asked), strict=True) if seen.outcome == "stored"
    ]


def frame_of(number: str, kind: str) -> pl.DataFrame:
    return as_frame([records_of(number)[f"write:{kind}"]])


def flags_of(whole: Store) -> dict[str, int]:
    return dict(whole.safety_flags().select("client_id", "administration_id").iter_rows())


def number_of(whole: Store, client_id: str, channel: str) -> int:
    if channel == "safety":
        return whole.administrations(client_id=client_id, channel="safety")["administration_id"][0]
    return flags_of(whole)[client_id]


def exported(mine: Store, folder: Path, *, safety: bool) -> list[str]:
    place = folder / "out"
    export_record(mine, place, include_safety=safety, scores=False, force=place.exists())
    text = "".join(file.read_text(encoding="utf-8") for file in place.rglob("*.csv"))
    assert ("hits_1" in text) is safety
    return [name for name in ("C1", "C2", "C3") if name in text]


@pytest.fixture
def three(filled) -> Store:
    return filled(fill_three)


def fill_three(store: Store) -> None:
    with store.writing(by="intake") as record:
        fill_numbers(record, (1, 2, 3))
    flags = [
        made
        for client, number in flags_of(store).items()
        for made in (FlagResponse(number, "i9", client, DAY, "asked"), SecondReview(number, "i9", client, DAY))
    ]
    with store.writing(by="intake") as record:
        record.add_all(flags)
    for number in "123":
        asked(store, f"C{number}")
    apart = {"permissions": ["safety:read"]}
    add = store.accounts.add
    add("clinician", GOOD_PASSWORD, "clinician", "T1")
    add("clin.safety", GOOD_PASSWORD, "clinician", "T1", **apart)
    add("supervisor", GOOD_PASSWORD, "supervisor", "T1", supervises=["T2"])
    add("sup.safety", GOOD_PASSWORD, "supervisor", supervises=["T1", "T2"], **apart)
    for name, role in (("analyst", "analyst"), ("researcher", "researcher"), ("lead", "safety_lead")):
        add(name, GOOD_PASSWORD, role)
    add("admin", GOOD_PASSWORD, "administrator")


def view(whole: Store, name: str) -> Store:
    if name == "operator":
        return whole
    if name.startswith("glass"):
        return whole.as_user("clinician").break_glass("C3", reason=WHY, safety="safety" in name)
    return whole.as_user(name.replace("+", "."))


# The others stay: each role once, a clinician who may read safety data and one who opened a record out of turn.
LATER_VIEWS = {"operator", "sup+safety", "glass+safety"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LATER_VIEWS)) for name in VIEWS]
)
def test_every_door_opens_for_each_role_as_the_table_says(three, tmp_path, name):
    mine = view(three, name)
    differing = {
        door: (seen, marks[name])
        for door, marks in EXPECTED.items()
        if (seen := met(three, mine, door, tmp_path)) != marks[name]
    }
    assert differing == {}, "door: (what the view met, what the table says)"
    assert three.verify().intact


def test_the_table_names_every_role():
    assert len(VIEWS) == len(set(VIEWS))
    named = {"clinician", "supervisor", "analyst", "researcher", "lead", "admin"}
    assert named <= set(VIEWS)
    assert len(named) == len(ROLES) == len(ACCESS)


def test_the_table_names_every_door():
    doors = {name.partition(":")[0].rpartition(".")[2] for name in EXPECTED}
    for kind, beside in BESIDE.items():
        public = {name for name in dir(kind) if not name.startswith("_")}
        missing = public - doors - beside
        assert not missing, f"{kind.__name__} has doors that no row of the table names: say who may use them"
        assert beside <= public, f"{kind.__name__}: {beside - public} is gone"


def test_the_table_names_every_kind_of_record_and_every_channel():
    kinds = {kind.__name__ for kind in get_args(Record)}
    assert {name.removeprefix("write:") for name in EXPECTED if name.startswith("write:")} == kinds | {"safety"}
    readers = {name for name in (*vars(EntryReaders), *vars(Readers)) if not name.startswith("_")}
    apart = {name for name in readers if "channel" in inspect.signature(getattr(Readers, name)).parameters}
    assert {f"{name}:safety" for name in apart} <= EXPECTED.keys()


def test_every_permission_opens_something():
    needed = {
        "safety:read": "safety_flags", "aggregate:read": "counting:outcomes", "cohort:read": "counting:cohort",
        "accounts:manage": "accounts", "audit:read": "audit.entries", "clients:erase": "erase",
        "caseloads:manage": "caseloads", "demographics:read": "demographics",
        "clinicians:compare": "counting:comparison",
    }  # fmt: skip
    assert needed.keys() == set(get_args(Permission))
    by_role = {permission for role in ACCESS.values() for permission in role.permissions}
    assert by_role == needed.keys() - {"demographics:read", "clinicians:compare"}  # granted person by person


def test_each_column_can_fail(three, tmp_path):
    """A table that any store fulfils says nothing: with one permission more, the walk notices."""
    assert (
        met(three, view(three, "clin+safety"), "safety_flags", tmp_path) != EXPECTED["safety_flags"]["clinician"]
    )
    assert met(three, view(three, "supervisor"), "goals", tmp_path) != EXPECTED["goals"]["clinician"]
