"""Where every random number of a synthetic clinic comes from.

NumPy promises that a bit generator's raw output never changes, but not what ``Generator.normal`` makes of it.
The sample clinic must come out byte for byte the same for years, so uniform and normal numbers are made from
raw bits here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Stream:
    """The random numbers of one purpose: the same seed and name always give the same numbers.

    Parameters
    ----------
    seed : int
        Seed of the whole clinic; >= 0.
    *names : str
        What the numbers are for. Another name is another, independent stream.

    Examples
    --------
    >>> Stream(1, "courses").uniform(2).round(6).tolist()
    [0.317371, 0.833795]
    >>> Stream(1, "courses").uniform(3, 2)[0].round(6).tolist()
    [0.317371, 0.833795]
    """

    __slots__ = ("_bits",)

    def __init__(self, seed: int, *names: str) -> None:
        entropy = [seed, *(zlib.crc32(name.encode()) for name in names)]
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))

    def uniform(self, *shape: int) -> Floats:
        """Numbers strictly between 0 and 1."""
        raw = np.asarray(self._bits.random_raw(int(np.prod(shape))), dtype=np.uint64)
        return (((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)

    def normal(self, *shape: int) -> Floats:
        """Numbers from the standard normal distribution, by inversion."""
        return ndtri(self.uniform(*shape))

    def integers(self, low: int, high: int, *shape: int) -> Ints:
        """Whole numbers from ``low`` up to, not including, ``high``."""
        return low + np.floor(self.uniform(*shape) * (high - low)).astype(np.int64)

    def choice(self, weights: Sequence[float], *shape: int) -> Ints:
        """Positions in ``weights``, each as likely as its weight."""
        edges = np.cumsum(weights) / np.sum(weights)
        return np.searchsorted(edges[:-1], self.uniform(*shape), side="right").astype(np.int64)

    def chance(self, probability: float | Floats, *shape: int) -> Bools:
        """Draws that are true with the given probability."""
        return self.uniform(*shape) < probability
