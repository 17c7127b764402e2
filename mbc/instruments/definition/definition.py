"""What an instrument is: its items, orders, codings, scales and where every number comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from mbc.errors import DefinitionError, nearest
from mbc.instruments.definition.sourced_numbers import (
    Band,
    ChangeNorm,
    Confidence,
    Cutoff,
    Fact,
    Norm,
    PublishedChange,
    Reliability,
)

Kind = Literal["questionnaire", "goals"]
Rule = Literal["sum", "mean", "scaled_sum", "scaled_mean", "algorithm", "procedure"]
LicenceStatus = Literal["free", "permission", "restricted"]
MissingRule = Literal["strict", "prorate"]

SHARE_NEEDED = 0.8  # of a scale's items, before a person mean may stand in for the blanks


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of ``sources.toml``."""

    key: str
    citation: str
    doi: str | None = None
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One question, known by identity and not by its place on a form.

    The label is our own; the authors' wording is never part of a definition.
    """

    id: str
    label: str
    minimum: int  # lowest answer in the default coding
    maximum: int  # highest answer in the default coding
    whole_numbers: bool = True  # only whole numbers are answers
    may_not_apply: bool = False  # one code above the highest answer means "does not apply"
    loinc: str | None = None
    same_as: str | None = None  # "csi32:i5": the same question inside another instrument


@dataclass(frozen=True, slots=True)
class Form:
    """One printed order of the items."""

    key: str
    title: str
    order: tuple[str, ...]  # item ids, first position first
    default: bool
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Coding:
    """One way of writing answers as numbers, and the way back to the default coding."""

    key: str
    title: str
    default: bool
    offset: int = 0  # default-coding answer = answer + offset, for items not flipped
    flipped: tuple[str, ...] = ()  # these run the other way: lowest + highest - answer
    source: str | None = None
    range: tuple[int, int] | None = None  # another response scale: its scores are on a metric of their own

    @property
    def metric(self) -> str:
        """What is added to the name of a score on another metric; empty where it is the instrument's own.

        Examples
        --------
        >>> Coding("1-5", "five points", default=False, range=(1, 5)).metric
        '_1_5'
        """
        return "" if self.range is None else f"_{self.key.replace('-', '_')}"

    def span(self, item: Item) -> tuple[int, int]:
        """Lowest and highest answer as it counts, before a reversed item is turned."""
        return self.range or (item.minimum, item.maximum)

    def accepted(self, item: Item) -> tuple[int, int]:
        """Lowest and highest number that may be written for ``item``; "does not apply" is the highest, if it may.

        Examples
        --------
        >>> Coding("1-4", "1-4", default=False, offset=-1).accepted(Item("i1", "worth", 0, 3))
        (1, 4)
        """
        if self.range is not None:
            return self.range
        shift = 0 if item.id in self.flipped else self.offset
        return item.minimum - shift, item.maximum - shift + item.may_not_apply

    def not_applicable(self, item: Item) -> int | None:
        """Give the number that says an item does not apply; None where every item does.

        Examples
        --------
        >>> Coding("0-8", "0-8", default=True).not_applicable(Item("i1", "work", 0, 8, may_not_apply=True))
        9
        """
        return self.accepted(item)[1] if item.may_not_apply else None

    def affine(self, item: Item) -> tuple[int, int]:
        """Sign and constant that carry an answer into the default coding; 1 and 0 where nothing can."""
        if item.id in self.flipped:
            return -1, item.minimum + item.maximum
        return 1, self.offset


@dataclass(frozen=True, slots=True)
class Missing:
    """What happens to a scale when items are blank."""

    rule: MissingRule  # the default of ``score(missing=None)``
    at_least: int  # answered items needed before a prorated score is given
    source: str | None = None  # where the rule is published; None: our convention
    confidence: Confidence | None = None  # of that source

    @property
    def bands_prorated(self) -> bool:
        """Whether a prorated score may be given a band: only where prorating is the scale's own rule."""
        return self.rule == "prorate"


_K = TypeVar("_K", bound="_Keyed")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """One score of an instrument: which items, which rule, and what is known about its numbers."""

    key: str
    title: str
    items: tuple[str, ...]
    reverse: tuple[str, ...]
    rule: Rule
    range: tuple[float, float]
    higher_is_better: bool
    missing: Missing
    source: str  # of items, reverse keys, rule and range
    confidence: Confidence
    factor: float = 1.0  # scaled_sum, scaled_mean: the sum or mean is multiplied by it
    algorithm: str | None = None  # a key of ``algorithms.ALGORITHMS``
    procedure: str | None = None  # a key of ``algorithms.PROCEDURES``, where goals are rated and not items
    bands: tuple[Band, ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    norms: tuple[Norm, ...] = ()
    reliabilities: tuple[Reliability, ...] = ()
    changes: tuple[PublishedChange, ...] = ()
    change_norm: ChangeNorm | None = None
    decimals: int = 0
    loinc: str | None = None

    @property
    def cutoff(self) -> Cutoff | None:
        """The line drawn by default, if any source gives one."""
        return next((line for line in self.cutoffs if line.default), None)

    @property
    def change(self) -> PublishedChange | None:
        """The published change figure used by default, if there is one."""
        return next((figure for figure in self.changes if figure.default), None)

    def norm(self, population: str) -> Norm | None:
        """Give the first norm of a population ("clinical", "community", ...)."""
        return next((norm for norm in self.norms if norm.population == population), None)

    def band(self, score: float) -> Band | None:
        """Find the band of a score."""
        return next((band for band in reversed(self.bands) if score >= band.start), None)


@dataclass(frozen=True, slots=True)
class RiskFlag:
    """An item that speaks for itself whatever the total says, or a scale of a screen that does."""

    item: str  # the item, or the scale, that speaks
    label: str
    at_least: float = 1  # this answer (default coding) or score, or above, is a risk
    blank_asks: bool = True  # left blank: ask about it
    on: Literal["item", "scale"] = "item"
    channel: Literal["safety"] = "safety"


@dataclass(frozen=True, slots=True)
class Applicability:
    """When the instrument's questions make sense at all."""

    needs_relationship: bool = False  # a current intimate relationship
    needs_target: bool = False  # somebody named whom the answers are about
    needs_employment: bool = False  # some items ask about work


@dataclass(frozen=True, slots=True)
class Licence:
    """How the instrument may be used."""

    status: LicenceStatus
    statement: str
    source: str | None
    permission_needed_for: tuple[str, ...] = ()
    confidence: Confidence = "unverified"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One questionnaire, complete: what is asked, how it is scored, where its numbers come from."""

    key: str
    name: str
    construct: str  # "self_esteem", "relationship_satisfaction", ...
    version: str
    summary: str
    items: tuple[Item, ...]  # in the order of the default form
    forms: tuple[Form, ...]
    codings: tuple[Coding, ...]
    scales: tuple[Scale, ...]  # the first is the main scale
    flags: tuple[RiskFlag, ...]
    applicability: Applicability
    licence: Licence
    safety_channel: bool
    recall: str | None
    disputes: tuple[str, ...]
    sources: tuple[Source, ...]
    loinc: str | None = None
    kind: Kind = "questionnaire"  # "goals": a person's own goals are rated, there are no items
    procedures: tuple[str, ...] = ()  # keys of ``algorithms.PROCEDURES``: what can be asked beyond the scales
    facts: tuple[Fact, ...] = ()

    @property
    def construct_name(self) -> str:
        """The construct in words: self-esteem, relationship satisfaction."""
        return "self-esteem" if self.construct == "self_esteem" else self.construct.replace("_", " ")

    @property
    def own_codings(self) -> tuple[Coding, ...]:
        """The codings whose scores are on the instrument's own metric: what a record can hold."""
        return tuple(coding for coding in self.codings if coding.range is None)

    @property
    def main_scale(self) -> Scale:
        """The scale that is charted by default."""
        return self.scales[0]

    def item(self, item_id: str) -> Item:
        """One item by identity."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise self._unknown("item", item_id, (item.id for item in self.items))

    def scale(self, key: str | None = None) -> Scale:
        """One scale by key; the main scale when no key is given."""
        return self.main_scale if key is None else self._pick("scale", self.scales, key)

    def form(self, key: str | None = None) -> Form:
        """One item order by key; the default order when no key is given."""
        if key is None:
            return next(form for form in self.forms if form.default)
        return self._pick("form", self.forms, key)

    def coding(self, key: str | None = None) -> Coding:
        """One answer coding by key; the default coding when no key is given."""
        if key is None:
            return next(coding for coding in self.codings if coding.default)
        return self._pick("coding", self.codings, key)

    def source(self, key: str) -> Source:
        """One source by key."""
        return self._pick("source", self.sources, key)

    def item_columns(self, form: str | None = None) -> tuple[str, ...]:
        """Default column names, first position of the form first: ``rses_1`` ... ``rses_10``."""
        return tuple(f"{self.key}_{n}" for n in range(1, len(self.form(form).order) + 1))

    def _pick(self, what: str, among: tuple[_K, ...], key: str) -> _K:
        for member in among:
            if member.key == key:
                return member
        raise self._unknown(what, key, (member.key for member in among))

    def _unknown(self, what: str, key: str, allowed: Iterable[str]) -> DefinitionError:
        names = list(allowed)
        near = nearest(str(key), names, most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return DefinitionError(f"{self.key} has no {what} {key!r}; it has {', '.join(names)}.{hint}")
