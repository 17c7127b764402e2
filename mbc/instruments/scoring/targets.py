"""What a person's sheets about several relationships say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import narwhals.stable.v2 as nw

from mbc import frames
from mbc.arguments import checks
from mbc.errors import DefinitionError, FrameError, nearest
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.library import instrument as load
from mbc.instruments.scoring.answers import Invalid
from mbc.instruments.scoring.score_frame import score

TableT = TypeVar("TableT")

_SELF = "self"  # how a sheet about nobody in particular is stored
_NEEDED = "__mbc_needed"


@checks(error=FrameError)
def across_targets(  # noqa: PLR0913 - options are keyword-only
    frame: TableT,
    *,
    person: str,
    target: str,
    occasion: str | None = None,
    needed: Sequence[str] | None = None,
    key: str | Instrument = "ecr_rs",
    items: str | Sequence[str] | None = None,
    form: str | None = None,
    coding: str | None = None,
    invalid: Invalid = "raise",
) -> TableT:
    """Score each relationship by itself, then average over a person's relationships.

    Parameters
    ----------
    frame : table
        One row per sheet: who answered, about whom, and the answers.
    person, target : str
        Columns that say who answered, and about which relationship. Rows without a target (blank or ``"self"``)
        are about nobody in particular and are left out.
    occasion : str, optional
        Column that tells one time from another, if there is more than one.
    needed : sequence of str, optional
        Targets that must all have a score, such as mother, father, partner and friend; without them the score is
        null. Default: the mean over whatever relationships have a score.
    key : str or Instrument
        ``"ecr_rs"``, or another instrument that is answered about somebody.
    items, form, coding, invalid
        As in ``score``.

    Returns
    -------
    table
        Of the same kind, sorted: ``person`` (and ``occasion``), and for every scale ``{key}_{scale}``, the mean
        over relationships, each counted once, with ``{key}_{scale}_targets``, how many they are.

    Raises
    ------
    FrameError
        If columns are not there, somebody answered twice about the same relationship at one time, or nobody rated
        a relationship that is needed.
    DefinitionError
        If the instrument is not about somebody.

    Notes
    -----
    The author of the ECR-RS cautions that the mean weighs every relationship alike.

    Examples
    --------
    >>> import polars as pl
    >>> sheets = pl.DataFrame({"who": ["a", "a"], "about": ["mother", "partner"]} | {
    ...     f"ecr_rs_{n}": [1, 4] for n in range(1, 10)})
    >>> across_targets(sheets, person="who", target="about").row(0)
    ('a', 2.5, 2, 4.5, 2)
    """
    definition = load(key) if isinstance(key, str) else key
    if not definition.applicability.needs_target:
        raise DefinitionError(f"{definition.key} is not answered about another person; score() is enough.")
    by = [person] if occasion is None else [person, occasion]
    frames.require(frames.open_frame(frame), [*by, target], f"{definition.key} across relationships")
    scored = frames.open_frame(
        score(frame, definition, items=items, form=form, coding=coding, invalid=invalid, missing="strict")
    )
    about = nw.col(target).cast(nw.String)
    named = scored.filter(~about.is_null() & (about != _SELF))
    _refuse_repeated(named, by, target)
    _refuse_unknown(named, target, needed)
    metric = definition.coding(coding).metric
    names = [f"{definition.key}_{scale.key}{metric}" for scale in definition.scales]
    made = _averaged(named, by, target, names, needed)
    return cast("TableT", frames.close_frame(made, frame))


def _averaged(
    frame: frames.Frame, by: list[str], target: str, names: list[str], needed: Sequence[str] | None
) -> frames.Frame:
    required = [str(name) for name in needed or ()]
    about = nw.col(target).cast(nw.String)
    among = about.is_in(required) if required else nw.lit(value=False)
    marked = frame.with_columns(
        (among & ~nw.col(name).is_null()).cast(nw.Int64).alias(f"{_NEEDED}_{name}") for name in names
    )
    sums: list[nw.Expr] = []
    for name in names:
        sums += [
            nw.col(name).mean(),
            nw.col(name).count().alias(f"{name}_targets"),
            nw.col(f"{_NEEDED}_{name}").sum(),
        ]
    grouped = marked.group_by(*by).agg(*sums).sort(*by)
    selected: list[nw.Expr] = [nw.col(name) for name in by]
    for name in names:
        enough = (nw.col(f"{_NEEDED}_{name}") >= len(required)) & (nw.col(f"{name}_targets") > 0)
        selected += [nw.when(enough).then(nw.col(name)).alias(name), nw.col(f"{name}_targets").cast(nw.Int64)]
    return grouped.select(*selected)


def _refuse_unknown(frame: frames.Frame, target: str, needed: Sequence[str] | None) -> None:
    if not needed:
        return
    about = frame.select(nw.col(target).cast(nw.String)).unique()
    eager: Any = about.collect() if isinstance(about, nw.LazyFrame) else about
    rated = sorted(eager[target].to_list())
    unknown = [name for name in needed if name not in rated]
    if unknown and rated:
        near = nearest(unknown[0], rated, most=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FrameError(
            f"needed holds {unknown[0]!r}, which nobody rated; {target} contains {', '.join(rated)}.{hint}"
        )


def _refuse_repeated(frame: frames.Frame, by: list[str], target: str) -> None:
    counted = (
        frame.group_by(*by, target).agg(nw.len().alias(_NEEDED)).filter(nw.col(_NEEDED) > 1).sort(*by).head(1)
    )
    eager: Any = counted.collect() if isinstance(counted, nw.LazyFrame) else counted
    for row in eager.iter_rows(named=True):
        who = ", ".join(f"{name} {row[name]!r}" for name in by)
        more = "" if len(by) > 1 else " If these are different occasions, name the column: occasion=..."
        raise FrameError(f"{who} has {row[_NEEDED]} sheets about {row[target]!r}; one is averaged.{more}")
