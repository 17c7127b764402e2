"""What would other couples have given: moments, slopes and covariances of couples drawn again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mbc.models.change.inputs.score_arrays import FloatArray

_CHUNK = 200  # bootstrap samples at a time


def percentiles(values: FloatArray, confidence: float) -> tuple[float | None, float | None]:
    """Give the limits that leave ``1 - confidence`` outside, of the samples that have a value."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None, None
    tail = (1.0 - confidence) / 2.0
    return float(np.quantile(finite, tail)), float(np.quantile(finite, 1.0 - tail))


def drawn_again(n: int, statistic: Callable[[FloatArray], FloatArray], bootstrap: int, seed: int) -> FloatArray:
    """Bootstrap dyads: how often each is drawn is its weight."""
    rng = np.random.default_rng(seed)
    made = [
        statistic(rng.multinomial(n, np.full(n, 1.0 / n), size=min(_CHUNK, bootstrap - done)).astype(float))
        for done in range(0, bootstrap, _CHUNK)
    ]
    return np.concatenate(made) if made else np.empty((0, 4))


def distinguishable_slopes(pairs: FloatArray, weights: FloatArray) -> FloatArray:
    """Actor and partner effect of the first role, then of the second; shape (n_samples, 4)."""
    moments = moments_of(pairs, weights, pooled=False)
    xx, xy = moments[:, :2, :2], moments[:, :2, 2:]
    slopes = _solved(xx, xy)
    return np.stack([slopes[:, 0, 0], slopes[:, 1, 0], slopes[:, 1, 1], slopes[:, 0, 1]], axis=1)


def indistinguishable_slopes(pairs: FloatArray, weights: FloatArray) -> FloatArray:
    """Actor and partner effect of partners who are not distinguished; shape (n_samples, 2)."""
    moments = moments_of(pairs, weights, pooled=True)
    same = moments[:, 0, 0] + moments[:, 1, 1], moments[:, 0, 2] + moments[:, 1, 3]
    across = 2.0 * moments[:, 0, 1], moments[:, 0, 3] + moments[:, 1, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        up, down = (same[1] + across[1]) / (same[0] + across[0]), (same[1] - across[1]) / (same[0] - across[0])
    return np.stack([(up + down) / 2.0, (up - down) / 2.0], axis=1)


def _solved(xx: FloatArray, xy: FloatArray) -> FloatArray:
    """Solve 2 x 2 systems; NaN where a sample cannot distinguish the partners."""
    determinant = xx[:, 0, 0] * xx[:, 1, 1] - xx[:, 0, 1] ** 2
    adjugate = np.stack([xx[:, 1, 1], -xx[:, 0, 1], -xx[:, 1, 0], xx[:, 0, 0]], axis=1).reshape(-1, 2, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(determinant > 0, 1.0 / determinant, np.nan)
    return np.asarray(adjugate @ xy * scaled[:, None, None])


def moments_of(pairs: FloatArray, weights: FloatArray, *, pooled: bool) -> FloatArray:
    """Weighted sums of squares and products about the means, shape (n_samples, 4, 4), over n - 1."""
    n = weights.sum(axis=1)
    centre = pairs.mean(axis=0)
    about = pairs - centre  # first about a fixed point: the products below then lose no digits
    products = (about[:, :, None] * about[:, None, :]).reshape(about.shape[0], 16)
    means = weights @ about / n[:, None]
    if pooled:  # partners share one mean of x and one of y
        offset = np.array([centre[0] - centre[1], 0.0, centre[2] - centre[3], 0.0])
        shifted = about + offset
        products = (shifted[:, :, None] * shifted[:, None, :]).reshape(about.shape[0], 16)
        means = weights @ shifted / n[:, None]
        both = (means[:, [0, 2]] + means[:, [1, 3]]) / 2.0
        means_used = both[:, [0, 0, 1, 1]]
    else:
        means_used = means
    sums = (weights @ products).reshape(-1, 4, 4)
    cross = n[:, None, None] * (
        means[:, :, None] * means_used[:, None, :]
        + means_used[:, :, None] * means[:, None, :]
        - means_used[:, :, None] * means_used[:, None, :]
    )
    return np.asarray((sums - cross) / (n - 1.0)[:, None, None])


def covariances(moments: FloatArray) -> FloatArray:
    """Covariances across partners: of x, of x and y, of y; shape (n_samples, 3)."""
    across = (moments[:, 0, 3] + moments[:, 1, 2]) / 2.0
    return np.stack([moments[:, 0, 1], across, moments[:, 2, 3]], axis=1)
