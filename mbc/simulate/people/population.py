"""What the people of a synthetic clinic are like, and how their first questionnaires read.

Every figure here is an assumption of the simulation, chosen near published samples (see docs of each
instrument); none is a norm and none may be quoted as one. Latent traits are standard normal over clients at
intake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.streams import Floats, Stream


@dataclass(frozen=True, slots=True)
class Construct:
    """One latent trait and how it hangs together with the others.

    ``general`` and ``closeness`` are loadings on two factors, in the direction of doing better: well-being in
    general, and ease with closeness. The rest of the variance is the trait's own.
    """

    key: str
    better: int  # +1 when more of it is better, -1 when less is
    general: float
    closeness: float
    response: float  # share of a client's overall gain that shows in this trait
    wavers: float  # week-to-week swing that is neither change nor item noise, in intake SDs


CONSTRUCTS: Final = (
    Construct("self_esteem", +1, 0.65, 0.10, 1.00, 0.25),
    Construct("satisfaction", +1, 0.35, 0.45, 0.85, 0.18),
    Construct("anxiety", -1, 0.60, 0.30, 1.05, 0.25),
    Construct("avoidance", -1, 0.35, 0.50, 0.55, 0.20),
    Construct("low_mood", -1, 0.80, 0.00, 0.85, 0.35),
    Construct("worry", -1, 0.72, 0.00, 0.80, 0.35),
    Construct("wellbeing", +1, 0.72, 0.05, 0.85, 0.38),
)
NAMES: Final = tuple(construct.key for construct in CONSTRUCTS)
BETTER: Final = np.array([construct.better for construct in CONSTRUCTS], dtype=np.float64)
WAVERS: Final = np.array([construct.wavers for construct in CONSTRUCTS])
RESPONSE: Final = np.array([construct.response for construct in CONSTRUCTS])


def position(construct: str) -> int:
    """Where a construct stands on the construct axis of every array.

    Examples
    --------
    >>> position("anxiety")
    2
    """
    return NAMES.index(construct)


@dataclass(frozen=True, slots=True)
class ScaleModel:
    """How one scale reads a construct in this clinic at the first session."""

    instrument: str
    scale: str
    construct: str
    mean: float  # scale points
    sd: float  # scale points, over clients
    alpha: float  # internal consistency that the answers aim at: the instrument's published one

    def loading(self, items: int) -> float:
        """Correlation of an item's tendency with the trait, such that ``items`` of them reach ``alpha``.

        References
        ----------
        .. [1] Spearman-Brown solved for the mean inter-item correlation: r = alpha / (n - alpha (n - 1)).

        Examples
        --------
        >>> round(ScaleModel("rses", "total", "self_esteem", 16.0, 5.8, 0.90).loading(10), 3)
        0.688
        """
        return float(np.sqrt(self.alpha / (items - self.alpha * (items - 1))))

    def item_sd(self, items: int) -> float:
        """Spread (SD) of one item's tendency, as a share of its range, for a scale with an SD of 1 range.

        Var(sum) = s^2 (n + n (n - 1) r), with r the mean inter-item correlation.
        """
        r = self.loading(items) ** 2
        return items / float(np.sqrt(items + items * (items - 1) * r))


READINGS: Final = (
    ScaleModel("rses", "total", "self_esteem", 15.5, 5.9, 0.91),
    ScaleModel("csi4", "total", "satisfaction", 11.0, 4.4, 0.94),
    ScaleModel("csi16", "total", "satisfaction", 43.0, 16.5, 0.97),
    ScaleModel("csi32", "total", "satisfaction", 86.0, 32.0, 0.98),
    ScaleModel("ras", "total", "satisfaction", 3.1, 0.85, 0.87),
    ScaleModel("ecr_s", "anxiety", "anxiety", 4.4, 1.20, 0.79),
    ScaleModel("ecr_s", "avoidance", "avoidance", 3.4, 1.15, 0.84),
    ScaleModel("ecr_r", "anxiety", "anxiety", 4.2, 1.20, 0.93),
    ScaleModel("ecr_r", "avoidance", "avoidance", 3.3, 1.15, 0.93),
    ScaleModel("phq9", "total", "low_mood", 9.5, 5.9, 0.90),
    ScaleModel("gad7", "total", "worry", 8.5, 5.1, 0.90),
    ScaleModel("who5", "total", "wellbeing", 44.0, 19.0, 0.88),
)

ALLIANCE: Final = ScaleModel("wai_sr", "total", "alliance", 3.8, 0.65, 0.92)

# Items that hardly anyone endorses: mean tendency as a share of the item's range (below 0: the lowest answer).
# PHQ-9 item 9: few first questionnaires of an outpatient clinic answer it above zero.
RARE_ITEMS: Final = {("phq9", 9): -0.36}
ITEM_SPREAD: Final = 0.09  # how far items of one scale differ in difficulty, in shares of the range (sd)
LASTING_SHARE: Final = 0.4  # of an item's own variance: how this person always reads this item


def first_traits(seed: int, clients: int) -> Floats:
    """Latent traits at intake, in the direction of doing better.

    Returns
    -------
    ndarray, shape (clients, constructs)
        Each column is standard normal; correlations follow the two loadings of each construct.

    Examples
    --------
    >>> traits = first_traits(1, 20_000)
    >>> float(np.corrcoef(traits[:, 0], traits[:, 4])[0, 1].round(1))
    0.5
    """
    stream = Stream(seed, "first traits")
    draws = stream.normal(clients, 2 + len(CONSTRUCTS))
    loadings = np.array([[c.general, c.closeness] for c in CONSTRUCTS])
    own = np.sqrt(1.0 - (loadings**2).sum(axis=1))
    return draws[:, :2] @ loadings.T + draws[:, 2:] * own
