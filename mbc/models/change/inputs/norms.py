"""Which sample says how much scores vary and how reliable they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mbc.arguments import checked
from mbc.errors import ModelError, nearest
from mbc.models.change.inputs.score_arrays import FloatArray, pair

# The letters of the papers, for whoever types them from a table.
_LETTERS = {
    "mean1": "mean", "sd1": "sd", "mean2": "mean_retest", "sd2": "sd_retest", "r12": "correlation",
    "rxx": "reliability", "reliability2": "reliability_retest", "reliability_post": "reliability_retest",
    "mean_pre": "mean", "sd_pre": "sd", "mean_post": "mean_retest", "sd_post": "sd_retest", "r": "correlation",
}  # fmt: skip


@runtime_checkable
class NormLike(Protocol):
    """Whatever states a spread and a reliability; an instrument's own norm does."""

    @property
    def sd(self) -> float | None: ...  # noqa: D102
    @property
    def reliability(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Norms:
    """What a reference sample says about a score; it travels with every result made from it.

    Examples
    --------
    >>> Norms(sd=7.5, reliability=0.80, kind="retest", source="Jacobson & Truax 1991").sem
    3.35...
    """

    sd: float | None = None  # scale points, first occasion
    reliability: float | None = None  # 0 to 1, of that sample
    kind: str | None = None  # "alpha", "omega", "retest" ...: alpha leaves out day-to-day error
    mean: float | None = None  # scale points, first occasion
    mean_retest: float | None = None  # second occasion of the same sample
    sd_retest: float | None = None
    correlation: float | None = None  # between the two occasions
    reliability_retest: float | None = None
    n: int | None = None  # pairs in the sample
    sample: str = ""  # who they were
    source: str = ""  # where it is printed
    confidence: str = ""  # how sure the reading is: high, medium, unverified

    def __post_init__(self) -> None:
        for name in ("sd", "sd_retest"):
            _check(name, getattr(self, name), 0.0, math.inf, "in scale points")
        for name in ("mean", "mean_retest"):
            _check(name, getattr(self, name), -math.inf, math.inf, "in scale points")
        for name in ("reliability", "reliability_retest"):
            _check(name, getattr(self, name), 0.0, 1.0, "Is it a percentage?")
        _check("correlation", self.correlation, -1.0, 1.0, "Is it a percentage?")

    @property
    def sem(self) -> float | None:
        """Standard error of measurement, scale points: ``sd * sqrt(1 - reliability)``."""
        if self.sd is None or self.reliability is None:
            return None
        return self.sd * math.sqrt(1.0 - self.reliability)

    @classmethod
    @checked
    def of(cls, norms: NormLike | Mapping[str, object] | None) -> Norms:
        """Read norms from an instrument, from a mapping, or from nothing.

        Raises
        ------
        ModelError
            If a mapping contains an unknown name.
        """
        if norms is None:
            return cls()
        if isinstance(norms, Norms):
            return norms
        names = [field.name for field in fields(cls)]
        if isinstance(norms, Mapping):
            named: dict[str, Any] = {_LETTERS.get(str(key), str(key)): value for key, value in norms.items()}
            unknown = [name for name in named if name not in names]
            if unknown:
                hint = ", ".join(nearest(unknown[0], names)) or ", ".join(names)
                raise ModelError(f"norms has no '{unknown[0]}'. Did you mean: {hint}?")
            return cls(**named)
        return cls(**{name: getattr(norms, name) for name in names if getattr(norms, name, None) is not None})

    @classmethod
    @checked
    def from_sample(
        cls, pre: object, post: object, *, reliability: float | None = None, sample: str = "", source: str = ""
    ) -> Norms:
        """Compute means, spreads (n - 1) and correlation from complete pairs.

        Use an untreated retest sample, unless the method requires a treated one.
        """
        before, after = pair(pre, post)
        complete = np.isfinite(before) & np.isfinite(after)
        before, after = before[complete], after[complete]
        n = int(before.size)
        estimates: dict[str, Any] = {
            "reliability": reliability,
            "n": n,
            "sample": sample or f"{n} complete pairs",
            "source": source,
        }
        if n == 0:
            return cls(**estimates)
        estimates |= {"mean": float(before.mean()), "mean_retest": float(after.mean())}
        if n > 1:
            estimates |= {"sd": float(before.std(ddof=1)), "sd_retest": float(after.std(ddof=1))}
            estimates["correlation"] = _correlation(before, after)
        return cls(**estimates)

    @checked
    def filled_from(self, other: Norms) -> Norms:
        """Keep what is stated here; take the rest from another sample."""
        gaps = {
            field.name: getattr(other, field.name)
            for field in fields(self)
            if getattr(self, field.name) in {None, ""} and getattr(other, field.name) not in {None, ""}
        }
        return replace(self, **gaps) if gaps else self


def stated_norms(
    norms: NormLike | Mapping[str, object] | None, sd: float | None, reliability: float | None
) -> Norms:
    """Read norms; a spread and a reliability given by hand replace their own."""
    given: dict[str, Any] = {}
    if sd is not None:
        given["sd"] = float(sd)
    if reliability is not None:
        given["reliability"] = float(reliability)
    return replace(Norms.of(norms), **given) if given else Norms.of(norms)


def _correlation(first: FloatArray, second: FloatArray) -> float | None:
    a, b = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return min(1.0, max(-1.0, float(a @ b) / scale)) if scale > 0 else None


def _check(name: str, value: float | None, low: float, high: float, hint: str) -> None:
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        interval = f"[{low:g}, {high:g}]" if math.isfinite(high) else f"finite and at least {low:g}"
        if not math.isfinite(low):
            interval = "finite"
        raise ModelError(f"{name} must be {'in ' if math.isfinite(high) else ''}{interval}, got {value:g}. {hint}")
