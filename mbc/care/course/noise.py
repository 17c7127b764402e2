"""How much of a change measurement error alone explains, on one scale of one instrument."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mbc.care.values.course import Change, Confidence, NoiseBand, Occasion, Verdict
from mbc.care.words import number, points
from mbc.instruments import Instrument, Scale
from mbc.models import reliable_change

LEVEL = 0.95  # Jacobson & Truax (1991), doi:10.1037/0022-006X.59.1.12
CLEAR = "a clear change"
NOT_CLEAR = "no clear change"

_LONGEST_SOURCE = 70


@dataclass(frozen=True, slots=True)
class Noise:
    """The change that must be exceeded on one scale before it counts, and where that figure is from."""

    threshold: float  # scale points
    inclusive: bool  # True: a change as large as the threshold already counts
    label: str
    source: str
    confidence: Confidence
    sd: float | None = None  # scale points; with `reliability`, of one described sample
    reliability: float | None = None

    def verdict(self, change: float, *, higher_is_better: bool) -> Verdict:
        """Judge a change in scale points."""
        size = abs(change)
        beyond = size >= self.threshold if self.inclusive else size > self.threshold
        if not beyond:
            return "no clear change"
        return "clearly better" if (change > 0) == higher_is_better else "clearly worse"

    def around(self, baseline: float, bounds: tuple[float, float]) -> NoiseBand:
        """Give the band around a baseline, kept on the scale."""
        return NoiseBand(
            lower=max(baseline - self.threshold, bounds[0]),
            upper=min(baseline + self.threshold, bounds[1]),
            threshold=self.threshold,
            level=LEVEL,
            label=self.label,
            source=self.source,
            confidence=self.confidence,
        )


# by questionnaire and scale, of the last definition seen of each
_known: dict[tuple[str, str], tuple[Instrument, Noise | None]] = {}


def noise_of(instrument: Instrument, scale: Scale) -> Noise | None:
    """Find the noise band of a scale.

    The spread and reliability of one described sample (Jacobson & Truax, 95 %); else a change that a source
    itself calls reliable; else None: then change cannot be distinguished from measurement error.
    """
    key = (instrument.key, scale.key)
    known, noise = _known.get(key, (None, None))
    if known is not instrument:
        noise = _published_noise(instrument, scale)
        _known[key] = instrument, noise
    return noise


def _published_noise(instrument: Instrument, scale: Scale) -> Noise | None:
    norm = scale.change_norm
    if norm is not None:
        change = reliable_change(0.0, 0.0, sd=norm.sd, reliability=norm.reliability, confidence=LEVEL)
        if change.threshold is None:
            return None
        basis = f"95 % band from SD {number(norm.sd, 2)} and {norm.kind} {number(norm.reliability, 2)}"
        return Noise(
            threshold=change.threshold,
            inclusive=False,
            label=f"what measurement error alone explains ({basis})",
            source=_sources(instrument, norm.source, norm.reliability_source),
            confidence=norm.confidence,
            sd=norm.sd,
            reliability=norm.reliability,
        )
    published = scale.change
    if published is None or published.kind != "reliable":
        return None
    return Noise(
        threshold=published.points,
        inclusive=True,
        label=f"less than the published reliable change of {points(published.points, scale.decimals)}",
        source=short_source(instrument, published.source),
        confidence=published.confidence,
    )


def short_source(instrument: Instrument, key: str) -> str:
    """Give a source's authors and year, or the beginning of its citation.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> short_source(instrument("csi16"), "funk2007")
    'Funk, J. L., & Rogge, R. D. (2007)'
    """
    citation = instrument.source(key).citation
    dated = re.match(r".{3,80}?\(\d{4}\)", citation)
    if dated:
        return dated[0]
    if len(citation) <= _LONGEST_SOURCE:
        return citation.rstrip(".")
    return citation[:_LONGEST_SOURCE].rsplit(" ", 1)[0].rstrip(".,;:") + " …"


def _sources(instrument: Instrument, *keys: str) -> str:
    return "; ".join(dict.fromkeys(short_source(instrument, key) for key in keys))


def change_between(
    before: Occasion, after: Occasion, noise: Noise | None, *, higher_is_better: bool, decimals: int = 0
) -> Change | None:
    """Judge one score against an earlier one; None when either has no score."""
    if before.score is None or after.score is None:
        return None
    moved = after.score - before.score
    verdict: Verdict = "not known"
    if noise is not None:
        verdict = noise.verdict(moved, higher_is_better=higher_is_better)
    return Change(
        before=before.score,
        before_on=before.taken_on,
        after=after.score,
        after_on=after.taken_on,
        points=moved,
        threshold=None if noise is None else noise.threshold,
        verdict=verdict,
        words=_words(moved, verdict, higher_is_better=higher_is_better, decimals=decimals),
    )


def _words(moved: float, verdict: Verdict, *, higher_is_better: bool, decimals: int) -> str:
    if moved == 0:
        return "no change"
    amount = f"{points(moved, decimals)} {'better' if (moved > 0) == higher_is_better else 'worse'}"
    if verdict == "not known":
        return amount
    return f"{amount}, {NOT_CLEAR if verdict == 'no clear change' else CLEAR}"
