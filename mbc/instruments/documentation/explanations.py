"""What there is to say about an instrument: one account for the terminal, the documentation and the reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mbc.instruments.definition.algorithms import ALGORITHMS, PROCEDURES
from mbc.instruments.definition.definition import Instrument, Item, RiskFlag, Scale
from mbc.instruments.definition.sourced_numbers import (
    Band,
    ChangeNorm,
    Confidence,
    Cutoff,
    Norm,
    PublishedChange,
    Reliability,
)

Row = tuple[str, ...]

Z_95 = 1.96  # two-sided 95 %
_TRUST_SAYS = (
    "Trust is high where a number was read in a source or checked on data, medium where the source is a secondary "
    "one or its sample is narrow, unverified where it is recalled only."
)
_SIDES = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and perhaps a table."""

    title: str
    lines: tuple[str, ...] = ()
    header: Row = ()
    rows: tuple[Row, ...] = ()


def explain(instrument: Instrument) -> tuple[Section, ...]:
    """Say what it measures, how it is scored, where each line comes from, what is disputed, how it may be used.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> [section.title for section in explain(instrument("who5"))][:3]
    ['What it measures', 'What it asks', 'How it is scored']
    """
    lined = [scale for scale in instrument.scales if _has_lines(scale)]
    sections = [
        _measures(instrument),
        _asks(instrument),
        _scored(instrument),
        *(_lines(instrument, scale) for scale in lined),
        _procedures(instrument),
        _facts(instrument),
        _risk(instrument),
        Section("What is disputed", instrument.disputes),
        _use(instrument),
        _sources(instrument),
    ]
    return tuple(section for section in sections if section.lines or section.rows)


def _measures(instrument: Instrument) -> Section:
    lines = [instrument.summary] if instrument.summary else []
    lines.append(f"Construct: {instrument.construct_name}. Version: {instrument.version}.")
    if instrument.recall:
        lines.append(f"Time asked about: {instrument.recall}.")
    lines += _applies(instrument)
    if instrument.loinc:
        lines.append(f"LOINC: {instrument.loinc}.")
    return Section("What it measures", tuple(lines))


def _applies(instrument: Instrument) -> Iterator[str]:
    when = instrument.applicability
    if when.needs_relationship:
        yield (
            "Applies to: those with a current intimate relationship "
            "(of an ended one it is not applicable, never zero)."
        )
    else:
        yield "Applies to: anybody."
    if when.needs_target:
        yield "Each questionnaire is about a person: record who that is."
    if when.needs_employment:
        yield "Items about work may not apply."


def _asks(instrument: Instrument) -> Section:
    if instrument.kind == "goals":
        return Section("What it asks", ("There are no items: a person's own goals are rated, each separately.",))
    lines = ["Labels are our own; the authors' wording is not part of this program."]
    lines += [
        f"Order {form.key!r}: {form.title}{_default(form.default)}{_from(form.source)}."
        for form in instrument.forms
        if len(instrument.forms) > 1
    ]
    lines += [
        f"Coding {coding.key!r}: {coding.title}{_default(coding.default)}{_from(coding.source)}."
        for coding in instrument.codings
    ]
    places = {form.key: {item: str(n) for n, item in enumerate(form.order, 1)} for form in instrument.forms}
    header = (
        *(f"in {key}" if len(places) > 1 else "no." for key in places),
        "topic",
        "answers",
        "reversed in",
    )
    rows = tuple(
        (
            *(place[item.id] for place in places.values()),
            item.label,
            _answers(item),
            ", ".join(scale.key for scale in instrument.scales if item.id in scale.reverse),
        )
        for item in instrument.items
    )
    return Section("What it asks", tuple(lines), header, rows)


def _answers(item: Item) -> str:
    span = f"{item.minimum}-{item.maximum}"
    return f"{span}, or {item.maximum + 1}: does not apply" if item.may_not_apply else span


def _default(default: bool) -> str:  # noqa: FBT001 - a field as it stands
    return " (default)" if default else ""


def _from(source: str | None) -> str:
    return f" (source: {source})" if source else ""


def _scored(instrument: Instrument) -> Section:
    header = ("scale", "score", "items", "range", "better", "blanks", "source", "trust")
    rows = tuple(
        (
            scale.key,
            _rule(scale),
            _some_items(instrument, scale),
            f"{scale.range[0]:g} to {scale.range[1]:g}",
            "higher" if scale.higher_is_better else "lower",
            _blanks(scale),
            *_cited(scale.source, None, scale.confidence),
        )
        for scale in instrument.scales
    )
    lines = [
        f"Blanks ({scale.key}): the rule is of {scale.missing.source}, trust {scale.missing.confidence}."
        for scale in instrument.scales
        if scale.missing.source
    ]
    if any(item.may_not_apply for item in instrument.items):
        lines.append("An item that does not apply is left out: the highest score falls, and there is no band.")
    return Section("How it is scored", tuple(lines), header, rows)


def _rule(scale: Scale) -> str:
    if scale.algorithm:
        return ALGORITHMS[scale.algorithm].says
    if scale.procedure:
        return "from the goals' ratings, see below"
    scaled = {"scaled_sum": f"sum x {scale.factor:g}", "scaled_mean": f"mean x {scale.factor:g}"}
    return scaled.get(scale.rule, scale.rule)


def _some_items(instrument: Instrument, scale: Scale) -> str:
    """Items of a scale by their place on the default form."""
    if scale.procedure:
        return "goals"
    if len(scale.items) == len(instrument.items):
        return "all"
    order = instrument.form().order
    return ", ".join(str(n) for n in sorted(order.index(item) + 1 for item in scale.items))


def _blanks(scale: Scale) -> str:
    count, least = len(scale.items), scale.missing.at_least
    if scale.procedure:
        return "goals without a rating are left out"
    if least >= count:
        return "complete only"
    if scale.missing.rule == "prorate":
        return f"prorated from {least} of {count}"
    return f"none allowed; on request prorated from {least} of {count}"


def _has_lines(scale: Scale) -> bool:
    return bool(scale.bands or scale.cutoffs or scale.norms or scale.reliabilities or scale.changes)


def _lines(instrument: Instrument, scale: Scale) -> Section:
    of = f" ({scale.title})" if len(instrument.scales) > 1 else ""
    rows = [
        *_bands(scale.bands, scale.range[1]),
        *(_cutoff(line) for line in scale.cutoffs),
        *(_norm(norm) for norm in scale.norms),
        *(_reliability(reliability) for reliability in scale.reliabilities),
        *(_change(change, used=scale.change_norm is None) for change in scale.changes),
    ]
    notes = [f"Cutoff {line.value:g}: {line.note}" for line in scale.cutoffs if line.note]
    notes += [f"Change of {change.points:g}: {change.note}" for change in scale.changes if change.note]
    if scale.change_norm:
        notes.append(_reliable(scale.change_norm, max(scale.decimals, 1)))
    elif not instrument.safety_channel and (scale.change is None or scale.change.kind != "reliable"):
        notes.append("No published figure separates change from measurement error on this scale.")
    header = ("what", "value", "source", "trust")
    return Section(f"Sources of its numbers{of}", tuple(notes), header, tuple(rows))


def _bands(bands: tuple[Band, ...], top: float) -> Iterator[Row]:
    for number, band in enumerate(bands, 1):
        until = f"to below {bands[number].start:g}" if number < len(bands) else f"to {top:g}"
        yield f"band: {band.label}", f"{band.start:g} {until}", *_cited(band.source, None, band.confidence)


def _cutoff(line: Cutoff) -> Row:
    used = " (used by default)" if line.default else ""
    return (
        f"cutoff: {line.label}{used}",
        f"{_SIDES[line.side]} {line.value:g}",
        *_cited(line.source, line.via, line.confidence),
    )


def _norm(norm: Norm) -> Row:
    sd = f" (SD {norm.sd:g})" if norm.sd is not None else ""
    n = f", n = {norm.n}" if norm.n else ""
    return (
        f"norm, {norm.population}: {norm.sample}{n}",
        f"{norm.mean:g}{sd}",
        *_cited(norm.source, norm.via, norm.confidence),
    )


def _reliability(reliability: Reliability) -> Row:
    apart = f", {reliability.interval_days} days apart" if reliability.interval_days else ""
    n = f", n = {reliability.n}" if reliability.n else ""
    value = _decimal(reliability.value) + (f" to {_decimal(reliability.upper)}" if reliability.upper else "")
    return (
        f"{reliability.kind}: {reliability.sample}{apart}{n}",
        value,
        *_cited(reliability.source, reliability.via, reliability.confidence),
    )


def _change(change: PublishedChange, *, used: bool) -> Row:
    remark = " (used by default)" if change.default and used else ""
    z = f", z = {change.z:g}" if change.z else ""
    return (
        f"{change.kind} change{remark}",
        f"{change.points:g} points or more{z}",
        *_cited(change.source, change.via, change.confidence),
    )


def _reliable(norm: ChangeNorm, decimals: int) -> str:
    """Spell out Jacobson-Truax reliable change: z * sd * sqrt(2 * (1 - r))."""
    points = Z_95 * norm.sd * math.sqrt(2 * (1 - norm.reliability))
    remark = " It is unverified." if not norm.verified else ""
    return (
        f"Reliable change by default: more than {points:.{decimals}f} points (95 %), derived from "
        f"SD {norm.sd:g} and {norm.kind} {_decimal(norm.reliability)}.{remark}"
    )


def _procedures(instrument: Instrument) -> Section:
    procedures = [PROCEDURES[name] for name in instrument.procedures]
    return Section(
        "Further methods",
        tuple(f"{procedure.says} In code: {procedure.function}." for procedure in procedures),
    )


def _facts(instrument: Instrument) -> Section:
    rows = tuple((fact.text, *_cited(fact.source, fact.via, fact.confidence)) for fact in instrument.facts)
    return Section("Further findings", (), ("what", "source", "trust"), rows)


def _risk(instrument: Instrument) -> Section:
    lines = [f"{_speaker(flag)} raises a flag of its own{_when(flag)}." for flag in instrument.flags]
    if instrument.safety_channel:
        lines.append(
            "The whole instrument belongs to the safety channel: it is never in a joint "
            "account, charted or exported."
        )
    return Section("Safety", tuple(lines))


def _speaker(flag: RiskFlag) -> str:
    if flag.on == "scale":
        return f"The {flag.item}"
    return f"Item {flag.item.removeprefix('i')} ({flag.label})"


def _when(flag: RiskFlag) -> str:
    if flag.on == "scale":
        asks = "; with blanks that leave it undecided, it should be asked about" if flag.blank_asks else ""
        return f" at {flag.at_least:g} or above, as soon as the given answers reach it{asks}"
    asks = "; if left blank, it should be asked about" if flag.blank_asks else ""
    return f" at {flag.at_least:g} or above, whatever the total says{asks}"


def _use(instrument: Instrument) -> Section:
    licence = instrument.licence
    lines = [f"Status: {licence.status} (trust: {licence.confidence})."]
    lines += [licence.statement] if licence.statement else []
    if licence.permission_needed_for:
        lines.append(f"Ask before: {', '.join(licence.permission_needed_for)}.")
    return Section("Permitted use", tuple(lines))


def _sources(instrument: Instrument) -> Section:
    rows = tuple(
        (
            source.key,
            " ".join(part for part in (source.citation, _link(source.doi, source.url), source.note) if part),
        )
        for source in instrument.sources
    )
    return Section("Sources", (_TRUST_SAYS,), ("key", "source"), rows)


def _link(doi: str | None, url: str | None) -> str | None:
    return f"https://doi.org/{doi}" if doi else url


def _cited(source: str, via: str | None, confidence: Confidence) -> Row:
    return f"{source}, read in {via}" if via else source, confidence


def _decimal(value: float) -> str:
    """Write a coefficient as this field does: .91."""
    return f"{value:.3f}".rstrip("0").lstrip("0").ljust(3, "0")


def markdown(instrument: Instrument) -> str:
    """Write the same account as a page of the documentation."""
    parts = [f"# {instrument.name} (`{instrument.key}`)", ""]
    for section in explain(instrument):
        parts += [f"## {section.title}", "", *_paragraphs(section.lines), *_table(section.header, section.rows)]
    return "\n".join(parts).rstrip() + "\n"


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    listed = list(lines)
    for line in listed:
        yield f"- {line}" if len(listed) > 1 else line
    if listed:
        yield ""


def _table(header: Row, rows: tuple[Row, ...]) -> Iterator[str]:
    if not rows:
        return
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""
