"""Coarsen columns until everybody shares theirs with enough others: full-domain generalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import polars as pl

from mbc.errors import SettingsError
from mbc.privacy.risk.classes import unlike_others

HIDDEN = "not given"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Ever coarser versions of a column, and after them nothing of it."""

    levels: tuple[Mapping[object, str], ...]  # value -> what stands for it; the finest first
    can_be_hidden: bool = True

    def at(self, level: int) -> Mapping[object, str]:
        """Give one level; past the last, everything is hidden."""
        return self.levels[level] if level < len(self.levels) else {}

    @property
    def coarsest(self) -> int:
        """The last level: the one that hides the column, where it can be hidden."""
        return len(self.levels) if self.can_be_hidden else len(self.levels) - 1


def generalise(
    frame: pl.DataFrame, hierarchies: Mapping[str, Hierarchy], *, k: int, most_left_out: float = 0.05
) -> tuple[pl.DataFrame, pl.Series, dict[str, int]]:
    """Coarsen columns until everybody shares theirs with at least ``k - 1`` others, or is left out.

    All combinations of levels are tried; the one that keeps most information is taken: the lowest mean loss over
    columns, where a column loses the share of pairs of people that it no longer distinguishes. Of equals, the one
    that leaves out fewer people.

    Parameters
    ----------
    frame : pl.DataFrame
        One row per person, with the finest values.
    hierarchies : mapping of str to Hierarchy
        Of each column that somebody might know.
    k : int
        Least number of people who look alike; at least 2.
    most_left_out : float
        Largest share of people who may be left out for it, between 0 and 1.

    Returns
    -------
    tuple of DataFrame, Series, dict
        The coarsened columns as text; who has to be left out; the level of each column.

    Raises
    ------
    SettingsError
        If no combination does: there are fewer than ``k`` people.

    References
    ----------
    .. [1] Samarati (2001), doi:10.1109/69.971193: full-domain generalisation with suppression.

    Examples
    --------
    >>> people = pl.DataFrame({"sessions": [2, 3, 12, 30]})
    >>> fine = {2: "1-9", 3: "1-9", 12: "10-19", 30: "20+"}
    >>> bands = Hierarchy((fine, {2: "1-9", 3: "1-9", 12: "10+", 30: "10+"}))
    >>> coarse, out, level = generalise(people, {"sessions": bands}, k=2)
    >>> coarse["sessions"].to_list(), out.to_list(), level
    (['1-9', '1-9', '10+', '10+'], [False, False, False, False], {'sessions': 1})
    """
    if k < 2:
        raise SettingsError(f"k must be at least 2, got {k}: with 1 everybody may be unique.")
    if not 0 <= most_left_out < 1:
        raise SettingsError(f"most_left_out must be a proportion from 0 to less than 1, got {most_left_out}.")
    names = list(hierarchies)
    versions = {
        name: [_version(frame[name], hierarchy.at(level)) for level in range(hierarchy.coarsest + 1)]
        for name, hierarchy in hierarchies.items()
    }
    losses = {name: [_loss(versions[name][0], version) for version in versions[name]] for name in names}
    best: tuple[float, int, tuple[int, ...]] | None = None
    chosen: tuple[pl.DataFrame, pl.Series] | None = None
    for levels in product(*(range(len(versions[name])) for name in names)):
        loss = sum(losses[name][level] for name, level in zip(names, levels, strict=True)) / max(len(names), 1)
        if best is not None and loss > best[0]:
            continue
        coarse = _at(frame, versions, names, levels)
        few = unlike_others(coarse, names, k)
        out = int(few.sum())
        if out > most_left_out * frame.height or frame.height - out < k:
            continue
        if best is None or (loss, out) < best[:2]:
            best, chosen = (loss, out, levels), (coarse, few)
    if best is None or chosen is None:
        raise SettingsError(
            f"{frame.height} people are too few for k = {k}: even with every column hidden, no {k} look alike. "
            "Choose a smaller k, or wait until there are more."
        )
    return (*chosen, dict(zip(names, best[2], strict=True)))


def _at(
    frame: pl.DataFrame, versions: Mapping[str, Sequence[pl.Series]], names: Sequence[str], levels: Sequence[int]
) -> pl.DataFrame:
    columns = [versions[name][level].alias(name) for name, level in zip(names, levels, strict=True)]
    return pl.DataFrame(columns) if columns else frame.select()


def _version(values: pl.Series, level: Mapping[object, str]) -> pl.Series:
    if not level:
        return pl.Series(values.name, [HIDDEN] * len(values), dtype=pl.String)
    return pl.Series(values.name, [level.get(value, HIDDEN) for value in values.to_list()], dtype=pl.String)


def _loss(finest: pl.Series, version: pl.Series) -> float:
    """Share of the pairs of people that the finest version distinguishes and this one does not."""
    pairs = _alike(version) - _alike(finest)
    apart = len(finest) * (len(finest) - 1) // 2 - _alike(finest)
    return pairs / apart if apart else 0.0


def _alike(values: pl.Series) -> int:
    counts = values.value_counts()["count"].cast(pl.Int64)
    return int((counts * (counts - 1)).sum()) // 2
