"""How far a score can be trusted to show change within a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import (
    read_columns,
    refuse_duplicates,
    refuse_nobody,
    with_finite_scores,
)
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class ChangeReliability(Result):
    """Variance of repeated item answers taken apart, and what of change within a person is reliable."""

    between: float | None  # R_KF: a person's mean over the same occasions
    one_occasion: float | None  # R_1F: one given occasion, between people
    one_random: float | None  # R_1R: one occasion taken at random
    mean_random: float | None  # R_KR: mean over random occasions
    change: float | None  # R_C: change within a person, from the mean of the items
    nested: float | None  # R_CN: the same when items are not crossed with occasions
    components: dict[str, float]  # squared answer points
    occasions: float  # per person; their mean where unequal
    items: int
    n: int
    reason: Reason | None = None


@checked
def change_reliability(data: object, *, client: str, time: str, items: list[str]) -> ChangeReliability:
    """Estimate how reliably the mean of the items shows change within a person.

    Parameters
    ----------
    data : frame
        One row per client and occasion; occasions must be the same for everybody (a balanced design; clients who
        lack one are left out).
    client, time : str
        Columns.
    items : list of str
        Item columns, keyed.

    Returns
    -------
    ChangeReliability
        ``change`` is the coefficient for session-to-session change, where alpha would overstate it.

    References
    ----------
    .. [1] Cranford et al. (2006), doi:10.1177/0146167206287721. Shrout & Lane (2012), in Handbook of Research
       Methods for Studying Daily Life.

    Examples
    --------
    >>> import polars as pl
    >>> diary = pl.DataFrame({"who": [1, 1, 2, 2, 3, 3], "day": [1, 2] * 3,
    ...     "calm": [1, 3, 2, 2, 4, 5], "safe": [2, 3, 2, 1, 4, 5]})
    >>> round(change_reliability(diary, client="who", time="day", items=["calm", "safe"]).change, 2)
    0.92
    """
    if len(items) < 2:
        raise ModelError(f"change_reliability needs at least two items, got {items}.")
    cube, n = _cube(data, client, time, items)
    k, m = (cube.shape[1], cube.shape[2]) if n else (0, len(items))
    if n < 2 or k < 2:
        return ChangeReliability(None, None, None, None, None, None, {}, float(k), m, n, "too_few_scores")
    parts = _components(cube)
    p, t, i = parts["person"], parts["person x time"], parts["person x item"]
    error = parts["error"]
    fixed = p + i / m
    if p + t + error == 0:
        return ChangeReliability(None, None, None, None, None, None, parts, float(k), m, n, "zero_variance")
    nested_t, nested_error = _nested(cube)
    return ChangeReliability(
        between=_ratio(fixed, fixed + error / (k * m)),
        one_occasion=_ratio(fixed, fixed + error / m),
        one_random=_ratio(fixed, fixed + parts["time"] + t + error / m),
        mean_random=_ratio(fixed, fixed + parts["time"] / k + t / k + error / (k * m)),
        change=_ratio(t, t + error / m),
        nested=_ratio(nested_t, nested_t + nested_error / m),
        components=parts,
        occasions=float(k),
        items=m,
        n=n,
    )


def _components(cube: FloatArray) -> dict[str, float]:
    """Take apart the mean squares of persons x occasions x items; negative components become zero."""
    n, k, m = cube.shape
    grand = cube.mean()
    p, t, i = cube.mean((1, 2)) - grand, cube.mean((0, 2)) - grand, cube.mean((0, 1)) - grand
    pt = cube.mean(2) - grand - p[:, None] - t
    pi = cube.mean(1) - grand - p[:, None] - i
    ti = cube.mean(0) - grand - t[:, None] - i
    rest = cube - grand - p[:, None, None] - t[:, None] - i - pt[:, :, None] - pi[:, None, :] - ti[None]
    ms_e = float((rest**2).sum()) / ((n - 1) * (k - 1) * (m - 1))
    ms_pt = m * float((pt**2).sum()) / ((n - 1) * (k - 1))
    ms_pi = k * float((pi**2).sum()) / ((n - 1) * (m - 1))
    ms_ti = n * float((ti**2).sum()) / ((k - 1) * (m - 1))
    ms_p, ms_t, ms_i = (
        k * m * float((p**2).sum()) / (n - 1),
        n * m * float((t**2).sum()) / (k - 1),
        n * k * float((i**2).sum()) / (m - 1),
    )
    parts = {
        "person": (ms_p - ms_pt - ms_pi + ms_e) / (k * m),
        "time": (ms_t - ms_pt - ms_ti + ms_e) / (n * m),
        "item": (ms_i - ms_pi - ms_ti + ms_e) / (n * k),
        "person x time": (ms_pt - ms_e) / m,
        "person x item": (ms_pi - ms_e) / k,
        "time x item": (ms_ti - ms_e) / n,
        "error": ms_e,
    }
    return {name: max(value, 0.0) for name, value in parts.items()}


def _nested(cube: FloatArray) -> tuple[float, float]:
    """Variance of occasions within persons, and of answers within an occasion."""
    n, k, m = cube.shape
    day = cube.mean(2)
    error = float(((cube - day[:, :, None]) ** 2).sum()) / (n * k * (m - 1))
    occasion = m * float(((day - day.mean(1, keepdims=True)) ** 2).sum()) / (n * (k - 1))
    return max((occasion - error) / m, 0.0), error


def _cube(data: object, client: str, time: str, items: list[str]) -> tuple[FloatArray, int]:
    rows = read_columns(
        data, {"client": client, "time": time} | {f"item{j}": name for j, name in enumerate(items)}
    )
    columns = [f"item{j}" for j in range(len(items))]
    refuse_nobody(rows, "client", client)
    refuse_duplicates(rows, client, time)
    for column, name in zip(columns, items, strict=True):
        rows = with_finite_scores(rows, name, column)
    rows = rows.drop_nulls(columns)
    occasions = rows["time"].n_unique()
    rows = rows.filter(pl.len().over("client") == occasions).sort("client", "time")
    n = rows["client"].n_unique()
    return rows.select(columns).to_numpy().reshape(n, occasions, len(items)) if n else np.empty((0, 0, 0)), n


def _ratio(part: float, total: float) -> float | None:
    return part / total if total > 0 else None
