"""Classes of people who share everything that somebody might know, and the risks of being recognised by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from mbc.errors import FrameError


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The risk that people are recognised by some columns.

    The prosecutor knows that somebody is in the cohort and looks for them; the chance to name the right row is one
    over the size of that person's class. The journalist does not know who is in it, so the classes that count are
    those of everybody who could be; where the whole clinic is in the cohort the two are the same.
    """

    people: int
    k: int  # size of the smallest class; 0 without people
    unique: int  # people who are alone in their class
    classes: int
    prosecutor_highest: float  # 1 / k
    prosecutor_mean: float  # classes / people
    journalist_highest: float
    journalist_mean: float
    diversity: int | None  # fewest different values of the sensitive column in a class; None where none was named

    def to_dict(self) -> dict[str, object]:
        """Give everything as plain values, three digits to a share."""
        return {
            "people": self.people,
            "k": self.k,
            "unique": self.unique,
            "classes": self.classes,
            "prosecutor": {"highest": round(self.prosecutor_highest, 3), "mean": round(self.prosecutor_mean, 3)},
            "journalist": {"highest": round(self.journalist_highest, 3), "mean": round(self.journalist_mean, 3)},
            "l_diversity": self.diversity,
        }


def disclosure(
    frame: pl.DataFrame,
    columns: Sequence[str],
    *,
    sensitive: str | None = None,
    population: pl.DataFrame | None = None,
) -> Disclosure:
    """Measure how well people can be distinguished by some columns.

    Parameters
    ----------
    frame : pl.DataFrame
        One row per person. A null is a value like any other: that nothing is there can be known too.
    columns : sequence of str
        What somebody might know (the quasi-identifiers). Without columns all people are one class.
    sensitive : str, optional
        A column that must not be learnt of anybody; its diversity in each class is counted.
    population : pl.DataFrame, optional
        Everybody who could be in the cohort, with the same columns; default: those who are in it.

    Raises
    ------
    FrameError
        If a column is not there.

    References
    ----------
    .. [1] Sweeney (2002), k-anonymity: a model for protecting privacy, doi:10.1142/S0218488502001648.
    .. [2] El Emam & Dankar (2008), doi:10.1197/jamia.M2716: prosecutor and journalist risk.
    .. [3] Machanavajjhala et al. (2007), l-diversity, doi:10.1145/1217299.1217302.

    Examples
    --------
    >>> people = pl.DataFrame({"sessions": ["1-9", "1-9", "10+"], "ending": ["planned", "planned", "planned"]})
    >>> found = disclosure(people, ["sessions", "ending"])
    >>> found.k, found.unique, found.prosecutor_mean
    (1, 1, 0.6666666666666666)
    """
    for table in (frame, population if population is not None else frame):
        absent = [name for name in (*columns, *([sensitive] if sensitive else [])) if name not in table.columns]
        if absent:
            raise FrameError(f"There is no column {absent[0]!r}; there are {', '.join(table.columns)}.")
    if frame.is_empty():
        return Disclosure(0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, None)
    keys = list(columns) or [pl.lit(0).alias("all")]
    counted = [pl.len().alias("size")]
    if sensitive:
        counted.append(pl.col(sensitive).n_unique().alias("values"))
    classes = frame.group_by(keys).agg(counted)
    sizes = classes["size"]
    smallest, mean = int(sizes.min() or 0), len(sizes) / frame.height  # pyright: ignore[reportArgumentType]
    highest_of_journalist, mean_of_journalist = 1 / smallest, mean
    if population is not None and columns:
        outside = population.group_by(keys).agg(pl.len().alias("candidates"))
        both = classes.join(outside, on=list(columns), how="left", nulls_equal=True)
        candidates = both["candidates"].fill_null(1)
        highest_of_journalist = 1 / int(candidates.min() or 1)  # pyright: ignore[reportArgumentType]
        mean_of_journalist = float((both["size"] / candidates).sum()) / frame.height
    return Disclosure(
        people=frame.height,
        k=smallest,
        unique=int((sizes == 1).sum()),
        classes=len(sizes),
        prosecutor_highest=1 / smallest,
        prosecutor_mean=mean,
        journalist_highest=highest_of_journalist,
        journalist_mean=mean_of_journalist,
        diversity=int(classes["values"].min()) if sensitive else None,  # pyright: ignore[reportArgumentType]
    )


def unlike_others(frame: pl.DataFrame, columns: Sequence[str], k: int) -> pl.Series:
    """Say of each person whether fewer than ``k`` people look like them, themselves included."""
    if not columns:
        return pl.Series("few", [frame.height < k] * frame.height, dtype=pl.Boolean)
    return frame.select((pl.len().over(list(columns)) < k).alias("few"))["few"]
