"""What a published number carries: where it is from, where it was read, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["high", "medium", "unverified"]
Side = Literal["<", "<=", ">", ">="]
ReliabilityKind = Literal["alpha", "omega", "retest", "interrater", "split-half"]


class Graded:
    """A number that knows how far it can be trusted."""

    __slots__ = ()
    confidence: Confidence

    @property
    def verified(self) -> bool:
        """Whether the number was read in a source or computed, not merely recalled."""
        return self.confidence != "unverified"


@dataclass(frozen=True, slots=True)
class Band(Graded):
    """A verbal range of scores, from ``start`` up to the next band."""

    start: float
    label: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Cutoff(Graded):
    """A published line; ``side`` is the comparison that means distressed."""

    value: float
    side: Side
    label: str
    source: str
    confidence: Confidence
    default: bool = False
    note: str | None = None
    via: str | None = None

    def distressed(self, score: float) -> bool:
        """Whether a score lies on the distressed side; the tie rule is the published one.

        Examples
        --------
        >>> line = Cutoff(51.5, "<", "notable dissatisfaction", "funk2007", "high")
        >>> line.distressed(51), line.distressed(52)
        (True, False)
        """
        match self.side:
            case "<":
                return score < self.value
            case "<=":
                return score <= self.value
            case ">":
                return score > self.value
            case ">=":
                return score >= self.value


@dataclass(frozen=True, slots=True)
class Norm(Graded):
    """Mean and spread of one described sample, in scale points."""

    population: str
    mean: float
    sd: float | None  # None: the source gives a mean alone
    sample: str
    source: str
    confidence: Confidence
    n: int | None = None
    id: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Reliability(Graded):
    """A reliability coefficient of one described sample."""

    kind: ReliabilityKind
    value: float
    sample: str
    source: str
    confidence: Confidence
    n: int | None = None
    interval_days: int | None = None  # between test and retest
    id: str | None = None
    via: str | None = None
    upper: float | None = None  # where the source gives a range, its upper end


@dataclass(frozen=True, slots=True)
class PublishedChange(Graded):
    """A change that a source calls reliable (beyond error) or meaningful (to people)."""

    points: float  # scale points; this much or more counts
    kind: Literal["reliable", "meaningful"]
    source: str
    confidence: Confidence
    z: float | None = None  # normal quantile the source used; None: not from an error model
    default: bool = False
    note: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeNorm(Graded):
    """What Jacobson-Truax reliable change of a scale rests on when nothing else is given."""

    sd: float  # scale points
    reliability: float
    kind: ReliabilityKind
    sample: str
    source: str
    reliability_source: str
    confidence: Confidence  # the lower of the two numbers' confidences


@dataclass(frozen=True, slots=True)
class Fact(Graded):
    """Something else that a source says, in our own words: accuracy, agreement, stability."""

    text: str
    source: str
    confidence: Confidence
    via: str | None = None
