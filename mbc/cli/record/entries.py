"""Commands of the entries whose record says by itself what is asked: one declaration each."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import click

from mbc.cli.record.care import relationship_named
from mbc.cli.record.write import Made, as_option, day_option, store_option, supersede_option, today, write
from mbc.errors import NotInRecord
from mbc.store import (
    AllianceRupture,
    CouplesContraindication,
    CouplesReadiness,
    DecisionClarity,
    Demographics,
    DutyToReport,
    Event,
    FlagResponse,
    Homework,
    ImaginedPartnerView,
    MeasurePause,
    PatternTag,
    PlannedMeasure,
    RelationshipConflict,
    ReleaseOfInformation,
    SafetyPlan,
    SecondReview,
    SmallWin,
    Store,
    SupportNetwork,
)
from mbc.store.schema.field_types import FieldType, field_types
from mbc.store.schema.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class EntrySpec:
    """What a command of one kind of entry asks for."""

    name: str
    record: type
    help: str
    words: tuple[str, ...]  # fields that follow the client on the line
    options: Mapping[str, str]  # field -> its explanation
    prefix: str = ""  # of identifiers that are made here; empty: the kind is named by client and day
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def plans(self) -> bool:
        """Whether it may be of a day to come."""
        return self.record in (PlannedMeasure, MeasurePause)

    @property
    def kind(self) -> Kind:
        """The declaration of the kind."""
        return KINDS[self.record]

    @property
    def own_key(self) -> str | None:
        """The field that names an entry, where it is made here."""
        return self.kind.key[0] if self.prefix else None


_SPECS = (
    EntrySpec(
        "homework", Homework, "Record homework. Later, with --id, record how it went.", ("task",),
        {
            "completion": "How it went.", "helpful": "How helpful, 0 to 10.",
            "reviewed_on": "Date on which it was reviewed.",
        }, "H",
    ),
    EntrySpec("win", SmallWin, "Record a small win.", ("label",), {}, "W"),
    EntrySpec(
        "conflict", RelationshipConflict, "Record a conflict, or several in the same period with --count.", (),
        {
            "intensity": "Strength, 0 to 10; of several, the strongest.", "repaired": "Whether it was repaired.",
            "hours_to_repair": "Hours until it was repaired.", "count": "How many conflicts; default: 1.",
            "relationship_id": "In which relationship, by its label.",
        }, "K",
    ),
    EntrySpec(
        "event", Event, "Record an event in the client's life.", ("label",),
        {"kind": "What it is about, such as work or family.", "valence": "How the client experienced it."}, "V",
        {"kind": "other"},
    ),
    EntrySpec(
        "rupture", AllianceRupture, "Record a rupture of the alliance; later, its repair with --id.", ("label",),
        {
            "kind": "Withdrawal, confrontation or both.", "repaired": "Whether it was repaired.",
            "repaired_on": "Day of the repair.",
        }, "A",
    ),
    EntrySpec(
        "readiness", CouplesReadiness, "Record readiness for couples work, 0 to 10.", ("rating",),
        {"reasons": "Reason, in brief."},
    ),
    EntrySpec(
        "clarity", DecisionClarity, "Record clarity about a decision, 0 to 10.", ("rating",),
        {"decision": "What the decision is about, in brief."},
    ),
    EntrySpec(
        "demographics", Demographics,
        "Record demographics, in the clinic's own codes, for groups in releases. Needs the permission.", (),
        {
            "age_band": "Such as 25-34.", "gender": "Code.", "ethnicity": "Code.", "payer": "Payer.",
            "modality": "Mode of care.", "approach": "The therapist's approach.",
            "relationship_structure": "Code.",
        },
    ),
    EntrySpec(
        "partner-view", ImaginedPartnerView,
        "Record how the client thinks the partner would rate it, 0 to 10. Never the partner's own answer.",
        ("relationship_id", "rating"), {"aspect": "What is rated; default: the relationship."},
    ),
    EntrySpec(
        "release", ReleaseOfInformation,
        "Record that the client agreed to share scores: SCALES such as 'rses csi16.total'.",
        ("recipient", "scales"),
        {
            "purpose": "Purpose.", "expires_on": "Last day on which it is valid.",
            "covers_from": "First day of the scores.", "covers_to": "Last day of the scores.",
            "withdrawn_on": "Day on which the client withdrew it.", "withdrawn_reason": "Why.",
        }, "L",
    ),
    EntrySpec(
        "measure", PlannedMeasure,
        "Plan a questionnaire: at an interval of days or sessions, or before certain sessions.",
        ("instrument",),
        {
            "every_days": "Interval in days.", "every_sessions": "Interval in sessions.",
            "ends_on": "Last day; default: open.", "before_sessions": "Before these sessions, such as '1 8 16'.",
            "baseline_askings": "Times in the first fortnight; more reduce the error of every later change.",
        },
    ),
    EntrySpec(
        "pause", MeasurePause, "Record a pause in the plan of measures.", (),
        {"ends_on": "Last day; default: until further notice.", "reason": "Why."},
    ),
    EntrySpec(
        "pattern", PatternTag, "Tag a relationship with a pattern from mbc's own list.",
        ("relationship_id", "pattern"), {},
    ),
    EntrySpec(
        "support", SupportNetwork,
        "Record how many people the client can count on, and the quality of that support, 0 to 10.",
        ("people", "quality"), {},
    ),
    EntrySpec(
        "safety-plan", SafetyPlan,
        "Record that a safety plan exists, and its reviews; never its content. Needs the permission.", (),
        {
            "last_review_on": "Day of the last review.", "next_review_on": "Day of the next review.",
            "review_reason": "Reason for the review.", "ended_on": "Date from which it is no longer valid.",
        },
    ),
    EntrySpec(
        "duty-to-report", DutyToReport, "Record that a duty to report was considered. Needs the permission.",
        ("outcome",), {},
    ),
    EntrySpec(
        "contraindication", CouplesContraindication,
        "Record that couples work is contraindicated. Needs the permission.", ("reason",),
        {"ended_on": "Date from which it no longer applies."},
    ),
    EntrySpec(
        "flag-response", FlagResponse,
        "Record what was done about an answer that raised a flag: NUMBER of the questionnaire, ITEM. Needs the "
        "permission.",
        ("administration_id", "item", "action"), {},
    ),
    EntrySpec(
        "second-review", SecondReview,
        "Record that a second person, other than the one who acknowledged it, has reviewed an answer that "
        "raised a flag: NUMBER of the questionnaire, ITEM. Needs the permission.",
        ("administration_id", "item"), {},
    ),
)  # fmt: skip
_METAVARS = {"administration_id": "NUMBER", "relationship_id": "RELATIONSHIP"}


def _command(spec: EntrySpec) -> click.Command:
    types = {each.name: each for each in field_types(spec.record)}
    day = str(spec.kind.day)
    # what names an entry that is there already need not be values again
    needed = spec.own_key is None
    params: list[click.Parameter] = [click.Argument(["client_id"], metavar="CLIENT")]
    for name in spec.words:
        metavar = _METAVARS.get(name, name.upper())
        params.append(
            click.Argument(
                [name], type=_type(types[name]), required=needed, metavar=metavar if needed else f"[{metavar}]"
            )
        )
    params += [_option(name, types[name], words) for name, words in spec.options.items()]
    callback: Any = lambda **given: _run(spec, day, given)  # noqa: E731 - click's options are added to it
    if spec.own_key is not None:
        callback = click.option("--id", "entry_id", metavar="ID", help="Update this entry.")(callback)
    for decorate in (day_option("day", "--on", later=spec.plans), supersede_option, as_option, store_option):
        callback = decorate(callback)
    made = click.command(spec.name, help=spec.help)(callback)
    made.params = [*params, *made.params]
    return made


def _option(name: str, kind: FieldType, words: str) -> click.Option:
    word = f"--{name.replace('_', '-')}"
    if kind.kind is bool:
        return click.Option([f"{word}/--not-{name.replace('_', '-')}"], default=None, help=words)
    if kind.kind is date:
        return click.Option(
            [word], type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help=words,
            callback=lambda _, __, value: None if value is None else value.date(),
        )  # fmt: skip
    return click.Option([word], type=_type(kind), help=words)


def _type(kind: FieldType) -> click.ParamType:
    if kind.choices:
        return click.Choice(kind.choices)
    return {str: click.STRING, int: click.INT, float: click.FLOAT}[kind.kind]


def _run(spec: EntrySpec, day: str, given: dict[str, Any]) -> None:
    store_url, username, supersede = (given.pop(name) for name in ("store_url", "username", "supersede"))
    entry_id, on = given.pop("entry_id", None), given.pop("day")
    values = {name: value for name, value in given.items() if value is not None}
    if on is not None:
        values[day] = on

    def make(store: Store) -> Made:
        if "relationship_id" in values:
            values["relationship_id"] = relationship_named(store, given["client_id"], values["relationship_id"])
        if entry_id is not None:
            now = _on_record(store, spec, entry_id, given["client_id"])
            return Made([replace(now, **values)], "updated")
        lacking = [name for name in spec.words if name not in values]
        if lacking:
            raise click.UsageError(f"Missing: {', '.join(name.upper() for name in lacking)}.")
        made = {} if spec.own_key is None else {spec.own_key: f"{spec.prefix}-{secrets.token_hex(4)}"}
        try:
            return Made([spec.record(**{day: today(), **spec.fixed, **made, **values})])
        except TypeError:
            required = [each.name for each in field_types(spec.record) if not each.optional]
            options = [
                f"--{name.replace('_', '-')}" for name in required if name in spec.options and name not in values
            ]
            raise click.UsageError(f"Missing: {', '.join(options)}.") from None

    write(store_url, username, supersede, make)


def _on_record(store: Store, spec: EntrySpec, entry_id: str, client_id: str) -> Any:
    rows = getattr(store, spec.kind.reader)(client_id=client_id)
    rows = rows.filter(**{str(spec.own_key): entry_id})
    if rows.is_empty():
        raise NotInRecord(f"{client_id} has no {spec.kind.noun} '{entry_id}' on record.")
    return spec.record(**rows.row(0, named=True))


COMMANDS: dict[str, click.Command] = {spec.name: _command(spec) for spec in _SPECS}
