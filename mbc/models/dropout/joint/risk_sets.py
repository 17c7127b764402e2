"""After which sessions could a client have left, who did, and in which stretches of time is the risk constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.growth.matrices import Floats

Codes = NDArray[np.intp]
Bools = NDArray[np.bool_]
FEW_TIMES = 8  # with so many occasions or fewer, each has a risk of its own


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """One entry per session after which the client could have dropped out."""

    rows: Codes  # of the sorted table
    left: Floats  # 1 where this was the client's last session and the client dropped out, else 0
    band: Codes  # stretch of time
    starts: tuple[float, ...]  # first time of each band

    @property
    def n_left(self) -> int:
        """Clients who dropped out."""
        return int(self.left.sum())

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """Dropouts and sessions per band."""
        size = len(self.starts)
        left = np.bincount(self.band, self.left, size).astype(np.float64)
        return left, np.bincount(self.band, minlength=size).astype(np.float64)


def leaving(codes: Codes, time: Floats, dropped: Bools, *, until: float, bands: int) -> RiskSets:
    """Find the sessions at risk in rows sorted by client and time.

    Parameters
    ----------
    dropped : ndarray of bool, shape (n_clients,)
        Whether therapy ended by dropping out.
    until : float
        From this time on, nobody can drop out: the last planned occasion.
    bands : int
        Most stretches of time, where there are more than a few occasions.

    Notes
    -----
    A client is at risk after every session but the last one, and after the last one if it ended by dropping out.
    A planned ending, or therapy that goes on, ends the observation there: nothing is said of what would have been.
    """
    last = np.append(codes[1:] != codes[:-1], True)
    gone = dropped[codes]
    rows = np.flatnonzero((time < until) & (~last | gone))
    left = (last & gone)[rows].astype(float)
    starts = _starts(time[rows], time[rows[left > 0]], bands)
    band = np.searchsorted(np.array(starts), time[rows], side="right") - 1
    starts, band = _merged(starts, band, left)
    return RiskSets(rows, left, band, starts)


def _starts(times: Floats, events: Floats, bands: int) -> tuple[float, ...]:
    """First time of each band: each occasion, or stretches with as many dropouts each."""
    distinct = np.unique(times)
    if distinct.size <= FEW_TIMES:
        return tuple(distinct.tolist())
    cuts = np.quantile(events, np.arange(1, bands) / bands) if events.size else np.zeros(0)
    inner = np.unique(cuts)
    return (float(distinct[0]), *inner[inner > distinct[0]].tolist())


def _merged(starts: tuple[float, ...], band: Codes, left: Floats) -> tuple[tuple[float, ...], Codes]:
    """Join a band in which nobody left, or everybody did, with the one before it: its risk is not finite."""
    kept = list(starts)
    code = band.copy()
    k = 0
    while len(kept) > 1 and k < len(kept):
        own = left[code == k]
        if 0 < own.sum() < own.size:
            k += 1
            continue
        code[code >= max(k, 1)] -= 1
        kept.pop(max(k, 1))
        k = 0
    return tuple(kept), code
