"""How a checked file becomes a frozen Instrument."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mbc.instruments.definition import consistency as checks
from mbc.instruments.definition.definition import (
    SHARE_NEEDED,
    Applicability,
    Coding,
    Form,
    Instrument,
    Item,
    Licence,
    Missing,
    RiskFlag,
    Scale,
    Source,
)
from mbc.instruments.definition.definition_file import parse, refuse
from mbc.instruments.definition.schema import (
    CodingEntry,
    FlagEntry,
    InstrumentEntry,
    MissingEntry,
    ScaleEntry,
    SourceEntry,
)
from mbc.instruments.definition.sourced_numbers import (
    Band,
    ChangeNorm,
    Confidence,
    Cutoff,
    Fact,
    Norm,
    PublishedChange,
    Reliability,
)

_TRUST: tuple[Confidence, ...] = ("unverified", "medium", "high")
_DECIMALS = {"mean": 2, "algorithm": 2, "procedure": 1}


def build(text: str, name: str, sources: Mapping[str, SourceEntry]) -> Instrument:
    """Read, check and freeze one definition.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        The file's name, as messages should give it.
    sources : mapping
        The content of ``sources.toml``; the file may add sources of its own.

    Raises
    ------
    DefinitionError
        If the file is not TOML, does not follow the schema, or contradicts itself.
    """
    entry = parse(text, name)
    faults = checks.faults(entry, sources)
    if faults:
        raise refuse(name, faults)
    return _instrument(entry, {**sources, **entry.sources})


def _instrument(entry: InstrumentEntry, sources: Mapping[str, SourceEntry]) -> Instrument:
    items = _items(entry)
    used = dict.fromkeys(key for _, key in checks.cited(entry))
    return Instrument(
        key=entry.key,
        name=entry.name or entry.key,
        construct=entry.topic,
        version=entry.version,
        summary=entry.summary or "",
        items=items,
        forms=_forms(entry),
        codings=_codings(entry, items),
        scales=tuple(_scale(entry, scale) for scale in entry.scale),
        flags=tuple(_flag(flag) for flag in entry.flag),
        applicability=Applicability(
            needs_relationship=entry.needs.relationship,
            needs_target=entry.needs.target,
            needs_employment=entry.needs.employment,
        ),
        licence=Licence(**entry.licence.model_dump()),
        safety_channel=entry.safety_channel,
        recall=entry.recall,
        disputes=entry.disputes,
        sources=tuple(Source(key=key, **sources[key].model_dump()) for key in used),
        loinc=entry.loinc,
        kind=entry.kind,
        procedures=entry.procedures,
        facts=tuple(Fact(**fact.model_dump()) for fact in entry.fact),
    )


def _flag(flag: FlagEntry) -> RiskFlag:
    return RiskFlag(
        item=flag.item or flag.scale or "",
        label=flag.label,
        at_least=flag.at_least,
        blank_asks=flag.blank_asks,
        on="item" if flag.item else "scale",
    )


def _items(entry: InstrumentEntry) -> tuple[Item, ...]:
    default = _default_order(entry)
    listed = {item.id: item for item in checks.item_entries(entry)}
    shared_whole = entry.answers.whole_numbers if entry.answers else True
    items: list[Item] = []
    for number, item_id in enumerate(default, 1):
        item = listed[item_id]
        low, high = checks.answer_range(entry, item) or (0, 0)
        items.append(
            Item(
                id=item.id,
                label=item.label or f"item {number}",
                minimum=low,
                maximum=high,
                whole_numbers=shared_whole if item.whole_numbers is None else item.whole_numbers,
                may_not_apply=item.may_not_apply,
                loinc=item.loinc,
                same_as=item.same_as,
            )
        )
    return tuple(items)


def _default_order(entry: InstrumentEntry) -> tuple[str, ...]:
    as_listed = tuple(item.id for item in checks.item_entries(entry))
    return next((form.order or as_listed for form in entry.form if form.default), as_listed)


def _forms(entry: InstrumentEntry) -> tuple[Form, ...]:
    as_listed = tuple(item.id for item in checks.item_entries(entry))
    if not entry.form:
        return (Form(key="standard", title="as published", order=as_listed, default=True),)
    return tuple(
        Form(form.key, form.title, form.order or as_listed, form.default, form.source) for form in entry.form
    )


def _codings(entry: InstrumentEntry, items: tuple[Item, ...]) -> tuple[Coding, ...]:
    if entry.kind == "goals":
        return (Coding(key="rating", title="each goal rated by itself", default=True),)
    if entry.coding:
        return tuple(_coding(coding) for coding in entry.coding)
    spans = {(item.minimum, item.maximum) for item in items}
    only = next(iter(spans)) if len(spans) == 1 else None
    if only is None:
        return (Coding(key="printed", title="as printed", default=True),)
    low, high = only
    if low < 0:  # a key begins with a letter or digit
        return (Coding(key=f"from{low}to{high}", title=f"answers {low} to {high}", default=True),)
    return (Coding(key=f"{low}-{high}", title=f"answers {low}-{high}", default=True),)


def _coding(coding: CodingEntry) -> Coding:
    return Coding(
        coding.key, coding.title, coding.default, coding.offset, coding.flip, coding.source, coding.range
    )


def _scale(entry: InstrumentEntry, scale: ScaleEntry) -> Scale:
    items = checks.scale_items(entry, scale)
    return Scale(
        key=scale.key,
        title=scale.title or scale.key,
        items=items,
        reverse=scale.reverse,
        rule=scale.rule,
        range=scale.range,
        higher_is_better=scale.better != "lower",
        missing=_missing(scale.missing, len(items)),
        source=scale.source or entry.source,
        confidence=scale.confidence or entry.confidence,
        factor=scale.factor or 1.0,
        algorithm=scale.algorithm,
        procedure=scale.procedure,
        bands=_bands(entry, scale),
        cutoffs=tuple(Cutoff(**line.model_dump()) for line in scale.cutoff),
        norms=tuple(Norm(**norm.model_dump()) for norm in scale.norm),
        reliabilities=tuple(Reliability(**entry.model_dump()) for entry in scale.reliability),
        changes=tuple(PublishedChange(**change.model_dump()) for change in scale.change),
        change_norm=_change_norm(scale),
        decimals=scale.decimals if scale.decimals is not None else _DECIMALS.get(scale.rule, 0),
        loinc=scale.loinc,
    )


def _missing(missing: MissingEntry, items: int) -> Missing:
    at_least = missing.at_least
    if at_least is None:
        blanks = missing.at_most
        at_least = items - blanks if blanks is not None else math.ceil(SHARE_NEEDED * items - 1e-9)
    return Missing(missing.rule, at_least, missing.source, missing.confidence)


def _bands(entry: InstrumentEntry, scale: ScaleEntry) -> tuple[Band, ...]:
    source = scale.bands_source or scale.source or entry.source
    confidence = scale.bands_confidence or scale.confidence or entry.confidence
    return tuple(Band(band.start, band.label, source, confidence) for band in scale.bands)


def _change_norm(scale: ScaleEntry) -> ChangeNorm | None:
    if scale.change_norm is None:
        return None
    norm = next(norm for norm in scale.norm if norm.id == scale.change_norm.norm)
    reliability = next(
        reliability for reliability in scale.reliability if reliability.id == scale.change_norm.reliability
    )
    assert norm.sd is not None  # noqa: S101 - checked with the file
    return ChangeNorm(
        sd=norm.sd,
        reliability=reliability.value,
        kind=reliability.kind,
        sample=norm.sample,
        source=norm.source,
        reliability_source=reliability.source,
        confidence=min((norm.confidence, reliability.confidence), key=_TRUST.index),
    )
