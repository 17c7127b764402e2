"""How the items of a questionnaire hang together: category thresholds, loadings on one factor, blanks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr, ndtri

from mbc.instruments import Instrument, Scale
from mbc.simulate.streams import Stream

Floats = npt.NDArray[np.float64]
_LEAST_LOADING, _HIGHEST_LOADING = 0.05, 0.95
_ROUNDS = 30  # of the factor solution


@dataclass(frozen=True, slots=True)
class ItemStructure:
    """Of the items of one scale; answers point the same way."""

    scale: str
    items: tuple[str, ...]
    thresholds: tuple[Floats, ...]  # of each item, on the standard normal: one fewer than it has answers
    loadings: Floats
    blanks: Floats  # share of each item's answers
    reliability: float  # share of the variance of the sum that the factor explains


def partition_scales(instrument: Instrument) -> list[tuple[Scale, tuple[str, ...]]]:
    """Share the items out among scales: those with fewest items first, so that subscales come before a total."""
    taken: set[str] = set()
    shares: list[tuple[Scale, tuple[str, ...]]] = []
    for scale in sorted(instrument.scales, key=lambda each: len(each.items)):
        own = tuple(item for item in scale.items if item not in taken)
        if own:
            shares.append((scale, own))
            taken.update(own)
    return shares


def read_answers(frame: pl.DataFrame, instrument: Instrument) -> Floats:
    """Give answers in the default form and coding, a column for each item; NaN where blank or not applicable."""
    answers = np.full((frame.height, len(instrument.items)), np.nan)
    place = {item.id: column for column, item in enumerate(instrument.items)}
    numbered = frame.with_row_index("_row")
    for (form, coding), group in numbered.group_by("form", "coding"):
        used = instrument.coding(None if coding is None else str(coding))
        rows = group["_row"].to_numpy()
        for position, item_id in enumerate(instrument.form(None if form is None else str(form)).order, start=1):
            column, item = f"{instrument.key}_{position}", instrument.item(item_id)
            if column in group.columns:
                sign, constant = used.affine(item)
                values = group[column].cast(pl.Float64).fill_null(float("nan")).to_numpy() * sign + constant
                inside = (values >= item.minimum) & (values <= item.maximum)
                answers[rows, place[item_id]] = np.where(inside, values, np.nan)
    return answers


def fit_items(
    answers: Floats, people: Sequence[str], instrument: Instrument, scale: Scale, items: tuple[str, ...], k: int
) -> ItemStructure:
    """Fit one scale's items; answers that fewer than k people gave are counted with the nearest other."""
    place = {item.id: column for column, item in enumerate(instrument.items)}
    keyed = np.column_stack([_keyed(answers[:, place[item]], instrument, scale, item) for item in items])
    names = np.asarray(people)
    thresholds = tuple(
        _thresholds(keyed[:, j], names, instrument.item(item).minimum, instrument.item(item).maximum, k)
        for j, item in enumerate(items)
    )
    seen = [_moments(cuts, instrument.item(item).minimum) for cuts, item in zip(thresholds, items, strict=True)]
    slopes, spreads = np.array([slope for slope, _ in seen]), np.array([spread for _, spread in seen])
    loadings = _one_factor(keyed, np.clip(slopes / np.maximum(spreads, 1e-9), 0.3, 1.0))
    explained = loadings * slopes
    common = float(explained.sum()) ** 2
    unique = float((spreads**2 - explained**2).sum())
    return ItemStructure(
        scale.key,
        items,
        thresholds,
        loadings,
        _blank_shares(keyed, names, k),
        float(np.clip(common / max(common + unique, 1e-9), 0.05, 0.99)),
    )


def draw_items(
    structure: ItemStructure, factor: Floats, instrument: Instrument, scale: Scale, stream: Stream
) -> Floats:
    """Draw answers of the items of one scale, in the default coding; NaN where left blank."""
    rows, count = factor.size, len(structure.items)
    chance = stream.normal(rows, count)
    latent = structure.loadings * factor[:, None] + np.sqrt(1 - structure.loadings**2) * chance
    drawn = np.empty((rows, count))
    for j, item in enumerate(structure.items):
        steps = np.searchsorted(structure.thresholds[j], latent[:, j]).astype(np.float64)
        drawn[:, j] = _keyed(steps + instrument.item(item).minimum, instrument, scale, item)
    return np.where(stream.uniform(rows, count) < structure.blanks, np.nan, drawn)


def _keyed(values: Floats, instrument: Instrument, scale: Scale, item_id: str) -> Floats:
    item = instrument.item(item_id)
    return item.minimum + item.maximum - values if item_id in scale.reverse else values


def _thresholds(values: Floats, people: npt.NDArray[np.str_], low: int, high: int, k: int) -> Floats:
    answered = ~np.isnan(values)
    levels = np.arange(low, high + 1)
    counts = np.array([float((values[answered] == level).sum()) for level in levels])
    enough = np.array([len(set(people[values == level].tolist())) >= k for level in levels])
    if not enough.any():
        enough[int(counts.argmax())] = True
    kept = np.flatnonzero(enough)
    pooled = np.zeros(levels.size)
    for position, count in enumerate(counts):
        pooled[kept[int(np.abs(kept - position).argmin())]] += count
    share = np.cumsum(pooled)[:-1] / max(float(pooled.sum()), 1.0)
    return np.clip(ndtri(share), -8.0, 8.0)


def _moments(thresholds: Floats, low: int) -> tuple[float, float]:
    """Covariance of an answer with its latent variable, and the answer's standard deviation."""
    edges = np.concatenate([[0.0], ndtr(thresholds), [1.0]])
    share = np.diff(edges)
    values = low + np.arange(share.size)
    mean = float(share @ values)
    density = np.exp(-0.5 * thresholds**2) / math.sqrt(2.0 * math.pi)
    return float(density.sum()), float(np.sqrt(max(float(share @ (values - mean) ** 2), 1e-9)))


def _one_factor(keyed: Floats, attenuation: Floats) -> Floats:
    """Give loadings on one factor (principal axes), from correlations corrected for having few categories."""
    count = keyed.shape[1]
    if count == 1:
        return np.array([_HIGHEST_LOADING])
    means = np.nan_to_num(np.nanmean(keyed, axis=0))
    centred = np.where(np.isnan(keyed), 0.0, keyed - means)
    spread = np.sqrt((centred**2).mean(axis=0))
    spread[spread == 0] = np.inf
    correlation = (centred.T @ centred) / keyed.shape[0] / np.outer(spread, spread)
    latent = np.clip(correlation / np.outer(attenuation, attenuation), -0.95, 0.95)
    loadings = np.full(count, 0.7)
    for _ in range(_ROUNDS):
        np.fill_diagonal(latent, loadings**2)
        values, vectors = np.linalg.eigh(latent)
        loadings = vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0))
        loadings = np.clip(loadings * np.sign(loadings.sum() or 1.0), _LEAST_LOADING, _HIGHEST_LOADING)
    return loadings


def _blank_shares(keyed: Floats, people: npt.NDArray[np.str_], k: int) -> Floats:
    blank = np.isnan(keyed)
    if len(set(people[blank.any(axis=1)].tolist())) < k:
        return np.zeros(int(keyed.shape[1]))
    pooled = float(blank.mean())
    own = np.array([len(set(people[column].tolist())) >= k for column in blank.T])
    shares: Floats = blank.mean(axis=0)
    shares[~own] = pooled
    return shares
