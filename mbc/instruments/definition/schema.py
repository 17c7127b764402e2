"""What an instrument's TOML file may contain."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mbc.instruments.definition.definition import Kind, LicenceStatus, MissingRule, Rule
from mbc.instruments.definition.sourced_numbers import Confidence, ReliabilityKind, Side

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1, max_length=600, pattern=r"\S")]
Label = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
Answers = tuple[int, int]


class Entry(BaseModel):
    """Strict and closed: a mistyped key is a fault, never an ignored line."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Number(Entry):
    """A published number: where it is from, where it was read, how far it can be trusted."""

    source: Key
    confidence: Confidence
    via: Key | None = None  # where the figure was read, when not in the source itself


class SourceEntry(Entry):
    """A citation."""

    citation: Text
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    note: Text | None = None


class AnswersEntry(Entry):
    """The range that items share, in the default coding."""

    range: Answers
    whole_numbers: bool = True


class ItemEntry(Entry):
    """One question; ``label`` in our own few words."""

    id: Key
    label: Label | None = None
    range: Answers | None = None
    whole_numbers: bool | None = None
    may_not_apply: bool = False
    loinc: str | None = None
    same_as: Annotated[str, Field(pattern=r"^[a-z0-9_]+:[a-z][a-z0-9_]*$")] | None = None


class FormEntry(Entry):
    """One item order."""

    key: Key
    title: Text
    order: tuple[Key, ...] | None = None  # absent: as the items are listed
    default: bool = False
    source: Key | None = None


class CodingEntry(Entry):
    """One answer coding; answers plus ``offset``, or turned round for ``flip``, give the default coding.

    With a ``range`` it is another response scale: no arithmetic gives the default coding, and scores have names
    and a metric of their own.
    """

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    title: Text
    default: bool = False
    offset: int = 0
    flip: tuple[Key, ...] = ()
    range: Answers | None = None
    source: Key | None = None


class MissingEntry(Entry):
    """The rule for blanks; one of ``at_least`` (answered) and ``at_most`` (blank) may be given."""

    rule: MissingRule
    at_least: Annotated[int, Field(ge=1)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None
    source: Key | None = None
    confidence: Confidence | None = None  # given with a source, and only then


class BandEntry(Entry):
    """A band begins at ``from`` and ends where the next begins."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)
    start: Annotated[float, Field(alias="from")]
    label: Label


class CutoffEntry(Number):
    """A line, and which side of it is distressed."""

    value: float
    side: Side
    label: Label
    default: bool = False
    note: Text | None = None


class NormEntry(Number):
    """Mean and spread of a sample."""

    id: Key | None = None
    population: Label
    mean: float
    sd: Annotated[float, Field(gt=0)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    sample: Text


class ReliabilityEntry(Number):
    """A reliability coefficient of a sample."""

    id: Key | None = None
    kind: ReliabilityKind
    value: Annotated[float, Field(ge=0, lt=1)]
    upper: Annotated[float, Field(ge=0, lt=1)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    interval_days: Annotated[int, Field(ge=0)] | None = None
    sample: Text


class ChangeEntry(Number):
    """A published change figure."""

    points: Annotated[float, Field(gt=0)]
    kind: Literal["reliable", "meaningful"]
    z: Annotated[float, Field(gt=0)] | None = None
    default: bool = False
    note: Text | None = None


class ChangeNormEntry(Entry):
    """Which norm and which reliability (by ``id``) reliable change rests on by default."""

    norm: Key
    reliability: Key


class ScaleEntry(Entry):
    """One score."""

    key: Key
    title: Label | None = None
    items: tuple[Key, ...] | None = None  # absent: all
    reverse: tuple[Key, ...] = ()
    rule: Rule
    factor: Annotated[float, Field(gt=0)] | None = None
    algorithm: Key | None = None
    procedure: Key | None = None
    range: tuple[float, float]
    better: Literal["higher", "lower"] | None = None
    decimals: Annotated[int, Field(ge=0, le=4)] | None = None
    loinc: str | None = None
    source: Key | None = None
    confidence: Confidence | None = None
    missing: MissingEntry = MissingEntry(rule="strict")
    bands: tuple[BandEntry, ...] = ()
    bands_source: Key | None = None
    bands_confidence: Confidence | None = None
    cutoff: tuple[CutoffEntry, ...] = ()
    norm: tuple[NormEntry, ...] = ()
    reliability: tuple[ReliabilityEntry, ...] = ()
    change: tuple[ChangeEntry, ...] = ()
    change_norm: ChangeNormEntry | None = None


class FlagEntry(Entry):
    """An item that speaks for itself, or a scale whose line does."""

    item: Key | None = None
    scale: Key | None = None
    label: Label
    at_least: float = 1
    blank_asks: bool = True


class FactEntry(Number):
    """Something else that a source says, in our own words."""

    text: Text


class ApplicabilityEntry(Entry):
    """When the questions make sense."""

    relationship: bool = False
    target: bool = False
    employment: bool = False


class LicenceEntry(Entry):
    """Permitted use."""

    status: LicenceStatus
    statement: str = ""
    permission_needed_for: tuple[Text, ...] = ()
    source: Key | None = None
    confidence: Confidence = "unverified"


class InstrumentEntry(Entry):
    """A whole file."""

    key: Key
    replaces: Key | None = None  # a file of one's own: the built-in whose place it takes
    kind: Kind = "questionnaire"  # "goals": rated goal by goal, without items
    name: Text | None = None
    topic: Annotated[Key, Field(alias="construct")] = "other"  # pydantic keeps `construct` for itself
    version: Text = "1"
    summary: Text | None = None
    source: Key
    confidence: Confidence = "unverified"  # of the scoring key, unless a scale says otherwise
    licence: LicenceEntry  # a bare status is enough: see reading.parse
    recall: Text | None = None
    safety_channel: bool = False
    loinc: str | None = None
    disputes: tuple[Text, ...] = ()
    procedures: tuple[Key, ...] = ()  # what can be asked of it beyond its scales
    answers: AnswersEntry | None = None
    needs: ApplicabilityEntry = ApplicabilityEntry()
    items: tuple[ItemEntry, ...] = ()  # absent: the ids that scales name, labelled by their id
    form: tuple[FormEntry, ...] = ()
    coding: tuple[CodingEntry, ...] = ()
    scale: tuple[ScaleEntry, ...]
    flag: tuple[FlagEntry, ...] = ()
    fact: tuple[FactEntry, ...] = ()
    sources: dict[Key, SourceEntry] = {}  # only for sources that sources.toml does not hold


class SourcesFile(Entry):
    """The whole of ``sources.toml``."""

    sources: dict[Key, SourceEntry]
