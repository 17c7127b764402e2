"""The source of each line of a chart: authors, year and DOI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mbc.care import words
from mbc.care.values.course import Confidence, Trajectory
from mbc.instruments import Instrument, Scale, instrument


@dataclass(frozen=True, slots=True)
class Origin:
    """One line of a chart, and its source."""

    name: str
    words: str
    source: str
    doubt: str  # "" where the number was checked at its source


def origins(course: Trajectory) -> tuple[Origin, ...]:
    """Give the source of each line of a chart, in full: authors, year and DOI."""
    definition = instrument(course.instrument)
    scale = definition.scale(course.scale)
    lines: list[Origin] = []
    noise = next((segment.noise for segment in course.segments if segment.noise is not None), None)
    if noise is not None:
        source = noise_source(definition, scale, noise.source)
        lines.append(Origin("Measurement error", noise.label, source, _doubt(noise.confidence)))
    for cutoff in course.cutoffs:
        key = scale.cutoff.source if scale.cutoff is not None else None
        source = full_sources(definition, (key,)) or cutoff.source
        label = f"{words.number(cutoff.value, course.decimals)}: {cutoff.label}"
        lines.append(Origin("Cutoff", label, source, _doubt(cutoff.confidence)))
    if scale.bands:
        label = ", ".join(f"{band.label} from {words.number(band.start, course.decimals)}" for band in scale.bands)
        band = scale.bands[0]
        lines.append(Origin("Severity", label, full_sources(definition, (band.source,)), _doubt(band.confidence)))
    for curve in course.curves[:1]:
        made_of = f"this clinic's own records ({words.count(curve.n_clients, 'client')})"
        lines.append(Origin("Expected from intake", "clients who began with this score", made_of, ""))
    if course.forecast is not None:
        made_of = f"the same model ({words.count(course.forecast.n_clients, 'client')})"
        label = f"{course.forecast.level:.0%} of single scores"
        lines.append(Origin("Likely end", label, made_of, ""))
    lines += [Origin("Goal", goal.label, "set with the client", "") for goal in course.goals]
    licence = definition.licence.statement
    source = full_sources(definition, (scale.source,))
    return (*lines, Origin("Questionnaire", f"{course.name}. {licence}", source, ""))


CLINIC = "this clinic"


def noise_source(definition: Instrument, scale: Scale, short: str) -> str:
    """Cite in full where the measurement error of a scale is from; ``short`` is how its band names it."""
    keys: tuple[str | None, ...] = ()
    if short.startswith(CLINIC):
        keys = ()
    elif scale.change_norm is not None:
        keys = (scale.change_norm.source, scale.change_norm.reliability_source)
    elif scale.change is not None:
        keys = (scale.change.source,)
    return full_sources(definition, keys) or short


def full_sources(definition: Instrument, keys: Sequence[str | None]) -> str:
    """Cite sources in full; one that the definition does not list is left out.

    Examples
    --------
    >>> "(2001)" in full_sources(instrument("phq9"), ("kroenke2001",))
    True
    """
    known = {source.key: source for source in definition.sources}
    chosen = [known[key] for key in dict.fromkeys(keys) if key in known]
    return "; ".join(
        source.citation
        + (f" https://doi.org/{source.doi}" if source.doi and source.doi not in source.citation else "")
        for source in chosen
    )


def _doubt(confidence: Confidence) -> str:
    return "not yet verified at the source" if confidence == "unverified" else ""
