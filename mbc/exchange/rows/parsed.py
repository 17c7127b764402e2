"""What a file says, in one shape for every layout, before anything is compared with the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from mbc.exchange.cells.dates import Order
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.questionnaires import Questionnaire
from mbc.exchange.rows.occasions import OCCASION
from mbc.exchange.rows.possible_scores import ScoresSeen
from mbc.instruments.scoring.doubts import ItemMoments

NUMBER, LAST_ROW, ROWS = "number", "last row", "rows"
TOTAL = pl.Struct({"scale": pl.String(), "score": pl.Float64()})

# What makes records of a file one administration; `date_text` keeps unreadable days apart.
KEYS = (*OCCASION, "instrument")
# One row per administration: NUMBER names it while the file is read.
OCCASIONS_SCHEMA: dict[str, pl.DataType] = {
    NUMBER: pl.Int64(),
    ROW: pl.Int64(),
    LAST_ROW: pl.Int64(),
    ROWS: pl.Int64(),
    **OCCASION,
    "instrument": pl.String(),
}
# One row per cell that is not blank: an answer (`item`, the position in the form) or a score (`scale`).
CELLS_SCHEMA: dict[str, pl.DataType] = {
    NUMBER: pl.Int64(),
    ROW: pl.Int64(),
    "item": pl.Int64(),
    "text": pl.String(),
}
SCORES_SCHEMA: dict[str, pl.DataType] = {
    NUMBER: pl.Int64(),
    ROW: pl.Int64(),
    "scale": pl.String(),
    "text": pl.String(),
}
ADMINISTRATION_FAULTS: dict[str, pl.DataType] = {NUMBER: pl.Int64(), REASON: pl.String()}
# What comes out: administrations in the order of the file.
READ_SCHEMA: dict[str, pl.DataType] = {
    **{name: dtype for name, dtype in OCCASIONS_SCHEMA.items() if name not in {NUMBER, "date_text"}},
    "date_text": pl.String(),
    "answers": pl.List(pl.Float64()),
    "totals": pl.List(TOTAL),
    REASON: pl.String(),
    "remark": pl.String(),
}
_MOST_REASONS = 3

Kind = tuple[str, str, str]
"""Instrument, form and coding, by their keys."""


@dataclass(frozen=True, slots=True)
class Records:
    """A file split up: its administrations, their cells, and the faults found so far."""

    occasions: pl.DataFrame
    """`OCCASIONS_SCHEMA`; form and coding are settled keys, or null where they cannot be."""
    cells: pl.DataFrame
    """`CELLS_SCHEMA`."""
    scores: pl.DataFrame
    """`SCORES_SCHEMA`."""
    faults: pl.DataFrame
    """`ADMINISTRATION_FAULTS`: faults by administration."""
    headers: dict[str, tuple[str, ...]]
    """Questionnaire -> item columns, where a file has them."""
    blank_rows: tuple[int, ...]
    """Rows that name an occasion but hold no answer."""
    unread: tuple[str, ...]
    """Columns that were not made use of."""
    notes: tuple[str, ...]
    orders: Mapping[str, Order]
    """Header of a date column -> whether day or month comes first in it."""
    stated: frozenset[str] = frozenset()
    """Questionnaires whose coding the file or the user states; ``""`` stands for all."""
    stated_forms: frozenset[str] = frozenset()
    """The same of their item order."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The answers of one questionnaire, form and coding, taken together: what shows another coding."""

    questionnaire: Questionnaire
    count: int
    extremes: Mapping[int, tuple[float, float]]
    """Position (from 1) -> lowest and highest answer found."""
    unfit: str | None
    """Where the first answer is that this coding does not have."""
    at_lowest: int = 0
    """Answers that are the lowest of this coding."""
    one_above: int = 0
    """Answers that are one above its highest."""
    beyond: int = 0
    """Other answers that it does not have."""
    scores: Mapping[str, ScoresSeen] = field(default_factory=dict[str, ScoresSeen])
    """Scale -> its recorded scores."""
    stated: bool = False
    """Whether the file or the user states the coding, so that the answers raise no doubt."""
    form_stated: bool = False
    """The same of the item order."""
    moments: ItemMoments | None = None
    """How the items go together."""

    @property
    def doubts_scores(self) -> bool:
        """Whether some recorded score is one that no answers give."""
        return any(scores.impossible is not None for scores in self.scores.values())

    def and_then(self, later: Seen) -> Seen:
        """Put two parts of a file together."""
        both = dict(self.extremes)
        for item, (low, high) in later.extremes.items():
            known = both.get(item, (low, high))
            both[item] = (min(known[0], low), max(known[1], high))
        return Seen(
            self.questionnaire,
            self.count + later.count,
            both,
            self.unfit or later.unfit,
            self.at_lowest + later.at_lowest,
            self.one_above + later.one_above,
            self.beyond + later.beyond,
            {
                scale: self.scores[scale].and_then(later.scores[scale])
                if scale in self.scores and scale in later.scores
                else self.scores.get(scale) or later.scores[scale]
                for scale in dict.fromkeys([*self.scores, *later.scores])
            },
            self.stated and later.stated,
            self.form_stated and later.form_stated,
            self.moments + later.moments if self.moments and later.moments else self.moments or later.moments,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """The administrations of a file; ``reason`` is why one cannot be stored, ``remark`` what to know of one."""

    administrations: pl.DataFrame
    """`READ_SCHEMA`."""
    seen: Mapping[Kind, Seen]
    blank_rows: tuple[int, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    orders: Mapping[str, Order]


def no_administration_faults() -> pl.DataFrame:
    """No faults."""
    return pl.DataFrame(schema=ADMINISTRATION_FAULTS)


def faults_of_administrations(numbered: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Faults by row -> faults by administration; ``numbered`` pairs rows with administrations."""
    if faults.is_empty():
        return no_administration_faults()
    return (
        numbered.select(NUMBER, ROW)
        .join(faults, on=ROW, how="inner", maintain_order="left")
        .select(*ADMINISTRATION_FAULTS)
    )


def with_reasons(occasions: pl.DataFrame, fault_frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Give each administration its faults as one text of bearable length."""
    every = pl.concat([no_administration_faults(), *fault_frames])
    if every.is_empty():
        return occasions.with_columns(pl.lit(None, pl.String).alias(REASON))
    reasons = pl.col(REASON).unique(maintain_order=True)
    more = reasons.len().cast(pl.Int64) - _MOST_REASONS
    joined = every.group_by(NUMBER).agg(
        reasons.head(_MOST_REASONS).str.join("; ").alias(REASON),
        pl.when(more > 0).then(pl.format("; and {} more", more)).otherwise(pl.lit("")).alias("more"),
    )
    joined = joined.select(NUMBER, pl.concat_str(REASON, "more"))
    return occasions.join(joined, on=NUMBER, how="left", maintain_order="left")
