"""What a definition asks to be counted: rates over flags, means over numbers, and the flow of clients."""

from __future__ import annotations

from dataclasses import dataclass, field

import narwhals.stable.v2 as nw

from mbc.outcomes.source import Lazy
from mbc.privacy.small_numbers.attacker import Relation


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of people: those with the numerator's flag, of those with the denominator's."""

    name: str
    title: str
    among: str  # the denominator in words
    numerator: nw.Expr  # true or false for each row; counted within the denominator
    denominator: nw.Expr
    resolved: nw.Expr | None = None  # whether the outcome is known for certain; None: always
    everybody: nw.Expr | None = None  # whom the bounds are about; None: the denominator
    of: str = ""  # name of the denominator's count, where several rates share it
    completeness: bool = False  # says how complete the data are: published as a band
    unknown: str = (
        ""  # name of the count of those whose outcome is not known; of completeness: those who are missing
    )
    certain: bool = True  # whether everybody in the numerator is in it whatever else becomes known
    only_count: bool = False  # the numerator is the figure; its share is not published by the definition


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean change, or a mean of any number, over those in whom it is known."""

    name: str
    title: str
    among: str
    value: nw.Expr  # null where not known
    of: nw.Expr  # who could have one
    unit: str
    scale: nw.Expr | None = None  # first scores, where the mean is divided by their standard deviation
    count: str = ""  # name of the rate that counts those in whom it is known; empty where none does

    @property
    def count_name(self) -> str:
        """Name of the count of those in whom it is known."""
        return self.count or f"{self.name}_known"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the flow: how many came this far, and why the others did not."""

    name: str
    title: str
    flag: nw.Expr
    why_not: str = ""
    cell: str = ""  # name of the rate or denominator with the same count, by which it may be published


@dataclass(frozen=True, slots=True)
class Group:
    """People of one kind (a definition's cohort, or the clients of one scale) and what is counted of them."""

    frame: Lazy  # one row per person; clinician_id and the columns that the expressions name
    rates: tuple[Rate, ...] = ()
    means: tuple[Mean, ...] = ()
    steps: tuple[Step, ...] = ()
    key: str = ""  # prefix of metric names: "rses_total"; empty where there is one group
    title: str = ""
    relations: tuple[Relation, ...] = ()  # how the counts add up, by the names of rates and of denominators
    hide_first: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()  # names in relations that stand for counts of no rate
    rules: tuple[str, ...] = field(default=())  # instruments, limits and sources, in sentences
